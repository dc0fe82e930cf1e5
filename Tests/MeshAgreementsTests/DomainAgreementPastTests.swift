import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Agreements of domains: what is over stays over, and all is told")
struct DomainAgreementPastTests {
    private typealias M = Members

    private func offer(
        _ members: inout Members, provider: AgreementParty = .domain(domainX),
        consumer: AgreementParty = .domain(domainY), _ resources: [String] = ["orders"], life: Int64,
        replaces: AgreementID? = nil, accept place: Int? = Members.y1, at now: Moment
    ) -> Digest {
        let known = members.all[M.x1].book.records.map(\.contentID)
        members.all[M.x1].take(
            .offerRequested(
                Ticket(1),
                DomainOfferRequest(
                    provider: provider, consumer: consumer,
                    grants: resources.map { Grant(resource: name($0), capabilities: nil) },
                    life: .seconds(life), replaces: replaces)), at: now)
        members.settle(at: now)
        let id = members.all[M.x1].book.records.map(\.contentID).first { !known.contains($0) } ?? Digest.zero
        if let place {
            members.all[place].take(.acceptanceRequested(Ticket(2), id), at: now)
            members.settle(at: now)
        }
        return id
    }

    /// All members hold credentials for a long time.
    private func lasting() -> Members {
        var members = Members()
        for place in members.all.indices {
            let member = members.all[place]
            let chain = TestChain(
                node: member.node, domain: member.membership!.domain, roles: member.membership!.roles,
                issued: day(0).wall, until: day(300).wall)
            members.all[place].judge.own = Signatory(key: member.key, chain: chain)
            for index in members.all.indices { members.all[index].judge.newest[member.node] = chain }
            members.change(
                Membership(domain: chain.domain, roles: chain.roles, until: chain.until), of: place,
                at: day(0))
        }
        return members
    }

    @Test("a revoked agreement stays revoked for newcomers, however old the version that was revoked")
    func revokedComesBack() throws {
        var members = lasting()
        let first = offer(&members, life: 200 * 86_400, at: day(1))
        let id = try #require(members.all[M.x1].book.record(first)).agreement.id
        let second = offer(&members, life: 10 * 86_400, replaces: id, at: day(2))
        members.revoke(second, by: M.x1, at: day(3))
        #expect(
            members.verdict(at: M.x2, of: M.y2, calling: M.x2, at: day(20)).codes.contains(.agreementEnded))
        members.add(Member(6, of: domainX, days: 300), at: day(20))
        let verdict = members.verdict(at: 5, of: M.y2, calling: 5, at: day(20))
        #expect(verdict.codes.contains(.agreementEnded), "\(verdict == .permitted(first))")
    }

    @Test("what a shorter and narrower version took away stays away when that one is over, for newcomers too")
    func replacedComesBack() throws {
        var members = lasting()
        let first = offer(&members, ["orders", "payroll"], life: 200 * 86_400, at: day(1))
        let id = try #require(members.all[M.x1].book.record(first)).agreement.id
        _ = offer(&members, ["orders"], life: 10 * 86_400, replaces: id, at: day(2))
        #expect(
            members.verdict(at: M.x2, of: M.y2, calling: M.x2, name("payroll"), at: day(20))
                .codes.contains(.agreementEnded))
        members.add(Member(6, of: domainX, days: 300), at: day(20))
        let verdict = members.verdict(at: 5, of: M.y2, calling: 5, name("payroll"), at: day(20))
        #expect(verdict != .permitted(first))
    }

    @Test("a revocation reaches who renewed without it, even when the version that it names is over")
    func renewedUnheard() throws {
        var members = lasting()
        members.add(Member(6, of: domainX, [.member, .agree], days: 300), at: day(0))
        let first = offer(&members, life: 10 * 86_400, at: day(1))
        let id = try #require(members.all[M.x1].book.record(first)).agreement.id
        members.cuts = members.all.indices.map { (M.x1, $0) }
        members.revoke(first, by: M.x1, at: day(2))
        let renewed = members.offer(replaces: id, by: 5, at: day(3))
        members.all[M.y1].take(.acceptanceRequested(Ticket(2), renewed), at: day(3))
        members.settle(at: day(3))
        #expect(members.verdict(at: 5, of: M.y1, calling: 5, at: day(20)) == .permitted(renewed))
        members.reconnect(M.x1, M.y1, at: day(20))
        for place in [M.x2, M.y1, M.y2, 5] {
            let verdict = members.verdict(at: place, of: M.y1, calling: 5, at: day(20))
            #expect(verdict.codes.contains(.agreementEnded), "at \(place)")
        }
    }

    @Test("offers without end make nobody forget what was revoked, nor take another party's room")
    func offersForgetNothing() throws {
        var members = lasting()
        let first = offer(&members, life: 10 * 86_400, at: day(1))
        let other = offer(
            &members, consumer: .domain(domainZ), life: 10 * 86_400, accept: nil, at: day(1))
        members.revoke(first, by: M.x1, at: day(2))
        for number in 0..<3 * AgreementLimits.domainOffersPerParty {
            members.offer(
                provider: .domain(domainY), consumer: .domain(domainX), by: M.y1,
                at: second(20 * 86_400 + 10 * number))
        }
        let held = members.all[M.x1].book
        #expect(held.record(first)?.content.stage == .ended && held.record(other) != nil)
        let offers = held.records.count { !$0.content.stage.isSignedByBoth && $0.contentID != other }
        #expect(offers == AgreementLimits.domainOffersPerParty)
    }

    @Test("twenty that are over do not keep a newcomer from twenty others, and all is quiet then")
    func starvation() throws {
        var members = lasting()
        for number in 0..<20 { _ = offer(&members, life: 3_600, at: second(86_400 + number)) }
        for number in 0..<20 { _ = offer(&members, life: 200 * 86_400, at: second(86_500 + number)) }
        members.add(Member(6, of: domainX, days: 300), at: day(20))
        var now = day(20)
        var counts: [Int] = []
        for _ in 0..<100 {
            now = Moment(instant: now.instant + .seconds(3), wall: now.wall + .seconds(3))
            for place in members.all.indices { members.all[place].take(.timeReached, at: now) }
            members.settle(at: now)
            counts.append(members.told.count)
        }
        let held = members.all[5].book.records.count
        #expect(held == 20, "held \(held), refused \(members.all[5].refusals.count)")
        #expect(counts[99] == counts[60], "messages \(counts[60]) then \(counts[99])")
    }

    @Test("no node signs for both parties")
    func bothSides() throws {
        var members = lasting()
        let x1 = members.all[M.x1].node
        let id = offer(
            &members, provider: .node(x1), consumer: .domain(domainX), life: 86_400, accept: M.x1, at: day(1))
        let record = try #require(members.all[M.x1].book.record(id))
        let signers = record.content.document.signatures.map(\.signer)
        #expect(
            record.content.stage == .offered || Set(signers).count == 2,
            "\(record.content.stage) \(members.all[M.x2].stages)")
    }

    @Test("a third domain's list is answered alike whatever is held")
    func oracle() throws {
        var members = lasting()
        let id = offer(&members, life: 200 * 86_400, at: day(1))
        let z1 = members.all[M.z1].node
        func answers(_ id: Digest) -> Int {
            members.all[M.x1].outgoing = []
            let list = DomainAgreementList(marks: [.init(contentID: id, stage: .active)], isQuestion: true)
            members.all[M.x1].take(.messageArrived(from: z1, .held(list)), at: day(2))
            return members.all[M.x1].outgoing.count { $0.0 == z1 }
        }
        #expect(answers(id) == answers(Digest.zero))
    }

    @Test("an offer whose maker may sign no more is not accepted")
    func staleOffer() throws {
        var members = lasting()
        let id = offer(&members, life: 200 * 86_400, accept: nil, at: day(1))
        for place in members.all.indices { members.all[place].judge.revoked = [members.all[M.x1].key] }
        members.all[M.y1].take(.acceptanceRequested(Ticket(2), id), at: day(2))
        members.settle(at: day(2))
        let here = members.all[M.y1].stages
        #expect(here == members.all[M.x2].stages || here == [.offered], "\(here) \(members.all[M.x2].stages)")
    }

    @Test("an agreement that is over shows no resource")
    func expiredResource() throws {
        var members = lasting()
        _ = offer(&members, life: 3_600, at: day(1))
        let names = members.all[M.x2].book.resourcesGranted(to: members.all[M.y2].node, at: day(20).wall)
        #expect(names.isEmpty)
    }

    @Test("making room for others brings no older version back")
    func eviction() throws {
        var members = lasting()
        let first = offer(&members, ["orders", "payroll"], life: 200 * 86_400, at: day(1))
        let id = try #require(members.all[M.x1].book.record(first)).agreement.id
        _ = offer(&members, ["orders"], life: 10 * 86_400, replaces: id, at: day(2))
        for number in 0..<63 {
            _ = offer(&members, life: 200 * 86_400, at: second(20 * 86_400 + number * 10))
        }
        #expect(
            members.verdict(at: M.x2, of: M.y2, calling: M.x2, name("payroll"), at: day(21))
                != .permitted(first))
    }
}
