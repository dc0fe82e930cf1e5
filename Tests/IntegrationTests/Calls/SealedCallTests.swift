import Foundation
import MeshAgreements
import MeshAudit
import MeshBase
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import MeshAgent
@testable import MeshLink
@testable import MeshNode

@Suite("Sealed calls between two agents", .serialized, .timeLimit(.minutes(3)))
struct SealedCallTests {
    private static let secret = "the-recipe-of-the-bakery"

    /// Alice provides `vault`, and Bob may call it with payloads sealed. `taps` see what their links carry
    /// above TLS.
    private func with(
        _ body: @escaping @Sendable (TestMesh, RunningAgent, RunningAgent, FrameTap) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            let backend = try StreamBackend()
            mesh.atEnd { backend.stop() }
            let (alice, bob) = try await mesh.pair()
            try await alice.provide(
                "vault", at: backend.url,
                ["look=GET,HEAD,OPTIONS / safe", "change=PUT,POST,DELETE,PATCH / idempotent"])
            try await alice.offerSealed("vault", to: bob)
            try await body(mesh, alice, bob, try await FrameTap.on(bob, to: alice))
        }
    }

    @Test("carry streams both ways and small calls, and no byte of them is on the link but sealed")
    func closed() async throws {
        try await with { _, alice, bob, tap in
            let request = HandmadeRequest(
                head: "PUT /mesh/alice/vault/echo HTTP/1.1\r\nHost: localhost\r\nX-Recipe: \(Self.secret)\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n")
            try await bob.stream(request) { wire in
                for number in 0..<40 {
                    let word = "\(Self.secret)-\(number)."
                    wire.send(chunk: Array(word.utf8))
                    #expect(wire.receive(until: word).hasSuffix(word))
                }
                wire.sendLast()
                #expect(wire.receive(until: "0\r\n\r\n").hasSuffix("0\r\n\r\n"))
            }
            let size = 3 << 20
            let path = "/mesh/alice/vault/store/\(Self.secret)?q=\(Self.secret)"
            let stored = try await bob.stream(.put(path, declared: size)) { wire in
                wire.send(zeros: size)
                return wire.answer()
            }
            #expect(stored.body == "\(size) declared")
            let fetched = try await bob.stream(.get("/mesh/alice/vault/zeros/\(size)")) { $0.answer() }
            #expect(fetched.length == size)
            let trailing = try await bob.stream(.get("/mesh/alice/vault/slowly/2")) { wire in
                wire.receive(until: "x-events: 2\r\n\r\n")
            }
            #expect(trailing.contains("event 1\n"))
            let seen = tap.bytes
            #expect(seen.count > 6 << 20)
            #expect(!seen.holds(Self.secret) && !seen.holds("event 1") && !seen.holds("x-events"))
            #expect(!seen.holdsZeros(64))
            // The tap does see what is open, and so would see the rest.
            #expect(seen.holds("vault") && seen.holds("change"))
            let id = try #require(stored.correlation)
            for agent in [alice, bob] {
                let events = try await agent.events(AuditQuery(correlation: id)).map(\.event)
                #expect(
                    !events.isEmpty && events.allSatisfy { $0.success && $0.requestLength == Int64(size) })
                #expect(events.contains { $0.metadata.contains { $0.name == "payload sealed to" } })
            }
        }
    }

    @Test("/invoke is sealed as well, and what is answered is what was sent")
    func invoke() async throws {
        try await with { _, alice, bob, tap in
            let body = "{\"word\":\"\(Self.secret)\"}"
            let answer = try await bob.application.invoke("alice/vault/change", body)
            #expect(answer.status == 200 && answer.code == nil)
            let events = try await alice.events(AuditQuery(correlation: answer.correlation)).map(\.event)
            #expect(events.first?.requestLength == Int64(body.utf8.count))
            let own = try await bob.events(AuditQuery(correlation: answer.correlation)).map(\.event)
            #expect(own.allSatisfy { $0.requestDigest == events.first?.requestDigest })
            #expect(!tap.bytes.holds(Self.secret) && tap.bytes.holds("vault"))
        }
    }

    @Test("a key that the provider lost is refused with its code, and the new one serves once it is told")
    func lostKey() async throws {
        try await with { _, alice, bob, _ in
            #expect(try await bob.application.send(.GET, "/mesh/alice/vault/zeros/5").code == nil)
            // Twice made anew, the key that Bob knows opens nothing; nobody has told him of another.
            for _ in 0..<2 { _ = try alice.calls.encryption.renew(at: SystemClock.now().wall) }
            let refused = try await bob.application.send(.GET, "/mesh/alice/vault/zeros/5")
            #expect(refused.code == .encryptionKeyUnknown)
            for agent in [alice, bob] {
                let events = try await agent.events(AuditQuery(correlation: refused.correlation))
                #expect(events.flatMap { $0.event.refusals.map(\.code) }.contains(.encryptionKeyUnknown))
            }
            let held = try #require(alice.calls.encryption.held)
            _ = await alice.plane.inputs.post(.encryptionKeysHeld(held))
            try await until("Bob knows Alice's new key") {
                bob.calls.desk.withLock { $0.view }.peers[alice.node]?.encryption == held.current
            }
            #expect(try await bob.application.send(.GET, "/mesh/alice/vault/zeros/5").code == nil)
        }
    }

    @Test("an agent that was restarted opens with the key that it told before")
    func restarted() async throws {
        try await with { mesh, alice, bob, _ in
            let before = try #require(alice.calls.encryption.held)
            let home = alice.home.path
            await alice.stop()
            let again = try await RunningAgent(home: home, name: "alice")
            mesh.atEnd { await again.stop() }
            #expect(again.calls.encryption.held == before)
        }
    }
}

extension RunningAgent {
    /// As `offer`, with payloads sealed; `other`'s operator accepts it.
    func offerSealed(_ name: String, to other: RunningAgent) async throws {
        async let isAgreed: Void = offer(name, to: other, under: AgreementConditions(encryption: .required))
        try await until("\(other.identity.name) has the offer") {
            await other.plane.node.agreements.terms(with: self.node).terms.contains {
                $0.standing == .pending && $0.agreement.conditions?.encryption == .required
            }
        }
        let terms = await other.plane.node.agreements.terms(with: node).terms
        // Not the offer of echo, which is being accepted by rule.
        for terms in terms
        where terms.standing == .pending && terms.agreement.conditions?.encryption == .required {
            try await other.order(.accept(terms.contentID))
        }
        try await isAgreed
        try await until("\(other.identity.name) knows the key of \(identity.name)") {
            other.calls.desk.withLock { $0.view }.peers[self.node]?.encryption != nil
        }
    }
}

/// What one end of a link reads and writes above TLS.
final class FrameTap: Sendable {
    private let seen = Mutex<[UInt8]>([])

    var bytes: [UInt8] { seen.withLock { $0 } }

    static func on(_ agent: RunningAgent, to other: RunningAgent) async throws -> FrameTap {
        let tap = FrameTap()
        try await agent.place({ Handler(tap) }, onLinkWith: other)
        return tap
    }

    private final class Handler: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let tap: FrameTap

        init(_ tap: FrameTap) { self.tap = tap }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            tap.keep(unwrapInboundIn(data))
            context.fireChannelRead(data)
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            tap.keep(unwrapOutboundIn(data))
            context.write(data, promise: promise)
        }
    }

    private func keep(_ buffer: ByteBuffer) { seen.withLock { $0 += buffer.readableBytesView } }
}

extension [UInt8] {
    fileprivate func holds(_ text: String) -> Bool {
        let wanted = Data(text.utf8)
        return Data(self).range(of: wanted) != nil
    }

    fileprivate func holdsZeros(_ count: Int) -> Bool { Data(self).range(of: Data(count: count)) != nil }
}
