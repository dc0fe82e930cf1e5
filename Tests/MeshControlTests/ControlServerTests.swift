import AsyncHTTPClient
import Foundation
import MeshBase
import NIOCore
import NIOHTTP1
import Testing

@testable import MeshControl

@Suite(.timeLimit(.minutes(1))) struct ControlServerTests {
    @Test func `a question is answered by who answers for it`() async throws {
        try await withServer { home in
            let peer = try await ControlClient.with(home: home) { client throws(ControlFailure) in
                try await client.ask(ShowPeer.self, .init(peer: "B"))
            }
            #expect(peer.name?.description == "B")
        }
    }

    @Test func `a failure arrives with its code, its values and its next command`() async throws {
        try await withServer { home in
            let failure = await #expect(throws: ControlFailure.self) {
                try await ControlClient.with(home: home) { client throws(ControlFailure) in
                    try await client.ask(ShowPeer.self, .init(peer: "nobody"))
                }
            }
            #expect(failure == Fixture.unknownPeer)
            #expect(failure?.exitCode == 1)
        }
    }

    @Test func `an operation that nobody answers is named`() async throws {
        try await withServer { home in
            let failure = await #expect(throws: ControlFailure.self) {
                try await ControlClient.with(home: home) { client throws(ControlFailure) in
                    try await client.ask(StopAgent.self)
                }
            }
            #expect(failure?.code == "operation-unknown")
            #expect(failure?.facts == [Fact("path", "/v1/stop")])
        }
    }

    @Test func `only the owner can open the socket, and it goes when the server does`() async throws {
        let path = try await withServer { home in
            let path = home + "/control.sock"
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
            #expect(mode?.intValue == 0o600)
            return path
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `without an agent the command says so and how to start one`() async throws {
        let home = try makeFolder()
        defer { removeFolder(home) }
        let failure = await #expect(throws: ControlFailure.self) {
            try await ControlClient.with(home: home) { client throws(ControlFailure) in
                try await client.ask(ShowStatus.self)
            }
        }
        #expect(failure?.exitCode == 3)
        #expect(failure?.next == "comity up --home \(home)")
    }

    @Test func `a socket that a dead agent left behind is no agent`() async throws {
        let home = try makeFolder()
        defer { removeFolder(home) }
        try UnixSocket.leaveDead(at: home + "/control.sock")
        let failure = await #expect(throws: ControlFailure.self) {
            try await ControlClient.with(home: home) { client throws(ControlFailure) in
                try await client.ask(ShowStatus.self)
            }
        }
        #expect(failure?.code == "agent-not-running")
    }

    @Test func `a long poll does not keep another question waiting`() async throws {
        try await withServer { home in
            let order = try await withThrowingTaskGroup(of: String.self) { group in
                group.addTask {
                    try await ControlClient.with(home: home) { client throws(ControlFailure) in
                        _ = try await client.ask(
                            AwaitInvite.self, .init(inviteID: "x", known: .open, waitMilliseconds: 1_000))
                        return "slow"
                    }
                }
                group.addTask {
                    try await ControlClient.with(home: home) { client throws(ControlFailure) in
                        _ = try await client.ask(ShowPeer.self, .init(peer: "B"))
                        return "quick"
                    }
                }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(order == ["quick", "slow"])
        }
    }

    @Test func `what is malformed, too long or no POST is refused with a code`() async throws {
        try await withServer { home in
            let url = UnixHTTP.url(socket: home + "/control.sock", path: "/v1/peers/show")
            let malformed = try await Fixture.ask(.POST, url, #"{"peer": 1}"#)
            #expect(malformed.0 == 400)
            #expect(malformed.1.contains(#""value":"peer""#), "\(malformed.1)")
            let long = try await Fixture.ask(
                .POST, url, String(repeating: " ", count: ControlLimits.request + 1))
            #expect(long.0 == 413)
            let get = try await Fixture.ask(.GET, url, "")
            #expect(get.0 == 400)
            let exact = #"{"peer":"B"}"#
            let padded = exact + String(repeating: " ", count: ControlLimits.request - exact.utf8.count)
            #expect(try await Fixture.ask(.POST, url, padded).0 == 200)
        }
    }

    @Test func `random bodies are refused and never answered as a question`() throws {
        var generator = SeededGenerator(seed: 3)
        let seed = Array(#"{"subject":{"wouldCall":{"peer":"B","resource":"echo"}}}"#.utf8)
        for _ in 0..<5_000 {
            var bytes = seed
            for _ in 0...generator.number(below: 6) {
                bytes[Int(generator.number(below: UInt64(bytes.count)))] = UInt8(
                    truncatingIfNeeded: generator.next())
            }
            do throws(ControlFailure) {
                _ = try ControlCoding.decode(Explain.Request.self, from: ByteBuffer(bytes: bytes))
            } catch {
                #expect(error.kind == .usage)
            }
        }
    }

    @Test func `bytes that are no HTTP end their connection and nothing else`() async throws {
        try await withServer { home in
            var generator = SeededGenerator(seed: 5)
            for _ in 0..<200 {
                let length = Int(generator.number(below: 400))
                try UnixSocket.shout(generator.bytes(length), at: home + "/control.sock")
                try UnixSocket.shout(
                    Array("POST /v1/peers HTTP/1.1\r\n".utf8) + generator.bytes(length),
                    at: home + "/control.sock")
            }
            let peer = try await ControlClient.with(home: home) { client throws(ControlFailure) in
                try await client.ask(ShowPeer.self, .init(peer: "B"))
            }
            #expect(peer.name?.description == "B")
        }
    }

    /// A server with a few operations, in a home of its own.
    private func withServer<Result: Sendable>(_ body: @Sendable (String) async throws -> Result) async throws
        -> Result
    {
        let home = try makeFolder()
        defer { removeFolder(home) }
        let server = Fixture.server(home: home)
        let (up, signal) = AsyncStream<Void>.makeStream()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run { signal.finish() } }
            for await _ in up {}
            let result = try await body(home)
            group.cancelAll()
            try await group.waitForAll()
            return result
        }
    }
}

private enum Fixture {
    static let unknownPeer = ControlFailure(
        Refusal(.peerNotFound, [Fact("name", "nobody"), Fact("known", "B")]), next: "comity peers")

    static func server(home: String) -> ControlServer {
        ControlServer(at: ControlSocketPath(home: home, name: "control.sock", runtimeFolder: nil))
            .on(ShowPeer.self) { request throws(ControlFailure) in
                guard request.peer == "B" else { throw unknownPeer }
                return PeerReport(name: NodeName("B"), id: nil, words: [], trust: .seen, link: .down)
            }
            .on(AwaitInvite.self) { request throws(ControlFailure) in
                do {
                    try await Task.sleep(for: .milliseconds(request.waitMilliseconds))
                } catch {
                    throw ControlFailure(.fault, code: "agent-fault", message: "the agent stops")
                }
                return InviteProgress(
                    state: .open, peer: nil, words: [], expires: Timestamp(WallTime(milliseconds: 0)))
            }
    }

    static func ask(_ method: HTTPMethod, _ url: String, _ body: String) async throws -> (Int, String) {
        let client = UnixHTTP.client()
        var request = HTTPClientRequest(url: url)
        request.method = method
        if !body.isEmpty { request.body = .bytes(ByteBuffer(string: body)) }
        do {
            let response = try await client.execute(request, timeout: .seconds(10))
            let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
            try await client.shutdown()
            return (Int(response.status.code), text)
        } catch {
            try await client.shutdown()
            throw error
        }
    }
}
