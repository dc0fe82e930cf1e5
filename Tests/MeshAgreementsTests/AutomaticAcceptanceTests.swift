import MeshBase
import Testing

@testable import MeshAgreements

@Suite("What is accepted without asking the operator")
struct AutomaticAcceptanceTests {
    @Test("an offer that makes this node the provider waits for the operator, however short it is")
    func onlyAsConsumer() {
        var (a, b) = pair()
        var generator = SeededGenerator(seed: 1)
        let wanted = Agreement(
            id: AgreementID(using: &generator), version: 1, source: b.node, target: a.node,
            grants: [Grant(resource: name("stock"), capabilities: nil)], validFrom: nil,
            validUntil: day(1).wall, createdBy: a.node, created: day(0).wall)
        let payload = Octets(a.suite.encoded(wanted))
        let document = Signed(
            body: wanted, payload: payload, signatures: [a.suite.signature(by: a.key, over: payload)])
        b.take(.messageArrived(from: a.node, .offer(document)), at: day(0))
        #expect(b.states == [.offered])
        #expect(b.outgoing.isEmpty)
    }
}
