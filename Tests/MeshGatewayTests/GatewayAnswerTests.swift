import MeshBase
import MeshRouting
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import MeshGateway

@Suite struct GatewayAnswerTests {
    @Test func streamsAnAnswerInChunksWithItsTrailers() async throws {
        let stream = RecordingObserver { _, reply in
            Task {
                reply.head(
                    status: 200, headers: [HeaderField("x-a", "1")],
                    correlation: CorrelationID(high: 3, low: 4))
                reply.body(ByteBuffer(string: "one "))
                try await Task.sleep(for: .milliseconds(20))
                reply.body(ByteBuffer(repeating: UInt8(ascii: "z"), count: 100_000))
                reply.end(trailers: [HeaderField("x-sum", "5")])
            }
        }
        try await Application.run(stream) { application async throws in
            let socket = try application.socket()
            for _ in 0..<2 {
                socket.send("GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let answer = socket.answer()
                #expect(answer.body == "one " + String(repeating: "z", count: 100_000))
                #expect(answer.fields["comity-correlation-id"] != nil && answer.fields["x-a"] == "1")
            }
        }
    }

    @Test func letsAnAnswerNeitherSpeakForComityNorBreakItsHead() async throws {
        let hostile = RecordingObserver { _, reply in
            reply.answer(
                status: 403,
                headers: [
                    HeaderField("Comity-Refusal", "forged"), HeaderField("x-a", "1\r\nx-b: 2"),
                    HeaderField("connection", "x-c"),
                    HeaderField("x-c", "1"), HeaderField("transfer-encoding", "chunked"),
                    HeaderField("content-length", "99"),
                    HeaderField("x-d", "4"),
                ], body: ByteBuffer(string: "no"), correlation: nil)
        }
        try await Application.run(hostile) { application async throws in
            let answer = try application.get("/mesh/B/o")
            #expect(answer.status == 403 && answer.body == "no" && answer.refusal == nil)
            #expect(answer.fields == ["x-d": "4", "content-length": "2"])
        }
    }

    @Test func answersHeadWithTheLengthAndNoBody() async throws {
        let resource = RecordingObserver { _, reply in
            reply.head(status: 200, headers: [HeaderField("content-length", "5")], correlation: nil)
            reply.end()
        }
        try await Application.run(resource) { application async throws in
            let socket = try application.socket()
            for _ in 0..<2 {
                socket.send("HEAD /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(socket.answer(toHead: true).fields["content-length"] == "5")
            }
        }
    }

    @Test func cutsTheConnectionWhenAnAnswerBreaksOff() async throws {
        let broken = RecordingObserver { request, reply in
            let length = request.resource == "short" ? "9" : "1"
            reply.head(status: 200, headers: [HeaderField("content-length", length)], correlation: nil)
            reply.body(ByteBuffer(string: "abc"))
            if request.resource == "refused" {
                reply.refuse([Refusal(.deadlineExceeded)], correlation: nil)
            } else {
                reply.end()
            }
        }
        try await Application.run(broken) { application async throws in
            for resource in ["short", "long", "refused"] {
                let socket = try application.socket()
                socket.send("GET /mesh/B/\(resource) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(!socket.receiveAll().contains("deadline-exceeded"))
            }
        }
    }

    @Test func tellsWhenTheApplicationGoesAway() async throws {
        let silent = RecordingObserver { _, _ in }
        try await Application.run(silent) { application async throws in
            var socket: RawSocket? = try application.socket()
            socket?.send("GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await silent.wait { $0.requests.count == 1 })
            socket = nil
            #expect(try await silent.wait { $0.cancelled == [$0.requests[0].id] })
            silent.told.withLock { $0.replies[0] }.answer(
                status: 200, headers: [], body: ByteBuffer(), correlation: nil)
        }
    }

    @Test func tellsWhenTheApplicationReadsSlowly() async throws {
        let flood = RecordingObserver { _, reply in
            reply.head(status: 200, headers: [], correlation: nil)
            for _ in 0..<200 { reply.body(ByteBuffer(repeating: 1, count: 100_000)) }
        }
        try await Application.run(flood) { application async throws in
            let socket = try application.socket()
            socket.send("GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await flood.wait { $0.flows.first == .held })
            var total = 0
            while total < 20_000_000, case let bytes = socket.receive(), !bytes.isEmpty {
                total += bytes.count
            }
            #expect(try await flood.wait { $0.flows.last == .open })
        }
    }

    @Test func finishesWhatItOwesBeforeItEnds() async throws {
        let late = RecordingObserver { request, reply in
            Task {
                try await Task.sleep(for: .milliseconds(300))
                RecordingObserver.echo(request, reply)
            }
        }
        try await Application.run(late) { application async throws in
            let idle = try application.socket()
            let busy = try application.socket()
            busy.send("GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await late.wait { $0.requests.count == 1 })
            async let ended: Void = application.server.close(grace: .seconds(5))
            #expect(idle.receiveAll().isEmpty)
            let answer = busy.answer()
            #expect(answer.status == 200 && answer.fields["connection"] == "close")
            await ended
            #expect(throws: (any Error).self) { _ = try application.socket() }
        }
    }

    @Test func listensOnLoopbackOnlyAndReplacesNothingButSockets() async throws {
        let group = NIOSingletons.posixEventLoopGroup
        let observer = RecordingObserver()
        await #expect(throws: GatewayFailure.notLoopback(Endpoint(host: "0.0.0.0", port: 0))) {
            let configuration = GatewayConfiguration(
                endpoint: Endpoint(host: "0.0.0.0", port: 0), socketPath: nil)
            _ = try await GatewayServer.start(configuration, on: group, observer: observer)
        }
        await #expect(throws: GatewayFailure.self) {
            let configuration = GatewayConfiguration(endpoint: nil, socketPath: "/dev/null")
            _ = try await GatewayServer.start(configuration, on: group, observer: observer)
        }
        await #expect(throws: GatewayFailure.self) {
            let configuration = GatewayConfiguration(
                endpoint: nil, socketPath: "/tmp/" + String(repeating: "x", count: 103))
            _ = try await GatewayServer.start(configuration, on: group, observer: observer)
        }
    }
}
