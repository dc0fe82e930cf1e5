import MeshAgreements
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("An agreement of two organisations of real agents", .serialized, .timeLimit(.minutes(3)))
struct DomainPartyTests {
    /// Acme (alice signs, anna provides), bolt (bob signs, bert calls), and cove (carol), a partner of both.
    private struct Organisations {
        let alice: RunningAgent
        let anna: RunningAgent
        let bob: RunningAgent
        let bert: RunningAgent
        let carol: RunningAgent
        let backend: Backend

        init(in mesh: TestMesh) async throws {
            alice = try await mesh.founder("alice", of: "acme")
            anna = try await mesh.member("anna", of: alice)
            bob = try await mesh.founder("bob", of: "bolt", seeds: [alice, anna])
            bert = try await mesh.member("bert", of: bob, seeds: [alice, anna])
            carol = try await mesh.founder("carol", of: "cove", seeds: [alice, anna, bob, bert])
            for (one, other) in [(alice, bob), (alice, carol), (bob, carol)] {
                try await one.accept(domainOf: other)
                try await other.accept(domainOf: one)
            }
            for one in [alice, anna] {
                for other in [bob, bert, carol] { try await other.linked(with: one) }
            }
            backend = try await Backend.start()
            let running = backend
            mesh.atEnd { await running.stop() }
            try await anna.provide("orders", at: backend.url, ["list=GET /list safe"])
        }

        var members: [RunningAgent] { [alice, anna, bob, bert] }

        /// What `comity offer orders --to-domain bolt --from-domain` and `comity agreement accept` do.
        func agree() async throws -> String {
            let offer = try await alice.agent.handlers.makeOffer(
                .init(
                    resource: try #require(ResourceName("orders")), to: "bolt", toDomain: true,
                    fromDomain: true, capabilities: [], seconds: 30 * 86_400))
            #expect(offer.state == .offered && offer.role == .provider && offer.other == "domain bolt")
            try await until("bob has the offer") {
                await bob.agent.handlers.listAgreements().agreements.contains { $0.id == offer.id }
            }
            let accepted = try await bob.agent.handlers.acceptAgreement(.init(id: offer.id))
            #expect(accepted.state == .active && accepted.other == "domain acme")
            return offer.id
        }

        func stand(_ id: String, _ state: AgreementReport.State) async throws {
            for agent in members {
                try await until("\(agent.identity.name) holds the agreement as \(state)") {
                    await agent.agent.handlers.listAgreements().agreements
                        .contains { $0.id == id && $0.state == state }
                }
            }
        }
    }

    /// What the desk of the provider, which believes nothing of the caller, says of the call.
    private func verdict(of callee: RunningAgent, on caller: RunningAgent) -> [RefusalCode] {
        let view = callee.calls.desk.withLock { $0.view }
        let verdict = view.permits(
            callBy: caller.node, ResourceName("orders")!,
            Capability(name: ResourceName("list")!, methods: ["GET"], path: "/list", safety: .safe),
            method: "GET", as: .local, for: nil, payload: .clear, MeterBook(), at: SystemClock.now())
        if case .refused(let reasons) = verdict { return reasons.map(\.code) }
        return []
    }

    @Test("signed by a node of each, it permits a call between two others, until either revokes it")
    func betweenOthers() async throws {
        try await TestMesh.with { mesh in
            let both = try await Organisations(in: mesh)
            let before = try await both.bert.application.invoke("anna/orders/list")
            // Who may not call it is not told that it is there.
            #expect(before.code == .resourceUnknown)
            #expect(verdict(of: both.anna, on: both.bert) == [.agreementMissing])
            let id = try await both.agree()
            try await both.stand(id, .active)
            try await until("bert calls anna") {
                try await both.bert.application.invoke("anna/orders/list").code == nil
            }
            #expect(verdict(of: both.anna, on: both.bert).isEmpty)
            #expect(both.backend.seen.count > 0)
            let shown = AgreementText.render(
                try await both.anna.agent.handlers.showAgreement(.init(id: id)),
                Presentation(hasColour: false, width: 100, now: SystemClock.now().wall))
            #expect(shown.contains("domain acme provides, domain bolt calls"), "\(shown)")
            // Nobody of a third domain learns of it, or gets anything by it.
            #expect(await both.carol.agent.handlers.listAgreements().agreements.allSatisfy { $0.id != id })
            #expect(verdict(of: both.anna, on: both.carol) == [.agreementMissing])
            let foreign = try await both.carol.application.invoke("anna/orders/list")
            #expect(foreign.code == .resourceUnknown)
            _ = try await both.bob.agent.handlers.revokeAgreement(.init(id: id, reason: "moved"))
            try await both.stand(id, .ended)
            try await until("both sides refuse by the revocation") {
                let answer = try await both.bert.application.invoke("anna/orders/list")
                return answer.code == .agreementEnded
                    && verdict(of: both.anna, on: both.bert) == [.agreementEnded]
            }
        }
    }

    @Test("a newcomer gets it, a restart keeps it, and who lacks the role signs nothing")
    func newcomers() async throws {
        try await TestMesh.with { mesh in
            let both = try await Organisations(in: mesh)
            try await refused(.agreeRoleMissing) {
                _ = try await both.anna.agent.handlers.makeOffer(
                    .init(
                        resource: ResourceName("orders")!, to: "bolt", toDomain: true, fromDomain: true,
                        capabilities: [], seconds: 86_400))
            }
            let id = try await both.agree()
            try await both.stand(id, .active)
            let ben = try await mesh.member("ben", of: both.bob, seeds: [both.anna])
            try await ben.linked(with: both.anna)
            try await until("ben calls anna") {
                try await ben.application.invoke("anna/orders/list").code == nil
            }
            try await refused(.agreeRoleMissing) {
                _ = try await ben.agent.handlers.revokeAgreement(.init(id: id, reason: ""))
            }
            await both.bert.stop()
            let again = try await mesh.start(
                "bert", environment: TestMesh.environment([both.bob, both.anna]))
            #expect(await again.plane.node.domainAgreements.records.map(\.content.stage) == [.active])
            try await again.linked(with: both.anna)
            try await until("bert calls anna again") {
                try await again.application.invoke("anna/orders/list").code == nil
            }
        }
    }

    private func refused(_ code: RefusalCode, _ work: () async throws -> Void) async throws {
        let failure = await #expect(throws: ControlFailure.self) { try await work() }
        #expect(failure?.code == code.rawValue, "\(String(describing: failure))")
    }
}
