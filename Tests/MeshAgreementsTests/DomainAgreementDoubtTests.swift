import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Agreements of domains: what is not believed")
struct DomainAgreementDoubtTests {
    private typealias M = Members

    /// An agreement in force, as a peer would show it.
    private func shown(_ change: (inout Members) -> Void = { _ in }) throws -> DomainAgreement<TestChain> {
        var members = Members()
        change(&members)
        let contentID = members.agree()
        return try #require(members.all[M.x1].book.record(contentID)).content
    }

    /// What a newcomer of domain X says to it, shown by `teller`.
    private func reception(
        of content: DomainAgreement<TestChain>, from teller: Int = M.y2, at now: Moment = day(2),
        _ change: (inout Member) -> Void = { _ in }
    ) -> Member {
        var newcomer = Member(9, of: domainX, days: 90)
        newcomer.take(.membershipChanged(newcomer.node, newcomer.membership), at: now)
        change(&newcomer)
        let all = Members().all
        let peer = all[teller]
        newcomer.take(.peerTrusted(peer.node), at: now)
        newcomer.take(
            .membershipChanged(
                peer.node,
                Membership(
                    domain: peer.membership!.domain, roles: peer.membership!.roles, until: day(90).wall)),
            at: now)
        newcomer.take(.messageArrived(from: peer.node, .shown(content)), at: now)
        return newcomer
    }

    @Test("a signature that is not valid, of another key, twice of one side, or missing its maker")
    func signatures() throws {
        let good = try shown()
        #expect(reception(of: good).stages == [.active])
        let (first, second) = (good.document.signatures[0], good.document.signatures[1])
        func with(
            _ signatures: [DocumentSignature], _ signatories: [Signatory<TestChain>]
        ) -> DomainAgreement<TestChain> {
            DomainAgreement(
                document: Signed(
                    body: good.agreement, payload: good.document.payload, signatures: signatures),
                signatories: signatories)
        }
        let garbled = DocumentSignature(
            signer: second.signer, input: second.input, value: Octets([UInt8](repeating: 1, count: 32)))
        for bad in [
            with([first, garbled], good.signatories), with([second, first], good.signatories),
            with([first, first], [good.signatories[0], good.signatories[0]]),
            with([first, second], [good.signatories[0]]),
            with([second, first], [good.signatories[1], good.signatories[0]]),
        ] {
            let newcomer = reception(of: bad)
            #expect(newcomer.book.records.isEmpty && newcomer.stored.isEmpty)
            #expect(newcomer.refusals.count == 1)
        }
    }

    @Test("a signer of this node's own domain whose credential is over, unless one who may sign shows it")
    func backdating() throws {
        let content = try shown()
        let stale = reception(of: content, at: day(8))
        #expect(stale.book.records.isEmpty && stale.refusals == [.agreeRoleMissing])
        // A plain member of the own domain is no better than a partner.
        #expect(reception(of: content, from: M.x2, at: day(8)).book.records.isEmpty)
        #expect(reception(of: content, from: M.x1, at: day(8)).stages == [.active])
    }

    @Test("a signer whose key is revoked here, unless one who may sign shows it")
    func revokedSigner() throws {
        let content = try shown()
        let key = content.signatories[0].key
        let doubting = reception(of: content) { $0.judge.revoked = [key] }
        #expect(doubting.book.records.isEmpty && doubting.refusals == [.agreeRoleMissing])
        let other = reception(of: content, from: M.x1) { $0.judge.revoked = [key] }
        #expect(other.stages == [.active])
    }

    @Test("the other party's signer needs to have held the role once, and must hold it to offer")
    func otherParty() throws {
        let content = try shown()
        let key = content.signatories[1].key
        #expect(reception(of: content) { $0.judge.revoked = [key] }.stages == [.active])
        var members = Members()
        members.cuts = [(M.x1, M.y1)]
        let contentID = members.offer()
        let offer = try #require(members.all[M.x1].book.record(contentID)).content
        members.all[M.y1].judge.revoked = [members.all[M.x1].key]
        members.all[M.y1].take(.messageArrived(from: members.all[M.x1].node, .shown(offer)), at: day(1))
        #expect(members.all[M.y1].book.records.isEmpty && members.all[M.y1].refusals == [.agreeRoleMissing])
    }

    @Test("a domain that is not accepted here, a clock that runs ahead, a time that is over")
    func circumstances() throws {
        let content = try shown()
        #expect(reception(of: content) { $0.judge.accepted = [domainX] }.refusals == [.domainUnknown])
        #expect(reception(of: content, at: second(86_400 - 301)).refusals == [.clockSkew])
        #expect(reception(of: content, at: second(86_400 - 299)).stages == [.active])
        let offer = DomainAgreement(
            document: Signed(
                body: content.agreement, payload: content.document.payload,
                signatures: Array(content.document.signatures.prefix(1))),
            signatories: Array(content.signatories.prefix(1)))
        #expect(reception(of: offer, from: M.x1, at: day(32)).refusals.contains(.agreementExpired))
    }

    @Test("what is none of this node's, or of who shows it, is dropped unseen")
    func strangers() throws {
        let content = try shown()
        #expect(reception(of: content, from: M.z1).book.records.isEmpty)
        #expect(reception(of: content, from: M.z1).notices.isEmpty)
        var members = Members()
        members.all[M.z1].judge.accepted.append(domainZ)
        members.all[M.z1].take(.messageArrived(from: members.all[M.x1].node, .shown(content)), at: day(2))
        #expect(members.all[M.z1].book.records.isEmpty)
    }

    @Test("a revocation by who was never entitled, or of a third domain; one of before its time counts")
    func revocations() throws {
        var members = Members()
        let contentID = members.agree()
        let content = try #require(members.all[M.x1].book.record(contentID)).content
        func ended(by who: Member, signed: PublicKey? = nil) -> DomainAgreement<TestChain> {
            let body = AgreementRevocation(
                contentID: contentID, revokedBy: who.node, orderedBy: .local, reason: "", revoked: day(2).wall
            )
            let payload = Octets(who.suite.encoded(body))
            return content.ended(
                by: .init(
                    document: Signed(
                        body: body, payload: payload,
                        signatures: [who.suite.signature(by: signed ?? who.key, over: payload)]),
                    signatory: who.judge.own))
        }
        let (x1, x2, y1, z1) = (members.all[M.x1], members.all[M.x2], members.all[M.y1], members.all[M.z1])
        for bad in [ended(by: x2), ended(by: z1), ended(by: x1, signed: y1.key)] {
            members.all[M.y2].take(.messageArrived(from: x1.node, .shown(bad)), at: day(2))
            #expect(members.all[M.y2].stages == [.active])
        }
        // Its credential is over since: the word stands all the same, for it only ends.
        members.change(
            Membership(domain: domainY, roles: [.member], until: day(90).wall), of: M.y2, at: day(9))
        members.change(
            Membership(domain: domainX, roles: [.member], until: day(90).wall), of: M.x2, at: day(9))
        members.all[M.y2].take(.messageArrived(from: x2.node, .shown(ended(by: x1))), at: day(9))
        #expect(members.all[M.y2].stages == [.ended])
    }

    @Test("who left the role or the domain leaves what it signed in force, and signs nothing more")
    func leavers() {
        var members = Members()
        let contentID = members.agree()
        members.change(
            Membership(domain: domainX, roles: [.member], until: day(90).wall), of: M.x1, at: day(2))
        #expect(members.verdict(at: M.x2, of: M.y2, calling: M.x2, at: day(3)) == .permitted(contentID))
        members.offer(at: day(3))
        #expect(members.all[M.x1].lastAnswer == [.agreeRoleMissing])
        members.change(nil, of: M.x2, at: day(4))
        #expect(members.verdict(at: M.y2, of: M.y2, calling: M.x2, at: day(5)).codes == [.agreementMissing])
    }

    @Test("a peer's share of checks: beyond it nothing is looked at, and it is asked again")
    func checks() throws {
        let content = try shown()
        var newcomer = Member(9, of: domainX)
        let peer = Members().all[M.y2]
        newcomer.take(.membershipChanged(newcomer.node, newcomer.membership), at: day(2))
        newcomer.take(.peerTrusted(peer.node), at: day(2))
        newcomer.take(.membershipChanged(peer.node, peer.membership), at: day(2))
        newcomer.judge.accepted = []
        for _ in 0..<100 {
            newcomer.take(.messageArrived(from: peer.node, .shown(content)), at: day(2))
        }
        #expect(newcomer.refusals.count == Limits.signatureChecksPerSecond / 8)
        #expect(newcomer.book.nextDeadline == day(2).instant + AgreementLimits.domainAgreementsPause)
    }

    @Test("with one party no more than so many, offers fewer; what is over makes room")
    func bounds() throws {
        var members = Members()
        for number in 0..<AgreementLimits.domainAgreementsPerParty {
            members.agree(at: second(86_400 + 10 * number))
        }
        let now = second(100_000)
        #expect(members.all[M.x1].book.records.count == AgreementLimits.domainAgreementsPerParty)
        members.offer(at: now)
        #expect(members.all[M.x1].lastAnswer == [.limitReached])
        var offering = Members()
        for number in 0..<AgreementLimits.domainOffersPerParty { offering.offer(at: second(86_400 + number)) }
        offering.offer(at: now)
        #expect(offering.all[M.x1].lastAnswer == [.limitReached])
        offering.revoke(try #require(offering.all[M.x1].book.records.first).contentID, by: M.x1, at: now)
        offering.offer(at: now)
        #expect(offering.all[M.x1].lastAnswer.isEmpty)
        #expect(offering.all[M.x1].book.records.count == AgreementLimits.domainOffersPerParty)
    }

    @Test("what the store holds otherwise than it was signed is found")
    func damage() throws {
        let content = try shown()
        let judge = Members().all[M.x1].judge
        let contentID = content.document.contentID(using: TestSuite())
        let record = DomainAgreementRecord(contentID: contentID, content: content)
        #expect(record.damage(judging: judge, using: TestSuite()) == nil)
        let other = DomainAgreementRecord(contentID: Digest.zero, content: content)
        #expect(other.damage(judging: judge, using: TestSuite())?.code == .documentInvalid)
        var chain = try #require(content.signatories[1].chain)
        chain.domain = domainZ
        let moved = DomainAgreement(
            document: content.document,
            signatories: [content.signatories[0], Signatory(key: content.signatories[1].key, chain: chain)])
        let forged = DomainAgreementRecord(contentID: contentID, content: moved)
        #expect(forged.damage(judging: judge, using: TestSuite())?.code == .partyMismatch)
    }
}
