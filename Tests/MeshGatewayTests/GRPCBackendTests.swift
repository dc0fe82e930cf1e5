import Foundation
import MeshBase
import MeshRouting
import NIOCore
import NIOHPACK
import Synchronization
import Testing

@testable import MeshGateway

/// This node's agent as the client of a gRPC server, which says what it wants.
@Suite struct GRPCBackendTests {
    private typealias Frames = GRPCDialogue

    private static func body(_ text: String = "abc") -> ResourceBody { .whole(ByteBuffer(string: text)) }

    /// A server that does to each connection what the test says, once it has read the preface.
    private func server(
        settings: [UInt8] = [], _ serve: @escaping @Sendable (GRPCDialogue) -> Void
    ) throws -> Backend {
        try Backend { serve(GRPCDialogue(asServer: $0, settings: settings)) }
    }

    private func ask(
        _ backend: Backend, _ adjust: (inout ResourceRequest) -> Void = { _ in }
    ) async throws -> Answer {
        let url = try #require(ResourceURL("grpc://127.0.0.1:\(backend.port)"))
        return await Backend.ask(url: url, backend.client, backend.loop) { request in
            (request.method, request.path, request.body) = ("POST", "/s.S/M", Self.body())
            adjust(&request)
        }
    }

    private static let ok: HPACKHeaders = [":status": "200", "content-type": "application/grpc"]

    @Test func asksAsGRPCDoesAndHearsHeadPiecesAndTrailers() async throws {
        let heard = Mutex<[String]>([])
        let backend = try server { wire in
            guard let head = wire.fields() else { return }
            let body = wire.frame(Frames.data)
            heard.withLock {
                $0 =
                    head.fields.map { "\($0.name)=\($0.value)" } + [
                        String(decoding: body?.payload ?? [], as: UTF8.self)
                    ]
            }
            wire.head(1, Self.ok)
            wire.data(1, "one ")
            wire.data(1, "two")
            wire.head(1, ["grpc-status": "0", "x-bin": "AA", "comity-caller": "me"], end: true)
            wire.rest()
        }
        let answer = try await ask(backend) { request in
            request.headers = [
                HeaderField("content-type", "application/grpc"), HeaderField("x-meta", "1"),
                HeaderField("te", "gzip"),
                HeaderField("host", "evil"), HeaderField("grpc-timeout", "9S"),
                HeaderField("comity-caller", "me"),
                HeaderField("content-length", "3"),
            ]
            request.added = [HeaderField("comity-caller", "B")]
            request.timeout = .seconds(5)
        }
        #expect(answer.status == 200 && answer.body == "one two" && answer.failure == nil, "\(answer)")
        #expect(answer.trailers == [HeaderField("grpc-status", "0"), HeaderField("x-bin", "AA")])
        let asked = heard.withLock { $0 }
        #expect(
            asked.filter { !$0.hasPrefix("grpc-timeout=") } == [
                ":method=POST", ":scheme=http", ":path=/s.S/M", ":authority=127.0.0.1:\(backend.port)",
                "te=trailers",
                "content-type=application/grpc", "x-meta=1", "comity-caller=B", "abc",
            ])
        let timeout = asked.first { $0.hasPrefix("grpc-timeout=") }.flatMap {
            GRPCTimeout.read(String($0.dropFirst("grpc-timeout=".count)))
        }
        #expect(try #require(timeout) <= .seconds(5) && timeout! > .seconds(3))
    }

    @Test func hearsTrailersAlone() async throws {
        let backend = try server { wire in
            _ = wire.frame(Frames.data)
            wire.head(1, [":status": "200", "grpc-status": "5"], end: true)
            wire.rest()
        }
        let answer = try await ask(backend)
        #expect(answer.headers == [HeaderField("grpc-status", "5")] && answer.trailers == [])
        #expect(answer.failure == nil)
    }

    @Test func callsShareAConnection() async throws {
        let backend = try server { wire in
            while let head = wire.frame(Frames.headers) {
                wire.head(head.stream, Self.ok)
                wire.head(head.stream, ["grpc-status": "0"], end: true)
            }
        }
        for _ in 0..<3 { #expect(try await ask(backend).trailers.count == 1) }
        await withTaskGroup(of: Answer?.self) { group in
            for _ in 0..<20 { group.addTask { try? await ask(backend) } }
            for await answer in group { #expect(answer?.trailers.count == 1) }
        }
        #expect(backend.connections == 1)
    }

    @Test func dialsUpToItsNumberOfConnectionsAndNoMore() async throws {
        // SETTINGS_MAX_CONCURRENT_STREAMS = 1, and no call is answered before all are let go.
        let isOpen = Mutex(false)
        let asked = Mutex(0)
        let backend = try server(settings: [0, 3, 0, 0, 0, 1]) { wire in
            guard let head = wire.fields(), head.fields.count > 1 else { return }
            asked.withLock { $0 += 1 }
            while !isOpen.withLock({ $0 }) { usleep(5_000) }
            wire.head(1, Self.ok)
            wire.head(1, ["grpc-status": "0"], end: true)
            wire.rest()
        }
        var configuration = ResourceClientConfiguration()
        configuration.grpcConnectionLimit = 2
        let client = ResourceClient(configuration, on: backend.loop)
        let url = try #require(ResourceURL("grpc://127.0.0.1:\(backend.port)"))
        let ask: @Sendable () async -> Answer = {
            await Backend.ask(url: url, client, backend.loop) { request in
                (request.method, request.path, request.body) = ("POST", "/s.S/M", Self.body())
                request.timeout = .seconds(30)
            }
        }
        var calls: [Task<Answer, Never>] = []
        for number in 1...2 {
            calls.append(Task { await ask() })
            for _ in 0..<500 where asked.withLock({ $0 }) < number {
                try await Task.sleep(for: .milliseconds(10))
            }
            // What it takes stands before its answer, and is read by then.
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(await ask().failure == .exhausted(url.address))
        isOpen.withLock { $0 = true }
        for call in calls { #expect(await call.value.failure == nil) }
        #expect(backend.connections == 2)
    }

    @Test(
        arguments: [
            (UInt32(7), ResourceFailure.lost(.none)), (2, .lost(.possible)), (8, .lost(.possible)),
        ])
    func saysWhetherACallThatWasResetMayHaveHadItsEffect(code: UInt32, failure: ResourceFailure) async throws
    {
        let backend = try server { wire in
            _ = wire.frame(Frames.data)
            wire.reset(1, code)
            wire.rest()
        }
        #expect(try await ask(backend).failure == failure)
    }

    @Test func aCallThatTheServerSaysItDidNotLookAtHadNoEffectAndTheNextGoesElsewhere() async throws {
        let connections = Mutex(0)
        let backend = try server { wire in
            let isFirst = connections.withLock { count in
                count += 1
                return count == 1
            }
            _ = wire.frame(Frames.data)
            if isFirst {
                wire.send(Frames.goAway, 0, 0, Frames.bytes(0) + Frames.bytes(0))
            } else {
                wire.head(1, Self.ok)
                wire.head(1, ["grpc-status": "0"], end: true)
            }
            wire.rest()
        }
        #expect(try await ask(backend).failure == .lost(.none))
        #expect(try await ask(backend).failure == nil)
    }

    @Test func aConnectionThatEndsLosesItsCallsWithTheirEffect() async throws {
        let backend = try server { wire in _ = wire.frame(Frames.data) }
        #expect(try await ask(backend).failure == .lost(.possible))
        let half = try server { wire in
            _ = wire.frame(Frames.data)
            wire.head(1, Self.ok)
            wire.data(1, "half")
        }
        let answer = try await ask(half)
        #expect(answer.body == "half" && answer.failure == .lost(.possible))
    }

    @Test func nobodyThereHadNoEffect() async throws {
        var backend: Backend? = try server { _ in }
        let url = try #require(ResourceURL("grpc://127.0.0.1:\(backend!.port)"))
        backend = nil
        try await Task.sleep(for: .milliseconds(50))
        let answer = await Backend.ask(url: url) { ($0.method, $0.path) = ("POST", "/s.S/M") }
        guard case .unreachable = answer.failure else { return #expect(Bool(false), "\(answer)") }
    }

    @Test func aServerThatIsSilentIsLeftWhenACallIsLate() async throws {
        let connections = Mutex(0)
        let backend = try server { wire in
            let isFirst = connections.withLock { count in
                count += 1
                return count == 1
            }
            while let head = wire.frame(Frames.headers) {
                guard !isFirst else { continue }
                wire.head(head.stream, Self.ok)
                wire.head(head.stream, ["grpc-status": "0"], end: true)
            }
        }
        // The connection is there, and says nothing more.
        #expect(try await ask(backend) { $0.timeout = .milliseconds(100) }.failure == .timedOut(.possible))
        _ = try await ask(backend) { $0.timeout = .milliseconds(100) }
        #expect(try await ask(backend).failure == nil)
        #expect(backend.connections == 2)
    }

    @Test func givingUpResetsTheCallAndLeavesTheOthers() async throws {
        let reset = Mutex<UInt32?>(nil)
        let backend = try server { wire in
            while let frame = wire.frame() {
                if frame.type == Frames.reset { reset.withLock { $0 = frame.code } }
                if frame.type == Frames.headers, frame.stream > 1 {
                    wire.head(frame.stream, Self.ok)
                    wire.head(frame.stream, ["grpc-status": "0"], end: true)
                }
            }
        }
        let late = try await ask(backend) { $0.timeout = .milliseconds(100) }
        #expect(late.failure == .timedOut(.possible))
        #expect(try await ask(backend).failure == nil)
        #expect(reset.withLock { $0 } == 8)
    }

    @Test func aStreamedBodyWaitsForTheServersWindow() async throws {
        let taken = Mutex(0)
        let backend = try server { wire in
            var count = 0
            while count < 65_535, let frame = wire.frame(Frames.data) { count += frame.payload.count }
            taken.withLock { $0 = count }
            wire.head(1, Self.ok)
            wire.head(1, ["grpc-status": "0"], end: true)
            // A server that does not want the rest says so, and the call is whole all the same.
            while let frame = wire.frame() { if frame.type == Frames.reset { return } }
        }
        let url = try #require(ResourceURL("grpc://127.0.0.1:\(backend.port)"))
        let collected = Collected()
        let loop = backend.loop
        loop.execute {
            var request = Backend.request(url)
            (request.method, request.path, request.body) = ("POST", "/s.S/M", .streamed(length: nil))
            let exchange = NIOLoopBoundBox<ResourceExchange?>.makeBoxSendingValue(nil, eventLoop: loop)
            collected.onBodyWanted = {
                let piece = ByteBuffer(repeating: 1, count: 10_000)
                var sent = 0
                while sent < 100, exchange.value?.send(piece) == true { sent += 1 }
                #expect(sent < 100)
            }
            exchange.value = backend.client.perform(request, on: loop, observer: collected)
        }
        let answer = await collected.whole()
        #expect(answer.failure == nil && answer.trailers == [HeaderField("grpc-status", "0")])
        #expect(taken.withLock { $0 } == 65_535)
    }

    // MARK: What no server may say

    @Test func refusesAnAnswerThatIsNone() async throws {
        let heads: [HPACKHeaders] = [
            [":status": "99"], [":status": "600"], [":status": "2000"], [":status": "101"], ["x": "y"],
            [":status": "200", "connection": "close"], [":status": "200", ":path": "/"],
        ]
        for head in heads {
            let backend = try server { wire in
                _ = wire.frame(Frames.data)
                wire.head(1, head, end: true)
                wire.rest()
            }
            let failure = try await ask(backend).failure
            // What breaks HTTP/2's own rules, its machine resets the stream for.
            if failure == .lost(.possible) { continue }
            guard case .misbehaved = failure else {
                #expect(Bool(false), "\(head) is \(String(describing: failure))")
                continue
            }
        }
    }

    @Test func refusesInterimHeadsWithoutEnd() async throws {
        let backend = try server { wire in
            _ = wire.frame(Frames.data)
            for _ in 0..<20 { wire.head(1, [":status": "103"]) }
            wire.rest()
        }
        #expect(try await ask(backend).failure == .misbehaved("status 103"))
    }

    @Test(arguments: [GRPCDialogue.ping, GRPCDialogue.push, GRPCDialogue.headers])
    func endsAConnectionToAServerThatFloodsOrPushes(type: UInt8) async throws {
        let ended = Mutex(false)
        let backend = try server { wire in
            _ = wire.frame(Frames.data)
            switch type {
            case Frames.ping:
                for _ in 0...2 * HTTP2Bounds.controlFramesPerSecond {
                    wire.send(type, 0, 0, Array(repeating: 0, count: 8))
                }
            case Frames.push: wire.send(type, 4, 1, Frames.bytes(2) + Frames.block(Frames.head()))
            default:
                wire.send(Frames.headers, 0, 1, Frames.block([":status": "200"]))
                for number in 0...HTTP2Bounds.continuationsMax {
                    wire.send(Frames.continuation, 0, 1, Frames.block(["x-\(number)": "y"]))
                }
            }
            while wire.frame() != nil {}
            ended.withLock { $0 = true }
        }
        #expect(try await ask(backend).failure == .lost(.possible))
        for _ in 0..<200 where !ended.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(ended.withLock { $0 })
    }

    @Test func writesNoCallThatIsNone() async throws {
        let backend = try server { _ in }
        let wrong: [(inout ResourceRequest) -> Void] = [
            { $0.method = "GET" }, { $0.query = "a=b" }, { $0.path = "/a/../b" },
            { $0.headers = [HeaderField("x", "a\r\nb: c")] }, { $0.headers = [HeaderField("x y", "a")] },
        ]
        for adjust in wrong {
            let failure = try await ask(backend, adjust).failure
            guard case .requestInvalid = failure else {
                #expect(Bool(false), "\(String(describing: failure))")
                continue
            }
        }
    }
}
