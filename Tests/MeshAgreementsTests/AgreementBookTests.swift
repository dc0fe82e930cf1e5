import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Agreement book")
struct AgreementBookTests {
    @Test("an offer of thirty days becomes active on both sides, with two signatures over the same bytes")
    func acceptsAutomatically() throws {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        #expect(a.states == [.offered])
        deliver(&a, &b, at: day(0))
        deliver(&b, &a, at: day(0))
        #expect(a.states == [.active(acceptance: .byPeer)])
        #expect(b.states == [.active(acceptance: .automatic)])
        let (mine, theirs) = (try #require(a.book.records.first), try #require(b.book.records.first))
        #expect(mine.contentID == theirs.contentID)
        #expect(
            mine.document.isSigned(by: a.key, using: a.suite)
                && mine.document.isSigned(by: b.key, using: a.suite))
        #expect(mine.document == theirs.document)
    }

    @Test("an offer of more than 31 days waits for the operator, who accepts it")
    func waitsForOperator() throws {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node, life: days(40))), at: day(0))
        deliver(&a, &b, at: day(0))
        #expect(b.states == [.offered])
        b.take(.acceptanceRequested(Ticket(1), try #require(b.book.records.first).contentID), at: day(1))
        deliver(&b, &a, at: day(1))
        #expect(a.states == [.active(acceptance: .byPeer)])
        #expect(b.states == [.active(acceptance: .byOperator)])
    }

    @Test("an offer that the operator rejects ends on both sides, for good")
    func rejects() throws {
        var (a, b) = pair(
            AgreementConfiguration(echoOffer: .none),
            AgreementConfiguration(automaticAcceptance: .none, echoOffer: .none))
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        let offer = a.outgoing
        deliver(&a, &b, at: day(0))
        b.take(.rejectionRequested(Ticket(1), try #require(b.book.records.first).contentID), at: day(0))
        deliver(&b, &a, at: day(0))
        for party in [a, b] {
            guard case .ended(.rejected) = try #require(party.states.first) else {
                Issue.record("not rejected")
                return
            }
        }
        b.take(.messageArrived(from: a.node, offer[0].1), at: day(0))
        guard case .rejected = b.outgoing.last?.1 else {
            Issue.record("said nothing")
            return
        }
    }

    @Test("an offer that was not answered is said again when the link comes up, and answered alike each time")
    func repeats() {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        deliver(&a, &b, at: day(0))
        b.outgoing = []
        a.take(.linkCameUp(b.node), at: day(0.1))
        #expect(a.outgoing.count == 1)
        deliver(&a, &b, at: day(0.1))
        let answer = b.outgoing
        deliver(&b, &a, at: day(0.1))
        #expect(a.states == [.active(acceptance: .byPeer)])
        let count = a.notices.count
        a.take(.messageArrived(from: b.node, answer[0].1), at: day(0.1))
        #expect(a.notices.count == count)
        a.take(.linkCameUp(b.node), at: day(0.2))
        #expect(a.outgoing.isEmpty)
    }

    @Test("a crash between an offer's arrival and its acceptance loses nothing")
    func survivesCrash() {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        b.holdsSignatures = true
        deliver(&a, &b, at: day(0))
        b.crash(at: day(0))
        b.holdsSignatures = false
        b.take(.peerTrusted(a.node, a.key), at: day(0))
        a.take(.linkCameUp(b.node), at: day(0))
        deliver(&a, &b, at: day(0))
        deliver(&b, &a, at: day(0))
        #expect(a.states == [.active(acceptance: .byPeer)] && b.states == [.active(acceptance: .automatic)])
    }

    @Test("a higher version replaces the lower one only once both have signed it")
    func replaces() throws {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        deliver(&a, &b, at: day(0))
        deliver(&b, &a, at: day(0))
        let id = try #require(a.book.records.first).agreement.id
        a.take(.offerRequested(Ticket(2), request(b.node, "stock", replaces: id)), at: day(1))
        #expect(a.states == [.active(acceptance: .byPeer), .offered])
        deliver(&a, &b, at: day(1))
        deliver(&b, &a, at: day(1))
        #expect(a.states == [.ended(.replaced), .active(acceptance: .byPeer)])
        #expect(b.states == [.ended(.replaced), .active(acceptance: .automatic)])
    }

    @Test("a lower or repeated version with other content is refused")
    func versionsRise() throws {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        deliver(&a, &b, at: day(0))
        let known = try #require(b.book.records.first).agreement
        offer(known.id, version: 1, resource: "other", from: a, to: &b, at: day(1))
        #expect(b.states.count == 1)
        #expect(b.notices.last?.refusals.first?.code == .documentInvalid)
    }

    @Test("an offer by someone else's hand, for other parties, or from nobody trusted is refused")
    func refusesForgeries() {
        var (a, b) = pair()
        let stranger = Party(3)
        offer(nil, version: 1, resource: "x", from: stranger, to: &b, at: day(0))
        #expect(b.notices.last?.refusals.map(\.code) == [.peerNotTrusted] && b.outgoing.isEmpty)
        offer(nil, version: 1, resource: "x", from: a, signer: stranger.key, to: &b, at: day(0))
        #expect(b.notices.last?.refusals.map(\.code) == [.documentInvalid])
        offer(nil, version: 1, resource: "x", from: a, target: stranger.node, to: &b, at: day(0))
        #expect(b.notices.last?.refusals.map(\.code) == [.partyMismatch])
        #expect(b.states.isEmpty)
        a.take(.offerRequested(Ticket(1), request(stranger.node)), at: day(0))
        guard case .refused(let refusals) = a.answers.last else {
            Issue.record("not refused")
            return
        }
        #expect(refusals.map(\.code) == [.peerNotTrusted])
    }

    @Test("an acceptance without the peer's signature changes nothing")
    func refusesForgedAcceptance() throws {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        let document = try #require(a.book.records.first).document
        a.take(.messageArrived(from: b.node, .accepted(document)), at: day(0))
        #expect(a.states == [.offered])
        #expect(a.notices.last?.refusals.map(\.code) == [.documentInvalid])
    }

    @Test("echo is offered once to a trusted peer, renewed at two thirds, and not again after a refusal")
    func offersEcho() {
        var (a, b) = pair(AgreementConfiguration())
        deliver(&a, &b, at: day(0))
        deliver(&b, &a, at: day(0))
        #expect(a.states == [.active(acceptance: .byPeer)])
        a.take(.peerTrusted(b.node, b.key), at: day(1))
        a.take(.timeReached, at: day(19))
        #expect(a.book.records.count == 1)
        #expect(a.book.nextDeadline != nil)
        a.take(.timeReached, at: day(20))
        #expect(a.book.records.map(\.agreement.version) == [1, 2])
        a.take(
            .messageArrived(
                from: b.node, .rejected(a.book.records[1].contentID, [Refusal(.limitReached)])), at: day(20))
        a.take(.peerTrusted(b.node, b.key), at: day(31))
        #expect(a.states == [.active(acceptance: .byPeer), .ended(.rejected([Refusal(.limitReached)]))])
        #expect(a.notices.filter { $0.action == .expired }.count == 1)
    }

    @Test("at most 32 offers of one peer are accepted without asking")
    func boundsAutomaticAcceptance() {
        var (a, b) = pair()
        for number in 1...40 {
            a.take(.offerRequested(Ticket(UInt64(number)), request(b.node, "r\(number)")), at: day(0))
        }
        deliver(&a, &b, at: day(0))
        #expect(b.states.filter { $0 == .active(acceptance: .automatic) }.count == 32)
        #expect(b.states.filter { $0 == .offered }.count == 8)
    }

    @Test("a peer's records stay within their bound, and make room when they are long over")
    func boundsRecords() {
        var (a, b) = pair()
        for number in 1...Limits.agreementsPerPeer + 3 {
            offer(nil, version: 1, resource: "r\(number)", from: a, to: &b, at: second(number))
        }
        #expect(b.book.records.count == Limits.agreementsPerPeer)
        #expect(b.notices.last?.refusals.map(\.code) == [.limitReached])
        a.outgoing = []
        offer(nil, version: 1, resource: "late", from: a, to: &b, at: day(60))
        offer(nil, version: 1, resource: "later", from: a, to: &b, at: day(60))
        #expect(b.book.records.count == Limits.agreementsPerPeer)
        #expect(b.stored.count == Limits.agreementsPerPeer)
    }

    @Test("checks two hundred signatures of a peer at once, not one more, and as many a second after")
    func boundsSignatureChecks() {
        var (a, b) = pair()
        let limit = Limits.signatureChecksPerSecond
        for number in 1...limit {
            offer(nil, version: 1, resource: "r\(number)", from: a, to: &b, at: day(0))
        }
        #expect(b.book.records.count == limit)
        b.outgoing = []
        offer(nil, version: 1, resource: "late", from: a, to: &b, at: day(0))
        #expect(b.book.records.count == limit)
        #expect(b.notices.last?.refusals.map(\.code) == [.limitReached])
        #expect(b.outgoing.isEmpty, "an answer would cost as much as the check")
        for number in 1...limit + 1 {
            offer(nil, version: 1, resource: "s\(number)", from: a, to: &b, at: second(1))
        }
        #expect(b.book.records.count == 2 * limit)
    }

    @Test("a flood of acceptances with a wrong signature is checked no more than its share")
    func boundsWrongAcceptances() throws {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        let record = try #require(a.book.records.first)
        let wrong = Signed(
            body: record.agreement, payload: record.document.payload,
            signatures: record.document.signatures + [
                DocumentSignature(
                    signer: b.suite.pin(of: b.key), input: record.document.payload, value: Octets([1]))
            ])
        a.notices = []
        for _ in 0...Limits.signatureChecksPerSecond {
            a.take(.messageArrived(from: b.node, .accepted(wrong)), at: day(0))
        }
        #expect(a.notices.filter { $0.refusals.map(\.code) == [.documentInvalid] }.count == 200)
        #expect(a.notices.last?.refusals.map(\.code) == [.limitReached])
        #expect(a.states == [.offered])
    }

    @Test("what a peer says again costs no check")
    func repeatsAreFree() {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        let offers = a.outgoing
        deliver(&a, &b, at: day(0))
        b.notices = []
        for _ in 0...Limits.signatureChecksPerSecond {
            for (_, message) in offers { b.take(.messageArrived(from: a.node, message), at: day(0)) }
        }
        #expect(b.notices.isEmpty)
    }

    @Test("comes to rest with both sides alike, whatever is lost, repeated or crashes")
    func converges() {
        for seed in 0..<60 { runPair(seed: UInt64(seed)) }
    }

    private func runPair(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var (a, b) = pair(AgreementConfiguration(), AgreementConfiguration())
        let loss = generator.number(below: 70)
        for step in 0..<60 {
            let now = day(Double(step) / 100)
            switch generator.number(below: 8) {
            case 0: a.take(.offerRequested(Ticket(UInt64(step)), request(b.node, "r\(step)")), at: now)
            case 1: b.take(.offerRequested(Ticket(UInt64(step)), request(a.node, "r\(step)")), at: now)
            case 2:
                a.crash(at: now)
                a.take(.peerTrusted(b.node, b.key), at: now)
            case 3:
                b.crash(at: now)
                b.take(.peerTrusted(a.node, a.key), at: now)
            case 4: a.take(.linkCameUp(b.node), at: now)
            case 5: b.take(.linkCameUp(a.node), at: now)
            case 6:
                lose(&a, loss, &generator)
                deliver(&a, &b, at: now)
            default:
                lose(&b, loss, &generator)
                deliver(&b, &a, at: now)
            }
        }
        let end = day(1)
        a.take(.linkCameUp(b.node), at: end)
        b.take(.linkCameUp(a.node), at: end)
        for _ in 0..<3 {
            deliver(&a, &b, at: end)
            deliver(&b, &a, at: end)
        }
        let isAlike = a.book.records.map(\.terms) == b.book.records.map(\.terms)
        #expect(isAlike, "seed \(seed)")
        let isStored = Set(a.stored.map(\.contentID)) == Set(a.book.records.map(\.contentID))
        #expect(isStored, "seed \(seed)")
    }

    private func lose(_ party: inout Party, _ percent: UInt64, _ generator: inout SeededGenerator) {
        var kept: [(NodeID, AgreementMessage)] = []
        for message in party.outgoing where generator.number(below: 100) >= percent {
            kept.append(message)
            if generator.number(below: 4) == 0 { kept.append(message) }
        }
        party.outgoing = kept
    }
}
