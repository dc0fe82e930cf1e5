import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Agreements of domains: how they come about and reach every member")
struct DomainAgreementTests {
    private typealias M = Members

    @Test("one node of each domain signs, and all members of both hold it; nobody else learns of it")
    func reachesMembers() {
        var members = Members()
        let contentID = members.agree()
        for place in [M.x1, M.x2, M.y1, M.y2] {
            #expect(members.all[place].stages == [.active], "\(place)")
            #expect(members.all[place].stored[contentID]?.content.stage == .active)
        }
        #expect(members.all[M.z1].book.records.isEmpty)
        #expect(!members.told.contains { $0.to == M.z1 })
    }

    @Test("an offer goes to who may sign it, and to nobody else")
    func offersAreForSigners() {
        var members = Members()
        members.offer()
        #expect(members.all.map(\.stages) == [[.offered], [], [.offered], [], []])
    }

    @Test("it holds between any two members, this way round, for what it grants")
    func holds() {
        var members = Members()
        #expect(members.verdict(at: M.x2, of: M.y2, calling: M.x2, at: day(1)).codes == [.agreementMissing])
        let contentID = members.agree()
        for decider in [M.x2, M.y2] {
            let permitted = members.verdict(at: decider, of: M.y2, calling: M.x2, at: day(2))
            #expect(permitted == .permitted(contentID))
            let reversed = members.verdict(at: decider, of: M.x2, calling: M.y2, at: day(2))
            #expect(reversed.codes == [.partyMismatch])
            let other = members.verdict(at: decider, of: M.y2, calling: M.x2, name("stock"), at: day(2))
            #expect(other.codes == [.agreementMissing])
            #expect(
                members.verdict(at: decider, of: M.y2, calling: M.x2, at: day(32)).codes
                    .contains(.agreementExpired) == false)
        }
    }

    @Test("it holds for nobody whose credential is over, and not within the margin before its end")
    func endsWithTheCredential() {
        var members = Members()
        let contentID = members.agree()
        let end = day(7)
        func verdict(_ seconds: Int64) -> Verdict {
            let now = Moment(instant: end.instant, wall: end.wall + .seconds(seconds))
            return members.verdict(at: M.x2, of: M.y2, calling: M.x2, at: now)
        }
        #expect(verdict(-5) == .permitted(contentID))
        #expect(verdict(-4).codes == [.partyMismatch])
        #expect(verdict(1).codes == [.agreementMissing])
    }

    @Test("who is of a third domain is refused without a word about it")
    func outsidersLearnNothing() throws {
        var members = Members()
        members.agree()
        let verdict = members.verdict(at: M.x2, of: M.z1, calling: M.x2, at: day(2))
        #expect(verdict.codes == [.agreementMissing])
        guard case .refused(let refusals) = verdict else { return }
        let known = refusals.flatMap(\.facts).contains { $0.value.contains(domainY.description) }
        #expect(!known)
    }

    @Test("a node may be a party beside a domain")
    func nodeAndDomain() {
        var members = Members()
        let z1 = members.all[M.z1].node
        let contentID = members.offer(consumer: .node(z1))
        #expect(members.all[M.z1].stages == [.offered])
        members.all[M.z1].judge.accepted.append(domainZ)
        members.all[M.z1].take(.acceptanceRequested(Ticket(2), contentID), at: day(1))
        members.settle(at: day(1))
        #expect(members.all.map(\.stages) == [[.active], [.active], [], [], [.active]])
        #expect(
            members.verdict(at: M.x2, of: M.z1, calling: M.x2, at: day(2)) == .permitted(contentID))
    }

    @Test("who does not hold the role signs nothing")
    func roleIsNeeded() {
        var members = Members()
        members.offer(by: M.x2)
        #expect(members.all[M.x2].lastAnswer == [.agreeRoleMissing])
        let contentID = members.offer()
        members.all[M.y2].take(.acceptanceRequested(Ticket(2), contentID), at: day(1))
        #expect(members.all[M.y2].lastAnswer == [.nothingFound])
        members.offer(provider: .domain(domainY))
        #expect(members.all[M.x1].lastAnswer == [.partyMismatch])
        members.revoke(members.agree(), by: M.x2, at: day(2))
        #expect(members.all[M.x2].lastAnswer == [.agreeRoleMissing])
    }

    @Test("either party's signer ends it, and every member of both honours it no more", arguments: [0, 2])
    func revocation(_ who: Int) {
        var members = Members()
        let contentID = members.agree()
        members.revoke(contentID, by: who, at: day(2))
        for place in [M.x1, M.x2, M.y1, M.y2] { #expect(members.all[place].stages == [.ended]) }
        for decider in [M.x2, M.y2] {
            let verdict = members.verdict(at: decider, of: M.y2, calling: M.x2, at: day(2))
            #expect(verdict.codes == [.agreementEnded])
        }
        #expect(!members.told.contains { $0.to == M.z1 })
    }

    @Test("a revocation that a member missed comes with its next link, and an older form brings nothing back")
    func revocationIsMadeGood() throws {
        var members = Members()
        let contentID = members.agree()
        members.cuts = [(M.x1, M.x2), (M.y1, M.x2), (M.y2, M.x2)]
        let active = try #require(members.all[M.x2].book.record(contentID)).content
        members.revoke(contentID, by: M.y1, at: day(2))
        #expect(members.all[M.x2].stages == [.active])
        members.reconnect(M.x2, M.y2, at: day(3))
        #expect(members.all[M.x2].stages == [.ended])
        members.all[M.x1].take(
            .messageArrived(from: members.all[M.y1].node, .shown(active)), at: day(3))
        #expect(members.all[M.x1].stages == [.ended])
    }

    @Test("a newcomer gets it with its first link, after the credentials that signed it ran out too")
    func newcomers() {
        var members = Members()
        let contentID = members.agree()
        members.add(Member(6, of: domainX), at: day(2))
        #expect(members.all[5].stages == [.active])
        // Nine days on: who signed holds a later credential, which all know.
        for place in 0..<5 {
            let member = members.all[place]
            let chain = TestChain(
                node: member.node, domain: member.membership!.domain, roles: member.membership!.roles,
                issued: day(6).wall, until: day(20).wall)
            for index in members.all.indices { members.all[index].judge.newest[member.node] = chain }
            members.all[place].judge.own = Signatory(key: member.key, chain: chain)
            members.change(
                Membership(domain: chain.domain, roles: chain.roles, until: chain.until), of: place,
                at: day(6))
        }
        members.add(Member(7, of: domainX, days: 30), at: day(9))
        #expect(members.all[6].book.record(contentID)?.content.stage == .active)
    }

    @Test("a hundred go to a newcomer in portions, within its share of checks, and then all is quiet")
    func portions() {
        var members = Members()
        for number in 0..<40 { members.agree(at: second(86_400 + number)) }
        members.add(Member(6, of: domainX), at: day(2))
        #expect(members.all[5].book.records.count < 40)
        var now = day(2)
        for _ in 0..<20 {
            now = Moment(instant: now.instant + .seconds(3), wall: now.wall + .seconds(3))
            for place in members.all.indices { members.all[place].take(.timeReached, at: now) }
            members.settle(at: now)
        }
        #expect(members.all[5].book.records.count == 40)
        let before = members.told.count
        for place in members.all.indices {
            let later = Moment(instant: now.instant + .seconds(600), wall: now.wall + .seconds(600))
            members.all[place].take(.timeReached, at: later)
        }
        members.settle(at: now)
        #expect(members.told.count == before)
    }

    @Test("a higher version takes the place of the one before at all members")
    func renewal() throws {
        var members = Members()
        let first = members.agree()
        let id = try #require(members.all[M.x1].book.record(first)).agreement.id
        let second = members.agree(replaces: id, at: day(2))
        for place in [M.x1, M.x2, M.y1, M.y2] {
            let book = members.all[place].book
            #expect(book.record(first)?.isOpen == false)
            #expect(book.record(second)?.terms.standing == .active)
            #expect(book.record(second)?.agreement.version == 2)
        }
        #expect(members.verdict(at: M.y2, of: M.y2, calling: M.x2, at: day(3)) == .permitted(second))
        members.revoke(second, by: M.x1, at: day(4))
        #expect(members.all[M.y2].book.record(first)?.terms.standing == .ended)
        members.offer(replaces: id, at: day(5))
        #expect(members.all[M.x1].lastAnswer == [.agreementEnded])
    }

    @Test("no to a renewal leaves the version in force as it is")
    func refusedRenewal() throws {
        var members = Members()
        let first = members.agree()
        let id = try #require(members.all[M.x1].book.record(first)).agreement.id
        let second = members.offer(replaces: id, at: day(2))
        members.revoke(second, by: M.y1, at: day(2))
        #expect(members.all[M.x1].book.record(second)?.content.stage == .withdrawn)
        #expect(members.verdict(at: M.x2, of: M.y2, calling: M.x2, at: day(3)) == .permitted(first))
    }

    @Test("a no and a yes that cross end it at both, whichever comes first")
    func crossing() {
        var members = Members()
        let contentID = members.offer()
        members.cuts = [(M.x1, M.y1), (M.x1, M.y2), (M.x2, M.y1), (M.x2, M.y2)]
        members.all[M.y1].take(.acceptanceRequested(Ticket(2), contentID), at: day(1))
        members.revoke(contentID, by: M.x1, at: day(1))
        #expect(members.all[M.x1].stages == [.withdrawn] && members.all[M.y2].stages == [.active])
        members.reconnect(M.x1, M.y1, at: day(1))
        members.reconnect(M.x2, M.y2, at: day(1))
        for place in [M.x1, M.x2, M.y1, M.y2] { #expect(members.all[place].stages == [.ended], "\(place)") }
    }
}
