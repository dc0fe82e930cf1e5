import MeshBase
import Testing

@testable import MeshAgreements

@Suite("What a peer's offer does not get by itself")
struct AutomaticAcceptanceTests {
    /// `creator` offers that `provider` provides to `consumer`.
    private func offer(
        version: Int64, by creator: Party, provider: Party, consumer: Party
    ) -> AgreementMessage {
        var generator = SeededGenerator(seed: 1)
        let wanted = Agreement(
            id: AgreementID(using: &generator), version: version, source: provider.node,
            target: consumer.node, grants: [Grant(resource: name("stock"), capabilities: nil)],
            validFrom: nil, validUntil: day(1).wall, createdBy: creator.node, created: day(0).wall)
        let payload = Octets(creator.suite.encoded(wanted))
        let signature = creator.suite.signature(by: creator.key, over: payload)
        return .offer(Signed(body: wanted, payload: payload, signatures: [signature]))
    }

    @Test("an offer that makes this node the provider waits for the operator, however short it is")
    func onlyAsConsumer() {
        var (a, b) = pair()
        b.take(
            .messageArrived(from: a.node, offer(version: 1, by: a, provider: b, consumer: a)), at: day(0))
        #expect(b.states == [.offered])
        #expect(b.outgoing.isEmpty)
    }

    @Test("a higher version turns no agreement round")
    func keepsItsProvider() {
        var (a, b) = pair()
        b.take(
            .messageArrived(from: a.node, offer(version: 1, by: a, provider: a, consumer: b)), at: day(0))
        b.take(
            .messageArrived(from: a.node, offer(version: 2, by: a, provider: b, consumer: a)), at: day(0))
        #expect(b.states == [.active(acceptance: .automatic)])
        #expect(b.notices.last?.refusals.map(\.code) == [.partyMismatch])
    }

    @Test("a signature that comes when trust is lost accepts nothing")
    func trustIsLost() throws {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        b.holdsSignatures = true
        deliver(&a, &b, at: day(0))
        b.take(.peerLost(a.node), at: day(0))
        let payload = try #require(b.book.records.first).document.payload
        b.take(.signed(Ticket(1), b.suite.signature(by: b.key, over: payload)), at: day(0))
        #expect(b.states == [.offered])
        #expect(b.outgoing.isEmpty)
    }

    @Test("an offer that is over is accepted by no operator")
    func isOver() throws {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node, life: days(40))), at: day(0))
        deliver(&a, &b, at: day(0))
        b.take(.acceptanceRequested(Ticket(1), try #require(b.book.records.first).contentID), at: day(41))
        guard case .refused(let refusals)? = b.answers.last else {
            return #expect(Bool(false), "accepted")
        }
        #expect(refusals.map(\.code) == [.agreementExpired])
        #expect(b.states == [.offered])
    }
}
