import MeshAgreements
import MeshAudit
import MeshBase
import MeshGossip
import MeshSimulator
import Testing

@testable import MeshNode

@Suite("Drift between two nodes")
struct DriftTests {
    private func pair() -> NodeTable {
        var table = NodeTable("atlas", "borea")
        table.join(1)
        table.pass(.seconds(5))
        return table
    }

    private func events(_ table: NodeTable, _ place: Int, _ action: String) -> [AuditEvent] {
        table.places[place].events.filter { $0.action == action }
    }

    private func active(_ table: NodeTable, _ place: Int) -> [Digest] {
        table.places[place].node.agreements.records.filter {
            if case .active = $0.state { return true }
            return false
        }.map(\.contentID)
    }

    @Test("is none while all goes its way, and none when much changes at once")
    func none() {
        var table = pair()
        for round in 0..<10 {
            for place in 0...1 {
                let request = OfferRequest(
                    peer: table.id(1 - place), grants: [Grant(resource: .echo, capabilities: nil)],
                    life: .seconds(7_200 + round))
                table.command(place, .offer(request))
            }
            table.pass(.milliseconds(700))
        }
        table.pass(.seconds(30))
        for place in 0...1 {
            #expect(events(table, place, "drift").isEmpty)
            #expect(table.places[place].node.drift(with: table.id(1 - place)) == nil)
        }
    }

    @Test("a difference ends with the agreement that it is about")
    func ended() throws {
        var table = pair()
        let request = OfferRequest(
            peer: table.id(1), grants: [Grant(resource: .echo, capabilities: nil)], life: .seconds(900))
        table.command(0, .offer(request))
        table.pass(.seconds(5))
        let short = try #require(
            table.places[0].node.agreements.records.first {
                $0.agreement.validUntil - $0.agreement.created < .seconds(1_000)
            }
        ).contentID
        table.places[0].shelf.agreements[short] = nil
        table.restart(0)
        table.pass(.seconds(6))
        for place in 0...1 { #expect(table.places[place].node.drift(with: table.id(1 - place)) != nil) }
        table.pass(.seconds(900))
        #expect(table.isLinked(0, 1))
        for place in 0...1 {
            #expect(table.places[place].node.drift(with: table.id(1 - place)) == nil)
            #expect(events(table, place, "drift over").count == 1)
        }
    }

    @Test("one side forgets an agreement: both say so within two pings of the next link, and what each has")
    func forgotten() throws {
        var table = pair()
        let lost = try #require(active(table, 0).first)
        table.places[0].shelf.agreements[lost] = nil
        table.restart(0)
        table.pass(.seconds(6))
        #expect(table.isLinked(0, 1))
        for place in 0...1 {
            let drift = try #require(table.places[place].node.drift(with: table.id(1 - place)))
            let difference = try #require(drift.differences.first { $0.subject.hasPrefix("agreement ") })
            let (has, lacks) =
                place == 0 ? (difference.there, difference.here) : (difference.here, difference.there)
            #expect(
                has.contains("v1 until ") && has.contains(", active, content \(lost.description.prefix(12))"))
            #expect(lacks == "nothing")
            let event = try #require(events(table, place, "drift").first)
            #expect(event.metadata.contains { $0.value == difference.subject })
            let next = "comity explain peer \(table.places[1 - place].name)"
            #expect(event.metadata.last == Fact("next", next))
        }
    }

    @Test("one side's store was changed: it refuses that with its digest, and both say within two pings why")
    func changed() throws {
        var table = pair()
        let kept = try #require(
            table.places[0].node.agreements.records.first {
                if case .active = $0.state { true } else { false }
            })
        let document = Signed(
            body: kept.agreement, payload: Octets(kept.document.payload.bytes + [32]),
            signatures: kept.document.signatures)
        table.places[0].shelf.agreements[kept.contentID] = AgreementRecord(
            contentID: kept.contentID, peer: kept.peer, document: document, state: kept.state,
            origin: kept.origin)
        table.restart(0)
        table.pass(.seconds(6))
        #expect(table.isLinked(0, 1))
        let event = try #require(events(table, 0, "agreement set aside as damaged").first)
        let digest = document.contentID(using: SimulatedSuite())
        #expect(event.refusals.flatMap(\.facts).contains(Fact("digest", digest)))
        #expect(event.refusals.flatMap(\.facts).contains(Fact("content id", kept.contentID)))
        let content = "content \(kept.contentID.description.prefix(12))"
        for place in 0...1 {
            let drift = try #require(table.places[place].node.drift(with: table.id(1 - place)))
            let difference = try #require(drift.differences.first)
            #expect(difference.subject.hasPrefix("agreement \(kept.agreement.id)"))
            let (sound, changed) =
                place == 0 ? (difference.there, difference.here) : (difference.here, difference.there)
            #expect(sound.hasSuffix(", active, \(content)"))
            #expect(changed == "v1, damaged in the store and not honoured, \(content)")
            #expect(events(table, place, "drift").count == 1)
            // What is refused between the two names it, at either side.
            let named = table.places[place].view?.damaged[table.id(1 - place)]?.map(\.code)
            #expect(named == [.documentInvalid])
        }
    }

    @Test("is told once for each mismatch, and not again with each ping")
    func once() throws {
        var table = pair()
        let lost = try #require(active(table, 0).first)
        table.places[0].shelf.agreements[lost] = nil
        table.restart(0)
        table.pass(.seconds(10))
        for place in 0...1 { table.places[place].effects = [] }
        table.pass(.seconds(120))
        for place in 0...1 {
            #expect(events(table, place, "drift").count == 1)
            let told = table.places[place].effects.contains {
                if case .send(_, .beliefs) = $0 { return true }
                return false
            }
            #expect(!told, "\(table.places[place].name) goes on telling")
        }
    }

    private func tells(_ table: NodeTable, _ place: Int) -> Bool {
        table.places[place].effects.contains {
            if case .send(_, .beliefs) = $0 { true } else { false }
        }
    }

    @Test("a report that was lost with its connection is told again over the one that replaces it")
    func replaced() throws {
        var table = pair()
        let lost = try #require(active(table, 0).first)
        table.places[0].shelf.agreements[lost] = nil
        table.restart(0)
        for place in 0...1 { table.places[place].effects = [] }
        var told: Int?
        for _ in 0..<10_000 where told == nil {
            table.pass(.milliseconds(1))
            told = (0...1).first { tells(table, $0) }
        }
        let first = try #require(told)
        let other = 1 - first
        try #require(!tells(table, other))
        // The other end breaks off before the report comes, and dials anew.
        table.places[first].effects = []
        let broken = try #require(table.places[other].links[table.id(first)])
        table.places[other].ends[broken] = nil
        table.tell(other, .connectionClosed(broken))
        table.pass(.seconds(30))
        #expect(!table.places[first].effects.contains(.linkDown(table.id(other))), "it saw a link end")
        for place in 0...1 { #expect(table.places[place].node.drift(with: table.id(1 - place)) != nil) }
    }

    @Test("is over on both sides once both hold the same again")
    func over() throws {
        var table = pair()
        let lost = try #require(active(table, 0).first)
        let record = table.places[0].shelf.agreements[lost]
        table.places[0].shelf.agreements[lost] = nil
        table.restart(0)
        table.pass(.seconds(6))
        table.places[0].shelf.agreements[lost] = record
        table.restart(0)
        table.pass(.seconds(8))
        #expect(events(table, 1, "drift over").count == 1)
        for place in 0...1 {
            #expect(table.places[place].node.drift(with: table.id(1 - place)) == nil)
        }
    }

    @Test("a report is of the two alone")
    func ofTheTwoAlone() throws {
        var table = NodeTable("atlas", "borea", "celia")
        table.join(1)
        table.join(2)
        let others = Set(
            table.places[0].node.agreements.records(with: table.id(2)).map(\.contentID))
        #expect(!others.isEmpty)
        let lost = try #require(table.places[0].node.agreements.records(with: table.id(1)).first?.contentID)
        table.places[0].shelf.agreements[lost] = nil
        table.restart(0)
        table.places[0].effects = []
        table.pass(.seconds(8))
        var reports = 0
        for case .send(_, .beliefs(let report)) in table.places[0].effects {
            reports += 1
            #expect(report.beliefs.agreements.allSatisfy { !others.contains($0.contentID) })
        }
        #expect(reports > 0)
        #expect(table.places[2].node.drift(with: table.id(0)) == nil)
    }

    @Test("nor does it speak of what is damaged and was agreed with another")
    func damagedWithAnother() throws {
        var table = NodeTable("atlas", "borea", "celia")
        table.join(1)
        table.join(2)
        let kept = try #require(table.places[0].node.agreements.records(with: table.id(2)).first)
        table.places[0].shelf.agreements[kept.contentID] = AgreementRecord(
            contentID: kept.contentID, peer: kept.peer,
            document: Signed(
                body: kept.agreement, payload: Octets(kept.document.payload.bytes + [32]),
                signatures: kept.document.signatures),
            state: kept.state, origin: kept.origin)
        let lost = try #require(table.places[0].node.agreements.records(with: table.id(1)).first?.contentID)
        table.places[0].shelf.agreements[lost] = nil
        table.restart(0)
        table.places[0].effects = []
        table.pass(.seconds(8))
        #expect(table.places[0].node.agreements.damaged.map(\.contentID) == [kept.contentID])
        var told: [NodeID: Int] = [:]
        for case .send(let connection, .beliefs(let report)) in table.places[0].effects {
            let peer = try #require(table.places[0].links.first { $0.value == connection }?.key)
            told[peer, default: 0] += 1
            let isNamed = report.beliefs.agreements.contains { $0.contentID == kept.contentID }
            #expect(isNamed == (peer == table.id(2)))
        }
        #expect(told.keys.sorted() == [table.id(1), table.id(2)].sorted())
    }

    @Test("an agreement that runs out changes the mark by itself")
    func runsOut() throws {
        let table = pair()
        let wall = table.now.wall
        let until = try #require(
            table.places[0].node.agreements.records(with: table.id(1)).filter(\.isOpen)
                .map(\.agreement.validUntil).min())
        var node = table.places[0].node
        let before = node.mark(about: table.id(1), at: wall)
        #expect(node.mark(about: table.id(1), at: until - .milliseconds(1)) == before)
        #expect(node.mark(about: table.id(1), at: until) != before)
    }

    @Test("the mark tells an offer from the same agreement in force")
    func standing() throws {
        let table = pair()
        let record = try #require(
            table.places[0].node.agreements.records.first {
                if case .active = $0.state { true } else { false }
            })
        let offer = AgreementRecord(
            contentID: record.contentID, peer: record.peer, document: record.document, state: .offered,
            origin: record.origin)
        let marks = [record, offer].map {
            OpenAgreements([$0], at: table.now.wall, using: SimulatedSuite()).digest
        }
        #expect(marks[0] != marks[1])
    }
}
