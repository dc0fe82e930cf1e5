import MeshAgreements
import MeshAudit
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("Approvals between two agents", .serialized, .timeLimit(.minutes(2)))
struct ApprovalLifeTests {
    /// A person's key in the home of `agent`, which vouches for it.
    private func person(_ agent: RunningAgent, _ name: String) async throws -> PersonKey {
        let key = try PersonKey.prepare(at: agent.home.path + "/person-\(name).key")
        let report = try await agent.agent.handlers.vouch(
            .init(
                name: try #require(NodeName(name)), key: key.publicText,
                roles: [.responsible, .accountable], seconds: 86_400))
        #expect(report.pin == key.pin && report.state == .vouched)
        return key
    }

    /// What a person says through the control API, as `comity agreement approve` does.
    private func say(
        _ key: PersonKey, _ isApproval: Bool = true, about id: String, at agent: RunningAgent,
        reason: String = ""
    ) async throws -> AgreementReport {
        let prepared = try await agent.agent.handlers.prepareApproval(.init(id: id, pin: key.pin))
        let word = try key.word(
            isApproval: isApproval, of: prepared.contentID, for: prepared.party, as: prepared.roles,
            reason: reason)
        return try await agent.agent.handlers.giveApproval(.init(document: word))
    }

    /// Alice offers the next version of `orders`, which asks people of both.
    private func offered(_ market: Market) async throws -> AgreementRecord {
        let first = try #require(
            await market.alice.plane.node.agreements.records.last {
                $0.agreement.grants[0].resource.description == "orders"
            })
        try await market.alice.order(
            .offer(
                OfferRequest(
                    peer: market.bob.node, grants: first.agreement.grants,
                    approvals: ApprovalRules(provider: [.accountable], consumer: [.accountable]),
                    life: .seconds(86_400))))
        try await market.alice.order(
            .revoke(RevocationOrder(contentID: first.contentID, orderedBy: .local, reason: "replaced")))
        try await until("Bob has the offer") {
            await market.bob.plane.node.agreements.records.contains {
                $0.agreement.approvals != nil && $0.state == .offered
            }
        }
        let offer = try #require(
            await market.bob.plane.node.agreements.records.last { $0.agreement.approvals != nil })
        for (agent, peer) in [(market.alice, market.bob), (market.bob, market.alice)] {
            try await agent.decides(by: offer.contentID, insteadOf: first.contentID, with: peer)
        }
        return offer
    }

    @Test("an agreement that asks people is refused with who is missing, and honoured once all approved")
    func approved() async throws {
        try await Market.with { market in
            let record = try await offered(market)
            let id = record.contentID.description
            let answer = try await market.bob.application.invoke("alice/orders/list")
            #expect(answer.code == .approvalMissing || answer.code == .agreementPending)
            let waiting = await market.bob.agent.handlers.status().attention
            #expect(
                waiting.contains { $0.next?.hasPrefix("comity agreement approve \(id.prefix(12))") ?? false })
            let ann = try await person(market.alice, "ann")
            let ben = try await person(market.bob, "ben")
            #expect(try await say(ann, about: id, at: market.alice).approvals?.missingHere == [])
            let said = try await say(ben, about: id, at: market.bob)
            #expect(said.approvals?.next?.hasPrefix("comity agreement accept") ?? false)
            #expect(try await market.bob.agent.handlers.acceptAgreement(.init(id: id)).id == id)
            try await until("both hold it for approved") {
                for agent in [market.alice, market.bob] {
                    let current = await agent.plane.node.agreements.record(record.contentID)
                    guard case .active = current?.state else { return false }
                }
                return true
            }
            #expect(try await market.bob.application.invoke("alice/orders/list").code == nil)
            // Over a restart too: what people said was kept.
            await market.bob.stop()
            let bob = try await market.mesh.start("bob")
            let kept = try #require(await bob.plane.node.agreements.record(record.contentID))
            #expect(kept.approvals.count == 2 && kept.isApproved)
            #expect(await bob.plane.node.agreements.people.map(\.body.name.description) == ["ben"])
            let trail = try await market.alice.events()
            for action in [
                "person vouched for", "agreement approved", "agreement approved at peer",
                "agreement activated",
            ] {
                #expect(trail.contains { $0.event.action == action }, "\(action)")
            }
        }
    }

    @Test("a veto ends it at both, with its reason; who is vouched for no more says nothing that counts")
    func vetoed() async throws {
        try await Market.with { market in
            let record = try await offered(market)
            let id = record.contentID.description
            let ben = try await person(market.bob, "ben")
            _ = try await market.bob.agent.handlers.endVouching(.init(name: try #require(NodeName("ben"))))
            await #expect(throws: ControlFailure.self) { try await say(ben, about: id, at: market.bob) }
            let eve = try await person(market.bob, "eve")
            _ = try await say(eve, false, about: id, at: market.bob, reason: "too dear")
            try await until("Alice knows") {
                await market.alice.plane.node.agreements.record(record.contentID)?.state == .ended(.vetoed)
            }
            let report = try await market.alice.agent.handlers.showAgreement(.init(id: id))
            guard case .pair(let shown) = report else {
                Issue.record("no agreement of two")
                return
            }
            #expect(shown.state == .ended && shown.approvals?.words.map(\.reason) == ["too dear"])
        }
    }
}
