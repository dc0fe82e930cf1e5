import MeshBase
import Testing

@testable import MeshAgreements

@Suite("House agreements among the members of a domain")
struct HouseBookTests {
    private let house = House()
    private let now = House.moment(10)

    /// Parties that trust each other, the first `members` of them members of the domain.
    private func parties(_ count: UInt8, members: Int) -> [Party] {
        var parties = (1...count).map { Party($0) }
        for one in parties.indices {
            for other in parties.indices where one != other {
                parties[one].take(.peerTrusted(parties[other].node, parties[other].key), at: now)
            }
            for other in 0..<members {
                parties[one].take(.membershipChanged(parties[other].node, house.member()), at: now)
            }
        }
        return parties
    }

    /// Delivers until nobody says anything more.
    private func settle(_ parties: inout [Party], at moment: Moment? = nil) {
        for _ in 0..<20 {
            let said = parties.map { ($0.node, $0.outgoing) }
            for index in parties.indices { parties[index].outgoing = [] }
            guard said.contains(where: { !$0.1.isEmpty }) else { return }
            for (from, messages) in said {
                for (to, message) in messages {
                    guard let index = parties.firstIndex(where: { $0.node == to }) else { continue }
                    parties[index].take(.messageArrived(from: from, message), at: moment ?? now)
                }
            }
        }
        Issue.record("they go on for ever")
    }

    private func link(_ parties: inout [Party], _ one: Int, _ other: Int) {
        let (first, second) = (parties[one].node, parties[other].node)
        parties[one].take(.linkCameUp(second), at: now)
        parties[other].take(.linkCameUp(first), at: now)
    }

    @Test("the one that is made reaches every member, and nobody else")
    func spreads() {
        var parties = parties(4, members: 3)
        settle(&parties)
        parties[0].take(.houseMade(house.document()), at: now)
        settle(&parties)
        for member in 0..<3 { #expect(parties[member].book.house == house.document()) }
        #expect(parties[3].houses.isEmpty && parties[3].book.house == nil)
        #expect(parties[1].houses == [house.document()])
        #expect(parties[1].notices.map(\.action) == [.houseReceived])
    }

    @Test("a newer one takes the place of an older, whichever a node hears of first")
    func newest() {
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] as [[Int64]] {
            var parties = parties(2, members: 2)
            parties[0].outgoing = []
            for version in order {
                let message = AgreementMessage.house(house.document(version))
                parties[0].take(.messageArrived(from: parties[1].node, message), at: now)
            }
            #expect(parties[0].book.house == house.document(3) && parties[0].houses == [house.document(3)])
        }
    }

    @Test("two of one version leave the same one at every member")
    func sameVersion() {
        let (early, late) = (house.document(), house.document(issued: House.start + .seconds(1)))
        for documents in [[early, late], [late, early]] {
            var parties = parties(3, members: 3)
            settle(&parties)
            for (index, document) in documents.enumerated() {
                parties[index].take(.houseMade(document), at: now)
            }
            settle(&parties)
            for party in parties { #expect(party.book.house == late) }
        }
    }

    @Test("who was away gets it with the link, and says no more where both hold the same")
    func link() {
        var parties = parties(2, members: 2)
        settle(&parties)
        parties[0].take(.houseMade(house.document(2)), at: now)
        parties[0].outgoing = []
        link(&parties, 0, 1)
        settle(&parties)
        #expect(parties[1].book.house == house.document(2))
        link(&parties, 0, 1)
        #expect(
            parties[0].outgoing.map(\.1) == [
                .houseHeld(house.document(2).agreement.contentID(using: house.suite))
            ])
    }

    @Test("a member of whom this node learns late gets it then")
    func lateMembership() {
        var parties = parties(2, members: 0)
        parties[0].take(.houseMade(house.document()), at: now)
        parties[0].take(.membershipChanged(parties[0].node, house.member()), at: now)
        parties[0].take(.membershipChanged(parties[1].node, house.member()), at: now)
        settle(&parties)
        #expect(parties[1].book.house == nil)
        parties[1].take(.membershipChanged(parties[1].node, house.member()), at: now)
        parties[1].take(.membershipChanged(parties[0].node, house.member()), at: now)
        settle(&parties)
        #expect(parties[1].book.house == house.document())
    }

    @Test("whoever knows last that both are members, both come to hold the newer one", arguments: [nil, 1])
    func learnsLast(_ behind: Int64?) {
        for holder in [0, 1] {
            var parties = parties(2, members: 0)
            parties[holder].take(.houseMade(house.document(2)), at: now)
            if let behind { parties[1 - holder].take(.houseMade(house.document(behind)), at: now) }
            for index in [0, 1] {
                for node in [parties[index].node, parties[1 - index].node] {
                    parties[index].take(.membershipChanged(node, house.member()), at: now)
                }
                settle(&parties)
            }
            for party in parties { #expect(party.book.house == house.document(2)) }
        }
    }

    @Test("nothing of it is said to, or believed of, who is no member now")
    func outsider() {
        var parties = parties(3, members: 2)
        parties[0].take(.houseMade(house.document()), at: now)
        settle(&parties)
        let outsider = parties[2].node
        for message in [AgreementMessage.houseHeld(nil), .house(house.document(2))] {
            parties[0].take(.messageArrived(from: outsider, message), at: now)
        }
        link(&parties, 0, 2)
        #expect(parties[0].outgoing.isEmpty && parties[0].book.house == house.document())
        // Past the end of the membership, though nobody told of it.
        let later = Moment(instant: now.instant + .seconds(500_001), wall: House.start + .seconds(500_000))
        parties[0].take(.messageArrived(from: parties[1].node, .houseHeld(nil)), at: later)
        parties[0].take(.linkCameUp(parties[1].node), at: later)
        #expect(parties[0].outgoing.isEmpty)
    }

    @Test("what its anchor did not sign, or is of another domain, is none")
    func forged() {
        let other = House(2)
        for document in [
            house.document(2, by: other.anchor), house.document(2, by: other.anchor, under: other.anchor),
            house.document(2, life: .zero),
            house.document(2, life: AgreementLimits.lifeMax + .seconds(1)), other.document(2),
            house.document(2, of: other.domain),
        ] {
            var parties = parties(2, members: 2)
            parties[0].take(.houseMade(house.document()), at: now)
            parties[0].take(.messageArrived(from: parties[1].node, .house(document)), at: now)
            #expect(parties[0].book.house == house.document())
        }
    }

    @Test("says what was wrong with one that an honest member would not have sent")
    func noted() {
        var parties = parties(2, members: 2)
        let document = house.document(2, by: House(2).anchor)
        parties[0].take(.messageArrived(from: parties[1].node, .house(document)), at: now)
        #expect(parties[0].notices.last?.refusals.map(\.code) == [.documentInvalid])
        let ahead = house.document(2, issued: now.wall + .seconds(301))
        parties[0].take(.messageArrived(from: parties[1].node, .house(ahead)), at: now)
        #expect(parties[0].notices.last?.refusals.map(\.code) == [.clockSkew])
        #expect(parties[0].book.house == nil && parties[0].houses.isEmpty)
        let edge = house.document(2, issued: now.wall + .seconds(300))
        parties[0].take(.messageArrived(from: parties[1].node, .house(edge)), at: now)
        #expect(parties[0].book.house == edge)
    }

    @Test("is made anew where it was made while the anchor's clock ran ahead")
    func aheadOfTime() throws {
        let house = House()
        var party = Party(1)
        party.anchor = house.anchor
        let ahead = Moment(instant: now.instant, wall: now.wall + .seconds(365 * 24 * 3_600))
        party.take(.membershipChanged(party.node, house.member()), at: now)
        party.take(.anchorHeld(house.anchor), at: ahead)
        #expect(party.book.house?.body.issued == ahead.wall)
        party.take(.anchorHeld(house.anchor), at: now)
        let made = try #require(party.book.house?.body)
        #expect(made.version == 2 && made.issued == now.wall)
    }

    @Test("is ordered again once a signature of the anchor's key has failed")
    func signingFailed() throws {
        let house = House()
        var party = Party(1)
        party.anchor = house.anchor
        party.holdsSignatures = true
        party.take(.membershipChanged(party.node, house.member()), at: now)
        party.take(.anchorHeld(house.anchor), at: now)
        party.take(.anchorHeld(house.anchor), at: now)
        #expect(party.requests.count == 1)
        party.take(.signingFailed(try #require(party.requests.first).ticket), at: now)
        party.holdsSignatures = false
        party.take(.anchorHeld(house.anchor), at: now)
        #expect(party.book.house?.body.version == 1)
    }

    @Test("one whose permission this build does not know is kept and passed on")
    func unknownPermission() throws {
        let word = try #require(ResourceName("what-later-builds-permit"))
        let later = house.document(2, permits: HouseAgreement.Permission(word))
        var parties = parties(3, members: 3)
        settle(&parties)
        parties[0].take(.houseMade(later), at: now)
        settle(&parties)
        #expect(parties.allSatisfy { $0.book.house == later })
    }

    @Test("is made once where the anchor's key lies, signed by that key, and anew at two thirds of its life")
    func made() throws {
        let house = House()
        var party = Party(1)
        party.anchor = house.anchor
        party.take(.membershipChanged(party.node, house.member()), at: now)
        party.take(.anchorHeld(house.anchor), at: now)
        let first = try #require(party.book.house)
        #expect(first.flaw(using: house.suite) == nil && first.body.version == 1)
        #expect(first.body.until == now.wall + AgreementLimits.houseLife)
        party.take(.anchorHeld(house.anchor), at: now)
        #expect(party.book.house == first && party.houses == [first])
        let wall = now.wall + AgreementLimits.houseLife * 2 / 3
        for (offset, version) in [(Duration.milliseconds(-1), Int64(1)), (.zero, 2)] {
            party.take(.anchorHeld(house.anchor), at: Moment(instant: now.instant, wall: wall + offset))
            #expect(party.book.house?.body.version == version)
        }
    }

    @Test("is made anew after a crash before its signature came, and not twice while it is awaited")
    func awaited() {
        let house = House()
        var party = Party(1)
        party.anchor = house.anchor
        party.holdsSignatures = true
        party.take(.anchorHeld(house.anchor), at: now)
        party.take(.anchorHeld(house.anchor), at: now)
        #expect(party.requests.map(\.hand) == [.anchor] && party.requests.map(\.kind) == [.houseAgreement])
        party.holdsSignatures = false
        party.crash(at: now)
        party.take(.anchorHeld(house.anchor), at: now)
        #expect(party.houses.count == 1)
    }

    @Test("is kept over a restart, so that an older one rolls nobody back")
    func restart() {
        var parties = parties(2, members: 2)
        parties[0].take(.houseMade(house.document(2)), at: now)
        parties[0].crash(at: now)
        for index in 0...1 {
            parties[0].take(.membershipChanged(parties[index].node, house.member()), at: now)
        }
        parties[0].take(.peerTrusted(parties[1].node, parties[1].key), at: now)
        parties[0].take(.messageArrived(from: parties[1].node, .house(house.document(1))), at: now)
        #expect(parties[0].book.house == house.document(2))
    }

    @Test("a member that asks again and again is sent eight at once, and one more each ten seconds")
    func answers() {
        var parties = parties(2, members: 2)
        parties[0].take(.houseMade(house.document()), at: now)
        func answers(at moment: Moment) -> Int {
            parties[0].outgoing = []
            for _ in 0..<50 {
                parties[0].take(.messageArrived(from: parties[1].node, .houseHeld(nil)), at: moment)
            }
            return parties[0].outgoing.count
        }
        #expect(answers(at: now) == 8)
        #expect(answers(at: House.moment(19)) == 0)
        #expect(answers(at: House.moment(20)) == 1)
    }

    @Test("costs no more signature checks than any peer may cause")
    func checks() {
        var parties = parties(2, members: 2)
        let forged = house.document(2, by: House(2).anchor)
        for _ in 0..<300 {
            parties[0].take(.messageArrived(from: parties[1].node, .house(forged)), at: now)
        }
        #expect(parties[0].notices.count == Limits.signatureChecksPerSecond)
    }
}
