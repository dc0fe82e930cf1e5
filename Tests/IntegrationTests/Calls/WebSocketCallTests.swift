import Foundation
import MeshAudit
import MeshBase
import MeshRouting
import MeshWire
import NIOHTTP1
import Testing

@testable import MeshAgent

@Suite("A WebSocket through two agents", .timeLimit(.minutes(2)))
struct WebSocketCallTests {
    /// Alice provides `desk`, where Bob may read and talk, and `board`, where he may read.
    private func with(
        sealed isSealed: Bool = false,
        _ body: (RunningAgent, RunningAgent, StreamBackend) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            let backend = try StreamBackend()
            mesh.atEnd { backend.stop() }
            let (alice, bob) = try await mesh.pair()
            let capabilities = ["read=GET / safe", "talk=WEBSOCKET /talk unsafe"]
            for name in ["desk", "board"] { try await alice.provide(name, at: backend.url, capabilities) }
            if isSealed {
                try await alice.offerSealed("desk", to: bob)
            } else {
                try await alice.offer("desk", to: bob)
            }
            try await alice.offer("board", ["read"], to: bob)
            try await body(alice, bob, backend)
        }
    }

    private func asking(_ path: String, _ lines: String = "") -> HandmadeRequest {
        HandmadeRequest(
            head: "GET /mesh/alice\(path) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                + "Upgrade: websocket\r\nSec-WebSocket-Key: a-key\r\n\(lines)\r\n")
    }

    @Test("carries what both say as it is, and is one call to the audit of either", arguments: [false, true])
    func conversation(isSealed: Bool) async throws {
        try await with(sealed: isSealed) { alice, bob, backend in
            let id = try await bob.stream(asking("/desk/talk")) { wire in
                let head = wire.receive(until: "\r\n\r\n")
                #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
                #expect(head.contains("sec-websocket-accept: to a-key\r\n"))
                #expect(head.contains("connection: upgrade\r\nupgrade: websocket\r\n"))
                #expect(wire.receive(until: "hello ") == "hello ")
                for word in ["0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "three"] {
                    wire.send(word)
                    #expect(wire.receive(until: word) == word)
                }
                wire.send("bye")
                #expect(wire.receive(until: "bye") == "bye")
                #expect(wire.receive().isEmpty)
                let name = "comity-correlation-id: "
                return head.components(separatedBy: "\r\n").first { $0.hasPrefix(name) }
                    .flatMap { CorrelationID(String($0.dropFirst(name.count))) }
            }
            let correlation = try #require(id)
            let said = Int64("0\r\n\r\nGET / HTTP/1.1\r\n\r\nthreebye".utf8.count)
            for (agent, count) in [(bob, 2), (alice, 1)] {
                try await until("\(agent.identity.name) has written it down") {
                    let events = try await agent.events(AuditQuery(correlation: correlation)).map(\.event)
                    return events.count == count
                        && events.allSatisfy {
                            $0.success && $0.status == 101 && $0.requestLength == said
                                && $0.answerLength == said + 6
                        }
                }
            }
            #expect(backend.bytesReceived == Int(said))
        }
    }

    @Test("is refused to whoever may only read, with the reason, and the resource hears nothing")
    func reader() async throws {
        try await with { alice, bob, backend in
            let answer = try await bob.stream(asking("/board/talk")) { $0.answer() }
            #expect(answer.status == 403 && answer.headers["comity-refusal"] == "capability-not-agreed")
            // Nor may he ask for it as a page: the resource is asked by GET, and it is no WebSocket then.
            let page = try await bob.application.send(.GET, "/mesh/alice/board/talk")
            #expect(page.status == 426)
            #expect(backend.bytesReceived == 0)
        }
    }

    @Test("is no answer where the resource wants none: what is said behind the refusal reaches nobody")
    func unwanted() async throws {
        try await with { alice, bob, backend in
            let text = try await bob.stream(asking("/desk/talk/../talk/", "X-No: 1\r\n")) { wire in
                wire.receive(until: "\r\n\r\n")
            }
            #expect(text.contains("path-refused"))
            // `/talk/nothing` is under the capability, and no place where the resource talks.
            try await alice.provide("silent", at: backend.url, ["talk=WEBSOCKET / unsafe"])
            try await alice.offer("silent", to: bob)
            let answer = try await bob.stream(asking("/silent/zeros/2")) { wire in
                wire.send("PUT /store HTTP/1.1\r\ncontent-length: 1\r\n\r\nx")
                return wire.answer()
            }
            #expect(answer.status == 200 && answer.length == 2)
            try await Task.sleep(for: .milliseconds(200))
            #expect(backend.bytesReceived == 0)
        }
    }

    @Test("names where to open it when it is asked for as a call of its capability")
    func invoked() async throws {
        try await with { _, bob, _ in
            let answer = try await bob.application.invoke("alice/desk/talk")
            #expect(answer.status == 400 && answer.code == .websocketExpected)
            #expect(answer.text.contains("WEBSOCKET") && answer.text.contains("/talk"))
        }
    }

    @Test("ends at the resource when the application goes away, and both sides say so")
    func gone() async throws {
        try await with { alice, bob, backend in
            try await bob.stream(asking("/desk/talk")) { wire in
                #expect(wire.receive(until: "hello ").hasSuffix("hello "))
            }
            try await until("the resource's connection is closed") { backend.openConnections == 0 }
            for agent in [bob, alice] {
                try await until("\(agent.identity.name) has written it down") {
                    try await agent.events(AuditQuery()).map(\.event).contains {
                        $0.capability?.description == "talk" && !$0.success
                            && $0.refusals.first?.code == .cancelled
                    }
                }
            }
        }
    }

    @Test("that a provider claims in answer to a page is none: no application is made to speak by it")
    func claimed() async throws {
        try await with { alice, bob, _ in
            let forge: FrameForger.Forge = { header, payload in
                guard header.kind == .open, payload.first == 1 else { return payload }
                return try InvocationCodec.encode(.answered(status: 101, headers: []))
            }
            try await FrameForger.place(forge, at: bob, from: alice)
            let answer = try await bob.application.send(.GET, "/mesh/alice/desk/zeros/1")
            #expect(answer.code == .peerUnreachable && answer.text.contains("answer malformed"))
        }
    }
}
