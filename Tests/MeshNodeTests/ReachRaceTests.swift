import MeshBase
import MeshDiscovery
import MeshSimulator
import MeshTrust
import Testing

@testable import MeshNode

@Suite("A proof of reach outlives the link on which it began")
struct ReachRaceTests {
    private func linked() -> NodeTable {
        var table = NodeTable("a", "b")
        table.join(1)
        return table
    }

    private func findings(_ table: NodeTable, _ place: Int, _ ticket: Ticket) -> ReachFindings? {
        if case .reached(let findings) = table.places[place].answers[ticket] { findings } else { nil }
    }

    private func wasDown(_ table: NodeTable, _ place: Int) -> Bool {
        table.places[place].effects.contains { if case .linkDown = $0 { true } else { false } }
    }

    private func dials(of table: NodeTable, _ place: Int) -> Int {
        table.places[place].effects.count { if case .dial = $0 { true } else { false } }
    }

    /// That both dialled, and each was answered.
    private func expectBoth(_ found: ReachFindings?, _ table: NodeTable, asker: Int, _ comment: Comment) {
        let (here, there) = (table.places[asker].endpoint, table.places[1 - asker].endpoint)
        #expect(found?.inbound == [ReachAttempt(endpoint: here, because: nil)], comment)
        #expect(found?.outbound == [ReachAttempt(endpoint: there, because: nil)], comment)
    }

    /// `place` loses its end of the link, of which the other end hears nothing.
    private func lose(_ place: Int, in table: inout NodeTable) throws {
        let link = try #require(table.places[place].links[table.id(1 - place)])
        table.places[place].ends[link] = nil
        table.tell(place, .connectionClosed(link))
    }

    @Test("whenever it is asked while another connection replaces the link, both dial once and say so")
    func replaced() throws {
        let fresh = linked()
        let dialler = fresh.id(0) < fresh.id(1) ? 0 : 1
        let second = ConnectionID(9_000)
        for asker in 0...1 {
            for step in 0..<60 {
                var table = fresh
                let before = table.places[dialler].links[table.id(1 - dialler)]
                let there = table.places[1 - dialler].endpoint
                table.places[dialler].node.connections[second] = .dialled(
                    DialTarget(node: table.id(1 - dialler), endpoint: there))
                table.perform([.dial(second, there, .peering)], at: dialler)
                table.pass(.microseconds(250 * step))
                let dialsBefore = dials(of: table, 1 - asker)
                let ticket = table.command(asker, .proveReach(table.id(1 - asker)))
                table.pass(.seconds(3))
                let comment = Comment("asked by \(asker) after \(250 * step) us")
                #expect(before != second && table.places[dialler].links[table.id(1 - dialler)] == second)
                #expect(table.isLinked(0, 1) && !wasDown(table, 0) && !wasDown(table, 1), comment)
                expectBoth(findings(table, asker, ticket), table, asker: asker, comment)
                #expect(dials(of: table, 1 - asker) == dialsBefore + 1, comment)
            }
        }
    }

    @Test("a question that only the asker's end of a dead link carried is asked over the next link")
    func questionLost() throws {
        var table = linked()
        table.pass(.seconds(10))
        try lose(0, in: &table)
        let ticket = table.command(1, .proveReach(table.id(0)))
        table.pass(.seconds(3))
        #expect(wasDown(table, 0) && !wasDown(table, 1))
        expectBoth(findings(table, 1, ticket), table, asker: 1, "the question was lost")
    }

    @Test("an answer that found no link is said again when the question comes again, without a dial")
    func answerLost() throws {
        var table = linked()
        table.pass(.seconds(10))
        let before = dials(of: table, 0)
        let ticket = table.command(1, .proveReach(table.id(0)))
        table.pass(.milliseconds(2))
        #expect(dials(of: table, 0) == before + 1)
        table.cuts = [(0, 1)]
        try lose(0, in: &table)
        table.pass(.milliseconds(100))
        #expect(table.places[0].node.reach.rounds.isEmpty && findings(table, 1, ticket) == nil)
        table.cuts = []
        let probes = probes(of: table, 0)
        table.pass(.seconds(4))
        expectBoth(findings(table, 1, ticket), table, asker: 1, "the answer was lost")
        #expect(self.probes(of: table, 0) == probes)
    }

    /// How many connections this place made that were none of a link: each ends with a close for no reason.
    private func probes(of table: NodeTable, _ place: Int) -> Int {
        table.places[place].effects.count { if case .close(_, nil) = $0 { true } else { false } }
    }

    @Test("who is asked before it heard where the asker listens waits for that, as long as for a dial")
    func askedTooEarly() throws {
        for isTold in [true, false] {
            var table = linked()
            let link = try #require(table.places[1].links[table.id(0)])
            table.places[1].node.reach.linkEnded(with: table.id(0))
            let ticket = table.command(0, .proveReach(table.id(1)))
            table.pass(.seconds(1))
            #expect(findings(table, 0, ticket) == nil)
            let place = table.places[0].endpoint
            if isTold {
                let notice = ListeningNotice(port: place.port, advertised: [])
                table.tell(1, .documentArrived(link, .listening(notice)))
                table.pass(.seconds(1))
            } else {
                table.pass(ReachBook.patience)
            }
            let found = try #require(findings(table, 0, ticket))
            #expect(found.inbound == (isTold ? [ReachAttempt(endpoint: place, because: nil)] : []))
            #expect(found.outbound.map(\.because) == [nil])
            #expect(table.places.allSatisfy { $0.node.reach.rounds.isEmpty })
        }
    }

    @Test("a proof whose dials are out ends with their end and the answer, though what was told is forgotten")
    func linkEnded() throws {
        var table = linked()
        table.pass(.seconds(10))
        let ticket = table.command(0, .proveReach(table.id(1)))
        table.places[0].node.reach.linkEnded(with: table.id(1))
        table.pass(.seconds(1))
        expectBoth(findings(table, 0, ticket), table, asker: 0, "the link ended")
    }

    @Test("a question that comes again costs no dial, and what it was answered is kept for ten seconds")
    func kept() {
        var book = ReachBook()
        let (peer, other) = (SimulatedKey(1).node, SimulatedKey(2).node)
        let attempt = ReachAttempt(endpoint: Endpoint(host: "192.0.2.1", port: 7410), because: nil)
        func ask(_ number: Int64, of peer: NodeID, after time: Duration) -> ReachBook.Response {
            book.take(ReachRequest(number: number), of: peer, at: Instant(nanoseconds: 1) + time)
        }
        #expect(ask(1, of: peer, after: .zero) == .dial)
        #expect(ask(1, of: peer, after: .seconds(1)) == .wait)
        book.keep(ReachAnswer(number: 7, attempts: [attempt]), to: peer)
        #expect(ask(1, of: peer, after: .seconds(1)) == .wait)
        book.keep(ReachAnswer(number: 1, attempts: [attempt]), to: peer)
        #expect(ask(1, of: peer, after: .seconds(9)) == .say([attempt]))
        #expect(ask(2, of: peer, after: .seconds(9)) == .say([]))
        #expect(ask(2, of: peer, after: .seconds(10)) == .dial)
        #expect(ask(1, of: other, after: .seconds(15)) == .dial && book.asked.count == 2)
        #expect(ask(1, of: other, after: .seconds(21)) == .wait && book.asked.keys == [other])
        book.keep(ReachAnswer(number: 1, attempts: [attempt]), to: other)
        book.forget(other)
        #expect(ask(1, of: other, after: .seconds(22)) == .say([]))
        #expect(ask(2, of: other, after: .seconds(22)) == .say([]))
    }

    @Test("what a peer was answered is forgotten with the trust in it, and not that it asked")
    func forgotten() {
        var table = linked()
        table.command(1, .proveReach(table.id(0)))
        table.pass(.seconds(1))
        #expect(table.places[0].node.reach.asked.keys == [table.id(1)])
        table.command(0, .decide(table.id(1), .suspend, note: "test"))
        #expect(table.places[0].node.reach.asked[table.id(1)]?.answer == [])
    }
}
