import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Revoking an agreement")
struct RevocationTests {
    private let order = Ticket(9)

    /// Two parties with one agreement in force, `a` the provider.
    private func agreed(life: Duration = days(30)) throws -> (Party, Party, Digest) {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node, life: life)), at: day(0))
        deliver(&a, &b, at: day(0))
        deliver(&b, &a, at: day(0))
        return (a, b, try #require(a.book.records.first).contentID)
    }

    private func revocation(_ contentID: Digest, reason: String = "moved") -> AgreementInput {
        .revocationRequested(
            order, RevocationOrder(contentID: contentID, orderedBy: .local, reason: reason))
    }

    private func isRevoked(_ party: Party, by node: NodeID, isHeard: Bool) -> Bool {
        party.states.allSatisfy { state in
            guard case .ended(.revoked(let document, isHeard)) = state else { return false }
            return document.body.revokedBy == node
        }
    }

    @Test(
        "either party ends it, signed, and both refuse by it with who, when and why",
        arguments: [true, false])
    func either(isProvider: Bool) throws {
        var (a, b, id) = try agreed()
        if isProvider {
            a.take(revocation(id), at: day(1))
            deliver(&a, &b, at: day(1))
            deliver(&b, &a, at: day(1))
        } else {
            b.take(revocation(id), at: day(1))
            deliver(&b, &a, at: day(1))
            deliver(&a, &b, at: day(1))
        }
        let revoker = isProvider ? a : b
        #expect(
            isRevoked(a, by: revoker.node, isHeard: true) && isRevoked(b, by: revoker.node, isHeard: true))
        #expect(revoker.answers.contains { if case .done(let record) = $0 { !record.isOpen } else { false } })
        for party in [a, b] {
            guard case .ended(.revoked(let document, _)) = try #require(party.states.first) else { continue }
            #expect(document.isSigned(by: revoker.key, using: party.suite))
            let question = PolicyQuestion(
                side: .consumer, caller: b.node, callee: a.node, resource: name("orders"),
                capability: name("read"), safety: .safe, method: "GET", principal: .local, now: day(2).wall)
            guard
                case .refused(let refusals) = PolicyEvaluator.decide(
                    question,
                    over: party.book.terms(with: party.node == a.node ? b.node : a.node))
            else {
                Issue.record("permitted")
                return
            }
            #expect(refusals.map(\.code) == [.agreementEnded])
            #expect(refusals[0].facts.contains(Fact("reason", "moved")))
            #expect(refusals[0].facts.contains(Fact("revoked by", revoker.node)))
        }
    }

    @Test("it holds at once here, and is told first at each link until the peer has it, over a crash too")
    func told() throws {
        var (a, b, id) = try agreed()
        a.take(.offerRequested(Ticket(2), request(b.node, "stock")), at: day(1))
        a.take(revocation(id), at: day(1))
        a.outgoing = []
        #expect(a.book.records.contains { $0.contentID == id && !$0.isOpen })
        a.crash(at: day(2))
        a.take(.peerTrusted(b.node, b.key), at: day(2))
        for _ in 0..<2 {
            a.outgoing = []
            a.take(.linkCameUp(b.node), at: day(2))
            guard case .revoked(let document)? = a.outgoing.first?.1 else {
                Issue.record("the revocation is not the first word")
                return
            }
            #expect(document.body.contentID == id && a.outgoing.count == 2)
        }
        deliver(&a, &b, at: day(2))
        deliver(&b, &a, at: day(2))
        #expect(b.book.records.contains { $0.contentID == id && !$0.isOpen })
        #expect(a.notices.last { $0.action == .revocationHeard } != nil)
        a.take(.linkCameUp(b.node), at: day(3))
        #expect(a.outgoing.isEmpty)
    }

    @Test("one by somebody else's hand, or in the other party's name, ends nothing")
    func forged() throws {
        var (a, b, id) = try agreed()
        let stranger = Party(3)
        for (signer, author) in [(stranger, a.node), (b, a.node), (a, b.node), (stranger, stranger.node)] {
            let body = AgreementRevocation(
                contentID: id, revokedBy: author, orderedBy: .local, reason: "", revoked: day(1).wall)
            let payload = Octets(b.suite.encoded(body))
            let document = Signed(
                body: body, payload: payload,
                signatures: [b.suite.signature(by: signer.key, over: payload)])
            b.outgoing = []
            b.take(.messageArrived(from: a.node, .revoked(document)), at: day(1))
            #expect(b.states == [.active(acceptance: .automatic)] && b.outgoing.isEmpty)
            #expect(b.notices.last?.refusals.map(\.code) == [.documentInvalid])
        }
    }

    @Test("what is revoked never returns: no higher version, no renewal, no built-in offer")
    func final() throws {
        var (a, b, id) = try agreed()
        let agreement = try #require(a.book.records.first).agreement.id
        a.take(revocation(id), at: day(1))
        deliver(&a, &b, at: day(1))
        deliver(&b, &a, at: day(1))
        a.take(.offerRequested(Ticket(3), request(b.node, replaces: agreement)), at: day(2))
        guard case .refused(let refusals)? = a.answers.last else {
            Issue.record("offered")
            return
        }
        #expect(refusals.map(\.code) == [.agreementEnded])
        offer(agreement, version: 7, resource: "orders", from: a, to: &b, at: day(2))
        #expect(b.notices.last?.refusals.map(\.code) == [.agreementEnded])
        a.take(revocation(id), at: day(2))
        #expect(a.answers.count == 4)

        var (c, d) = pair(AgreementConfiguration(), AgreementConfiguration(echoOffer: .none))
        deliver(&c, &d, at: day(0))
        deliver(&d, &c, at: day(0))
        c.take(revocation(try #require(c.book.records.first).contentID), at: day(1))
        c.take(.timeReached, at: day(25))
        c.take(.peerLost(d.node), at: day(26))
        c.take(.peerTrusted(d.node, d.key), at: day(26))
        #expect(c.states.count == 1)
    }

    @Test("a version that was offered is withdrawn with the one in force, whichever is on its way")
    func allVersions() throws {
        var (a, b, id) = try agreed()
        let agreement = try #require(a.book.records.first).agreement.id
        a.take(.offerRequested(Ticket(2), request(b.node, "stock", replaces: agreement)), at: day(1))
        let offer = a.outgoing
        a.outgoing = []
        a.take(revocation(id), at: day(1))
        #expect(a.book.records.allSatisfy { !$0.isOpen })
        deliver(&a, &b, at: day(1))
        for (_, message) in offer { b.take(.messageArrived(from: a.node, message), at: day(1)) }
        deliver(&b, &a, at: day(1))
        for party in [a, b] { #expect(party.book.records.allSatisfy { !$0.isOpen }) }
        #expect(a.book.records.count == 2 && b.book.records.count == 1)
    }

    @Test("a version that never arrived is named, and the one that did is over all the same")
    func unseenVersion() throws {
        var (a, b, _) = try agreed()
        let agreement = try #require(a.book.records.first).agreement.id
        a.take(.offerRequested(Ticket(2), request(b.node, "stock", replaces: agreement)), at: day(1))
        // The link is down: the offer is lost.
        a.outgoing = []
        let second = try #require(a.book.records.first { $0.agreement.version == 2 }).contentID
        a.take(revocation(second), at: day(1))
        #expect(a.book.records.allSatisfy { !$0.isOpen } && b.book.records.count == 1)
        a.outgoing = []
        a.take(.linkCameUp(b.node), at: day(2))
        deliver(&a, &b, at: day(2))
        deliver(&b, &a, at: day(2))
        #expect(b.book.records.allSatisfy { !$0.isOpen })
        #expect(isRevoked(b, by: a.node, isHeard: true))
        #expect(a.notices.last { $0.action == .revocationHeard } != nil)
    }

    @Test("a peer that accepts while it is revoked does not bring it back")
    func lateAcceptance() throws {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        let id = try #require(a.book.records.first).contentID
        deliver(&a, &b, at: day(0))
        let acceptance = b.outgoing
        b.outgoing = []
        a.take(revocation(id), at: day(0))
        for (_, message) in acceptance { a.take(.messageArrived(from: b.node, message), at: day(0)) }
        #expect(isRevoked(a, by: a.node, isHeard: false))
        deliver(&a, &b, at: day(0))
        deliver(&b, &a, at: day(0))
        #expect(isRevoked(a, by: a.node, isHeard: true) && isRevoked(b, by: a.node, isHeard: true))
    }

    @Test("what is unknown here is answered, so that it is told no more; who is not trusted ends nothing")
    func unknown() throws {
        var (a, b, id) = try agreed()
        a.take(revocation(id), at: day(1))
        guard case .revoked(let document)? = a.outgoing.first?.1 else {
            Issue.record("not told")
            return
        }
        var c = Party(3)
        c.take(.peerTrusted(a.node, a.key), at: day(1))
        c.take(.messageArrived(from: a.node, .revoked(document)), at: day(1))
        #expect(c.outgoing.map(\.1) == [.revocationHeard(id)] && c.states.isEmpty)
        b.take(.peerLost(a.node), at: day(1))
        b.take(.messageArrived(from: a.node, .revoked(document)), at: day(1))
        #expect(b.states == [.active(acceptance: .automatic)])
        // A peer's word that it has it counts for its own pair alone.
        a.take(.peerTrusted(c.node, c.key), at: day(1))
        a.take(.messageArrived(from: c.node, .revocationHeard(id)), at: day(1))
        #expect(isRevoked(a, by: a.node, isHeard: false))
    }

    @Test("a reason has at most 256 bytes, and an agreement that is not there is not revoked")
    func bounds() throws {
        var (a, _, id) = try agreed()
        a.take(revocation(a.suite.digest([3])), at: day(1))
        a.take(revocation(id, reason: String(repeating: "a", count: 257)), at: day(1))
        let codes = a.answers.suffix(2).map { answer -> [RefusalCode] in
            guard case .refused(let refusals) = answer else { return [] }
            return refusals.map(\.code)
        }
        #expect(codes == [[.nothingFound], [.limitReached]] && a.states == [.active(acceptance: .byPeer)])
        a.take(revocation(id, reason: String(repeating: "a", count: 256)), at: day(1))
        #expect(isRevoked(a, by: a.node, isHeard: false))
    }

    @Test("a version that was ordered before the revocation was signed is not offered after it")
    func orderedBefore() throws {
        var (a, b, id) = try agreed()
        let agreement = try #require(a.book.records.first).agreement
        a.holdsSignatures = true
        a.requests = []
        a.take(revocation(id), at: day(1))
        a.take(
            .offerRequested(Ticket(10), request(b.node, life: days(20), replaces: agreement.id)), at: day(1))
        a.holdsSignatures = false
        for request in a.requests {
            let signature = a.suite.signature(by: a.key, over: request.payload)
            a.take(.signed(request.ticket, signature), at: day(1))
        }
        #expect(a.book.records.count == 1 && a.lastCodes == [.agreementEnded])
        deliver(&a, &b, at: day(1))
        #expect(b.book.records.allSatisfy { !$0.isOpen })
    }

    @Test("whichever version is named, the one in force is revoked; a second time it is over")
    func olderVersion() throws {
        var (a, b, first) = try agreed()
        let id = try #require(a.book.records.first).agreement.id
        a.take(.offerRequested(Ticket(2), request(b.node, life: days(20), replaces: id)), at: day(1))
        deliver(&a, &b, at: day(1))
        deliver(&b, &a, at: day(1))
        #expect(b.states.first == .ended(.replaced))
        b.take(revocation(first), at: day(2))
        deliver(&b, &a, at: day(2))
        #expect(a.book.records.allSatisfy { !$0.isOpen } && b.book.records.allSatisfy { !$0.isOpen })
        b.take(revocation(first), at: day(2))
        #expect(b.lastCodes == [.agreementEnded])
    }

    @Test("what is damaged here is forgotten when the other party revokes it, and by nobody else's word")
    func damaged() throws {
        var (a, b, id) = try agreed()
        let record = try #require(a.stored.first)
        a.stored = []
        let damaged = DamagedAgreement(record, at: a.node, refusal: Refusal(.documentInvalid))
        a.crash(at: day(1), damaged: [damaged])
        a.take(.peerTrusted(b.node, b.key), at: day(1))
        b.take(revocation(id), at: day(1))
        let forged = b.outgoing.map { _, message -> AgreementMessage in
            guard case .revoked(let document) = message else { return message }
            return .revoked(
                Signed(
                    body: document.body, payload: document.payload,
                    signatures: [a.suite.signature(by: a.key, over: document.payload)]))
        }
        for message in forged { a.take(.messageArrived(from: b.node, message), at: day(1)) }
        #expect(a.book.damaged.count == 1 && a.forgotten.isEmpty)
        deliver(&b, &a, at: day(1))
        #expect(a.book.damaged.isEmpty && a.forgotten == [id] && a.notices.last?.action == .buried)
        deliver(&a, &b, at: day(1))
        #expect(isRevoked(b, by: b.node, isHeard: true))
    }
}
