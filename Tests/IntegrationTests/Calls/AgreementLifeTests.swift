import GRDB
import MeshAgreements
import MeshAudit
import MeshBase
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("The life of an agreement between two agents", .serialized, .timeLimit(.minutes(2)))
struct AgreementLifeTests {
    /// The one agreement about `orders` that `agent` keeps open.
    private func agreement(_ agent: RunningAgent) async -> AgreementRecord? {
        await agent.plane.node.agreements.records.last { record in
            record.agreement.grants.contains { $0.resource.description == "orders" }
        }
    }

    private func answers(_ market: Market) async throws -> RefusalCode? {
        try await market.bob.application.invoke("alice/orders/list").code
    }

    @Test("revoked by either, it ends both sides' calls, and both can say who did, when and why")
    func revoked() async throws {
        for isProvider in [true, false] {
            try await Market.with { market in
                #expect(try await answers(market) == nil)
                let revoker = isProvider ? market.alice : market.bob
                let id = try #require(await agreement(revoker)).contentID
                try await revoker.order(
                    .revoke(RevocationOrder(contentID: id, orderedBy: .local, reason: "contract ended")))
                try await until("both have ended it, and the revoker knows") {
                    for agent in [market.alice, market.bob] {
                        guard let record = await agreement(agent),
                            case .ended(.revoked(let document, isHeard: true)) = record.state,
                            document.body.revokedBy == revoker.node
                        else { return false }
                    }
                    return true
                }
                let before = market.backend.seen.count
                let answer = try await market.bob.application.invoke("alice/orders/list")
                #expect(answer.code == .agreementEnded && market.backend.seen.count == before)
                let events = try await market.bob.events(AuditQuery(correlation: answer.correlation))
                let facts = events.flatMap(\.event.refusals).flatMap(\.facts)
                #expect(facts.contains(Fact("reason", "contract ended")))
                for agent in [market.alice, market.bob] {
                    let wanted =
                        agent.node == revoker.node ? "agreement revoked" : "agreement revoked by peer"
                    let trail = try await agent.events()
                    #expect(trail.contains { $0.event.action == wanted && $0.event.agreement == id })
                }
            }
        }
    }

    @Test("while the store cannot be written a revocation ends calls all the same, and what is given waits")
    func lockedStore() async throws {
        try await Market.with { market in
            #expect(try await answers(market) == nil)
            try await market.alice.provide("ledger", at: market.backend.url, ["look=GET / safe"])
            let id = try #require(await agreement(market.alice)).contentID
            var configuration = Configuration()
            configuration.allowsUnsafeTransactions = true
            let other = try DatabaseQueue(path: market.alice.home.store, configuration: configuration)
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            // The first order finds the store locked; the others come while it waits.
            async let route: Void = market.alice.order(.offer(offer(of: "ledger", to: market.bob)))
            try await until("the store's trouble is known") {
                await market.alice.plane.storeTrouble != nil
            }
            async let revoked: Void = market.alice.order(
                .revoke(RevocationOrder(contentID: id, orderedBy: .local, reason: "contract ended")))
            try await until("calls are refused") { try await answers(market) == .agreementEnded }
            // The other side has heard of nothing: none of it is durable.
            let record = try #require(await agreement(market.bob))
            #expect(record.isOpen)
            let heard = await market.bob.plane.node.agreements.records.contains { record in
                record.agreement.grants.contains { $0.resource.description == "ledger" }
            }
            #expect(!heard)
            try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            // Nor do the views that were held give it back on their way.
            for _ in 0..<200 { #expect(try await answers(market) == .agreementEnded) }
            try await route
            try await revoked
            try await until("the other side has heard of both") {
                let records = await market.bob.plane.node.agreements.records
                return records.contains { !$0.isOpen && $0.contentID == id }
                    && records.contains { record in
                        record.agreement.grants.contains { $0.resource.description == "ledger" }
                    }
            }
        }
    }

    private func offer(of resource: String, to peer: RunningAgent) throws -> OfferRequest {
        OfferRequest(
            peer: peer.node,
            grants: [Grant(resource: try #require(ResourceName(resource)), capabilities: nil)],
            life: .seconds(86_400))
    }

    @Test("one of more than 31 days waits for the operator's yes; the next version takes its place")
    func accepted() async throws {
        try await Market.with { market in
            let first = try #require(await agreement(market.alice))
            let request = OfferRequest(
                peer: market.bob.node, grants: first.agreement.grants,
                life: .seconds(90 * 86_400), replaces: first.agreement.id)
            try await market.alice.order(.offer(request))
            try await until("Bob has the offer") { await agreement(market.bob)?.state == .offered }
            #expect(try await answers(market) == nil)
            let second = try #require(await agreement(market.bob))
            try await market.bob.order(.accept(second.contentID))
            try await until("the first version gave way to the second on both sides") {
                for agent in [market.alice, market.bob] {
                    let records = await agent.plane.node.agreements.records.filter {
                        $0.agreement.id == first.agreement.id
                    }
                    guard records.map(\.agreement.version) == [1, 2], records[0].state == .ended(.replaced),
                        case .active = records[1].state
                    else { return false }
                }
                return true
            }
            #expect(try await answers(market) == nil)
        }
    }

    @Test("what was revoked while the link was down is told at the next link, over a restart of the revoker")
    func toldLater() async throws {
        try await Market.with { market in
            let id = try #require(await agreement(market.alice)).contentID
            let bob = market.bob.node
            await market.bob.stop()
            try await until("the link is down") { await market.alice.link(with: bob) == nil }
            try await market.alice.order(
                .revoke(RevocationOrder(contentID: id, orderedBy: .local, reason: "")))
            let back = try await market.mesh.start("bob")
            try await until("Bob has it") {
                guard let record = await agreement(back), case .ended(.revoked) = record.state else {
                    return false
                }
                return true
            }
        }
    }
}
