import MeshBase
import MeshSimulator
import MeshTrust
import Testing

@testable import MeshNode

@Suite("Who reaches whom is proved by dialling")
struct ReachTests {
    private func linked() -> NodeTable {
        var table = NodeTable("a", "b", "c")
        table.join(1)
        return table
    }

    private func findings(_ table: NodeTable, _ place: Int, _ ticket: Ticket) -> ReachFindings? {
        if case .reached(let findings) = table.places[place].answers[ticket] { findings } else { nil }
    }

    private func dials(of table: NodeTable, _ place: Int) -> [Endpoint] {
        table.places[place].effects.compactMap { effect in
            if case .dial(_, let endpoint, _) = effect { endpoint } else { nil }
        }
    }

    @Test("each dials where the other says it listens, and no link is touched")
    func bothWays() throws {
        for asker in 0...1 {
            var table = linked()
            let links = table.places.map(\.links)
            let ticket = table.command(asker, .proveReach(table.id(1 - asker)))
            table.pass(.seconds(1))
            let found = try #require(findings(table, asker, ticket))
            #expect(
                found.inbound == [ReachAttempt(endpoint: table.places[asker].endpoint, because: nil)])
            #expect(
                found.outbound == [ReachAttempt(endpoint: table.places[1 - asker].endpoint, because: nil)])
            #expect(table.places.map(\.links) == links)
            #expect(table.places.allSatisfy { $0.node.reach.rounds.isEmpty })
        }
    }

    @Test("a place where nobody answers, or somebody else, is said as such")
    func notThere() throws {
        var table = linked()
        let link = try #require(table.places[0].links[table.id(1)])
        let nowhere = Endpoint(host: "203.0.113.7", port: 7410)
        let notice = ListeningNotice(port: 7410, advertised: [nowhere, table.places[2].endpoint])
        table.tell(0, .documentArrived(link, .listening(notice)))
        let ticket = table.command(0, .proveReach(table.id(1)))
        table.pass(.seconds(1))
        let found = try #require(findings(table, 0, ticket)).outbound
        func reason(at endpoint: Endpoint) -> RefusalCode?? {
            found.first { $0.endpoint == endpoint }.map(\.because)
        }
        #expect(reason(at: table.places[1].endpoint) == .some(nil))
        #expect(reason(at: nowhere) == .peerUnreachable)
        #expect(reason(at: table.places[2].endpoint) == .identityMismatch)
        #expect(found.count == 3)
    }

    @Test("a peer has a node dial once in ten seconds, and only where that peer says that it listens")
    func rate() throws {
        var table = linked()
        let connection = try #require(table.places[1].links[table.id(0)])
        table.pass(.seconds(10))
        let before = dials(of: table, 1).count
        for number in 1...20 {
            table.tell(1, .documentArrived(connection, .reachRequest(ReachRequest(number: Int64(number)))))
        }
        table.pass(ReachBook.interval - .milliseconds(1))
        #expect(Array(dials(of: table, 1).dropFirst(before)) == [table.places[0].endpoint])
        let answers = table.places[1].effects.compactMap { effect in
            if case .send(_, .reachAnswer(let answer)) = effect { answer } else { nil }
        }
        #expect(answers.count == 20 && answers.filter { !$0.attempts.isEmpty }.map(\.number) == [1])
        table.pass(.milliseconds(1))
        table.tell(1, .documentArrived(connection, .reachRequest(ReachRequest(number: 21))))
        table.pass(.seconds(1))
        #expect(dials(of: table, 1).count == before + 2)
    }

    @Test("sixteen proofs are under way at once, and not one more")
    func rounds() {
        var book = ReachBook()
        for number in 1...ReachBook.roundsMax {
            let response = book.take(
                ReachRequest(number: 1), of: SimulatedKey(UInt64(number)).node, at: Instant(nanoseconds: 1))
            #expect(response == .dial)
            book.rounds[Int64(number)] = ReachBook.Round(
                peer: SimulatedKey(UInt64(number)).node, purpose: .asked(number: 1),
                deadline: Instant(nanoseconds: 2))
        }
        let beyond = book.take(
            ReachRequest(number: 1), of: SimulatedKey(99).node, at: Instant(nanoseconds: 1))
        #expect(beyond == .say([]))
        var table = linked()
        table.places[0].node.reach = book
        let ticket = table.command(0, .proveReach(table.id(1)))
        guard case .refused(let reasons) = table.places[0].answers[ticket] else {
            return #expect(Bool(false), "it was not refused")
        }
        #expect(reasons.map(\.code) == [.limitReached])
    }

    @Test("a peer that does not answer is not waited for, nor is one without a link asked")
    func silent() throws {
        var table = linked()
        table.cuts = [(0, 1)]
        let ticket = table.command(0, .proveReach(table.id(1)))
        table.pass(ReachBook.patience)
        let found = try #require(findings(table, 0, ticket))
        #expect(found.inbound.isEmpty && found.outbound.map(\.because) == [.peerUnreachable])
        let stranger = table.command(0, .proveReach(table.id(2)))
        guard case .refused(let reasons) = table.places[0].answers[stranger] else {
            return #expect(Bool(false), "it was not refused")
        }
        #expect(reasons.map(\.code) == [.peerUnreachable])
    }

    @Test("who has not said yet where it listens is waited for, and when it does not, nobody is dialled")
    func tooEarly() throws {
        for isTold in [true, false] {
            var table = linked()
            let link = try #require(table.places[0].links[table.id(1)])
            table.places[0].node.reach.linkEnded(with: table.id(1))
            let ticket = table.command(0, .proveReach(table.id(1)))
            table.pass(.seconds(1))
            #expect(findings(table, 0, ticket) == nil)
            let place = table.places[1].endpoint
            if isTold {
                let notice = ListeningNotice(port: place.port, advertised: [])
                table.tell(0, .documentArrived(link, .listening(notice)))
                table.pass(.seconds(1))
            } else {
                table.pass(ReachBook.patience)
            }
            let found = try #require(findings(table, 0, ticket))
            #expect(found.inbound.map(\.endpoint) == [table.places[0].endpoint])
            #expect(found.outbound == (isTold ? [ReachAttempt(endpoint: place, because: nil)] : []))
            #expect(table.places[0].node.reach.rounds.isEmpty)
        }
    }

    @Test("an answer that was not asked for, of another peer or twice, counts nothing")
    func unasked() throws {
        var table = linked()
        let link = try #require(table.places[0].links[table.id(1)])
        let lie = ReachAnswer(number: 7, attempts: [])
        table.tell(0, .documentArrived(link, .reachAnswer(lie)))
        var book = ReachBook()
        book.rounds[7] = ReachBook.Round(
            peer: table.id(1), purpose: .own(Ticket(1)), deadline: Instant(nanoseconds: 2))
        let ofAnother = book.hear(lie, from: table.id(2))
        let many = Array(
            repeating: ReachAttempt(endpoint: table.places[0].endpoint, because: nil), count: 40)
        let first = book.hear(ReachAnswer(number: 7, attempts: many), from: table.id(1))
        let second = book.hear(lie, from: table.id(1))
        #expect(ofAnother == nil && first == 7 && second == nil)
        #expect(book.rounds[7]?.inbound?.count == ReachBook.placesMax)
    }

    @Test("two nodes that pair by words have a link, dialled by who dialled to pair")
    func linkAfterWords() throws {
        var table = NodeTable("a", "b")
        for place in 0...1 {
            table.command(
                place, .pair(.open(PairingSeed(Octets(Array(repeating: UInt8(place + 1), count: 32))))))
        }
        table.command(0, .pair(.dial([table.places[1].endpoint])))
        table.pass(.seconds(1))
        for place in 0...1 {
            let words = try #require(table.places[place].node.trust.words.window?.trial?.words)
            table.command(place, .pair(.answer(words, .yes)))
        }
        table.pass(.seconds(3))
        #expect(table.isLinked(0, 1))
        #expect(table.places[0].shelf.endpoints.map(\.endpoint) == [table.places[1].endpoint])
        #expect(
            table.places[0].events.contains { $0.action == "pairing by words" })
    }
}
