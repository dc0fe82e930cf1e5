import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Agreements of domains: bounds")
struct DomainAgreementBoundTests {
    private typealias M = Members

    @Test("an agreement that is too long is refused where it is offered and where it is shown")
    func length() throws {
        var members = Members()
        let grants = (0..<AgreementLimits.grants).map { place in
            Grant(
                resource: name("orders-\(place)"),
                capabilities: (0..<16).map { name("a-capability-with-a-long-name-\(place)-\($0)") })
        }
        let request = DomainOfferRequest(
            provider: .domain(domainX), consumer: .domain(domainY), grants: grants, life: days(30))
        members.all[M.x1].take(.offerRequested(Ticket(1), request), at: day(1))
        #expect(members.all[M.x1].lastAnswer == [.documentInvalid])
        let contentID = members.agree()
        let short = try #require(members.all[M.x1].book.record(contentID)).content
        let long = Octets(short.document.payload.bytes + [UInt8](repeating: 0x20, count: 16 * 1024))
        let (x1, y1) = (members.all[M.x1], members.all[M.y1])
        let content = DomainAgreement(
            document: Signed(
                body: short.agreement, payload: long,
                signatures: [x1, y1].map { $0.suite.signature(by: $0.key, over: long) }),
            signatories: short.signatories)
        members.all[M.x2].take(.messageArrived(from: x1.node, .shown(content)), at: day(1))
        #expect(members.all[M.x2].refusals == [.documentInvalid])
        #expect(members.all[M.x2].book.records.count == 1)
    }

    @Test("a peer that sends list upon list is answered eight times, and one more each two seconds")
    func lists() {
        var members = Members()
        members.agree()
        let (x1, y2) = (members.all[M.x1].node, M.y2)
        let question = DomainAgreementList(marks: [], isQuestion: true)
        for _ in 0..<100 { members.all[y2].take(.messageArrived(from: x1, .held(question)), at: day(2)) }
        #expect(members.all[y2].outgoing.count == AgreementLimits.domainListsAtOnce)
        let later = day(2).instant + AgreementLimits.domainListInterval
        let now = Moment(instant: later, wall: day(2).wall)
        members.all[y2].outgoing = []
        for _ in 0..<100 { members.all[y2].take(.messageArrived(from: x1, .held(question)), at: now) }
        // One answer; and one question, since what the peer said meanwhile was not heard.
        #expect(members.all[y2].outgoing.count == 2)
    }

    @Test(
        "two that greet each other show each agreement once, taken or not, and again when asked again",
        arguments: [0, 1.1])
    func once(days: Double) throws {
        var members = Members()
        members.cuts = [(M.x1, M.y1)]
        members.offer(at: day(1))
        members.offer(provider: .domain(domainY), consumer: .domain(domainX), by: M.y1, at: day(1))
        members.told = []
        // Each lacks what the other offers; where their clocks are behind they take none.
        members.reconnect(M.x1, M.y1, at: day(days))
        func shown() -> [Int] {
            members.told.compactMap { told in
                if case .shown = told.2 { told.from } else { nil }
            }
        }
        #expect(shown().sorted() == [M.x1, M.y1])
        guard days == 0 else { return }
        // Later it asks anew.
        members.told = []
        let later = Moment(
            instant: day(0).instant + AgreementLimits.domainAgreementRetry,
            wall: day(0).wall + AgreementLimits.domainAgreementRetry)
        members.all[M.y1].take(.timeReached, at: later)
        members.settle(at: later)
        #expect(shown().contains(M.x1))
    }

    @Test("lists with unsorted marks, or too many, are none")
    func marks() throws {
        #expect(AgreementParty("d" + String(repeating: "a", count: 51)) == nil)
        let node = Members().all[M.x1].node
        #expect(AgreementParty(node.description) == .node(node))
        #expect(AgreementParty(domainX.description) == .domain(domainX))
        #expect(AgreementParty("") == nil)
    }
}
