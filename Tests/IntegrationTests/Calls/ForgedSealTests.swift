import Foundation
import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import MeshWire
import NIOCore
import NIOHTTP1
import Testing

@testable import MeshAgent
@testable import MeshLink
@testable import MeshNode

/// What somebody between two nodes, who ends TLS for one of them, may try on sealed calls.
@Suite("Sealed calls with somebody between", .serialized, .timeLimit(.minutes(3)))
struct ForgedSealTests {
    /// Alice provides `vault`, sealed, to Bob; of the frames that come to one of them `forge` makes others.
    private func with(
        _ forge: @escaping FrameForger.Forge, at end: End,
        _ body: @escaping @Sendable (RunningAgent, RunningAgent) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            let backend = try StreamBackend()
            mesh.atEnd { backend.stop() }
            let (alice, bob) = try await mesh.pair()
            try await alice.provide(
                "vault", at: backend.url, ["look=GET / safe", "say=POST / unsafe"])
            try await alice.offerSealed("vault", to: bob)
            switch end {
            case .provider: try await FrameForger.place(forge, at: alice, from: bob)
            case .consumer: try await FrameForger.place(forge, at: bob, from: alice)
            }
            try await body(alice, bob)
        }
    }

    private enum End { case provider, consumer }

    @Test("a refusal in clear instead of the answer does not make an unsafe call happen twice")
    func forgedRefusal() async throws {
        let forge: FrameForger.Forge = { header, payload in
            guard header.kind == .open, payload.first == 2 else { return payload }
            let refusal = InvocationAnswer.refused([Refusal(.resourceUnreachable)], effect: .none)
            return try InvocationCodec.encode(refusal)
        }
        try await with(forge, at: .consumer) { alice, bob in
            let answer = try await bob.application.send(.POST, "/mesh/alice/vault/note", [1, 2, 3])
            #expect(answer.code == .outcomeUnknown)
            let id = answer.correlation
            try await until("Alice's side of it is settled") {
                try await alice.events(AuditQuery(correlation: id)).contains { $0.event.success }
            }
            #expect(try await alice.events(AuditQuery(correlation: id)).count == 1)
        }
    }

    @Test("heads that were changed are opened sixteen times and one a second more, then refused unopened")
    func garbage() async throws {
        let forge: FrameForger.Forge = { header, payload in
            guard header.kind == .open, payload.first == 2, let last = payload.last else { return payload }
            return payload.dropLast() + [last ^ 1]
        }
        try await with(forge, at: .provider) { _, bob in
            let start = ContinuousClock.now
            var codes: [RefusalCode?] = []
            for _ in 0..<60 {
                codes.append(try await bob.application.send(.GET, "/mesh/alice/vault/zeros/1").code)
            }
            let spent = Int((ContinuousClock.now - start).components.seconds)
            let opened = codes.count { $0 == .sealBroken }
            #expect(codes.allSatisfy { $0 == .sealBroken || $0 == .overloaded })
            #expect(codes.prefix(16).allSatisfy { $0 == .sealBroken })
            #expect(opened >= 16 && opened <= 16 + spent + 1 && opened < codes.count)
        }
    }
}
