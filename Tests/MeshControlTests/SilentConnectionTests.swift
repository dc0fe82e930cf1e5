import Foundation
import MeshBase
import Testing

@testable import MeshControl

@Suite(.timeLimit(.minutes(1))) struct SilentConnectionTests {
    @Test func `who connects and asks nothing keeps no command out`() async throws {
        try await withServer { home in
            let first = try UnixSocket.open(at: home + "/control.sock")
            defer { close(first) }
            var others: [Int32] = []
            defer { for other in others { close(other) } }
            for _ in 0..<2 * ControlLimits.connections {
                others.append(try UnixSocket.open(at: home + "/control.sock"))
            }
            let peer = try await ControlClient.with(home: home) { client throws(ControlFailure) in
                try await client.ask(ShowPeer.self, .init(peer: "B"))
            }
            #expect(peer.name?.description == "B")
            #expect(UnixSocket.isEnded(first), "the oldest yields")
            for last in others.suffix(8) { #expect(!UnixSocket.isEnded(last), "the newest wait") }
        }
    }

    @Test func `a question that does not come to its end is given up`() async throws {
        try await withServer { home in
            let start = ContinuousClock.now
            let halves = try ["P", "POST /v1/peers/show HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"]
                .map {
                    let socket = try UnixSocket.open(at: home + "/control.sock")
                    UnixSocket.say($0, to: socket)
                    return socket
                }
            defer { for half in halves { close(half) } }
            while !halves.allSatisfy(UnixSocket.isEnded), .now - start < ControlLimits.questionTime * 2 {
                try await Task.sleep(for: .milliseconds(20))
            }
            let took = ContinuousClock.now - start
            #expect(took >= ControlLimits.questionTime && took < ControlLimits.questionTime * 1.5)
            // Whole, not only its own side: nobody holds a place by not going away.
            for half in halves { #expect(!UnixSocket.takes("x", half)) }
        }
    }

    /// NIO ends the process where an accepted connection is dropped before it was read.
    @Test func `a server that ends while many connect ends whole`() async throws {
        for _ in 0..<20 {
            try await withServer { home in
                for _ in 0..<200 {
                    close(try UnixSocket.open(at: home + "/control.sock"))
                }
            }
        }
    }

    private func withServer(_ body: @Sendable (String) async throws -> Void) async throws {
        let home = try makeFolder()
        defer { removeFolder(home) }
        let server = ControlServer(
            at: ControlSocketPath(home: home, name: "control.sock", runtimeFolder: nil)
        )
        .on(ShowPeer.self) { _ throws(ControlFailure) in
            PeerReport(name: NodeName("B"), id: nil, words: [], trust: .seen, link: .down)
        }
        let (up, signal) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run { signal.finish() } }
            for await _ in up {}
            try await body(home)
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}
