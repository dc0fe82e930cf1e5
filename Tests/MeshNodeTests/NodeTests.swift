import MeshAgreements
import MeshAudit
import MeshBase
import MeshDiscovery
import MeshSimulator
import MeshTrust
import Testing

@testable import MeshGossip
@testable import MeshNode

@Suite("Two nodes")
struct NodeTests {
    private func pair() -> NodeTable {
        var table = NodeTable("atlas", "borea")
        table.join(1)
        return table
    }

    private func described(_ name: String, path: String = "/") -> LocalResource {
        let capability = Capability(
            name: ResourceName("read")!, methods: ["GET"], path: path, safety: .safe)
        return LocalResource(
            description: ResourceDescription(
                name: ResourceName(name)!, protocol: .http, capabilities: [capability], labels: []),
            url: "http://127.0.0.1:8080", timeoutInMilliseconds: nil)
    }

    private func actions(_ table: NodeTable, _ place: Int) -> [String] {
        table.places[place].events.map(\.action)
    }

    // MARK: Coming together

    @Test("that pair by an invite trust each other, link up, and may call each other's echo")
    func joined() throws {
        let table = pair()
        #expect(table.places[1].answers.values.contains(.joined(table.id(0))))
        for (here, there) in [(0, 1), (1, 0)] {
            let place = table.places[here]
            #expect(place.node.trust.pins.isTrusted(table.id(there)))
            #expect(table.isLinked(here, there))
            let view = try #require(place.view)
            #expect(view.peers[table.id(there)]?.trust == .trusted)
            #expect(view.peers[table.id(there)]?.link == .up)
            let standings = view.agreements[table.id(there)]?.terms.map(\.standing)
            #expect(standings == [.active, .active], "one echo each way")
            #expect(view.descriptions[table.id(there)]?.keys == [.echo])
            #expect(view == place.node.callView(at: table.now))
        }
    }

    @Test("say nothing but pings while nothing changes")
    func quiet() {
        var table = pair()
        table.pass(.seconds(5))
        for place in 0...1 { table.places[place].effects = [] }
        table.pass(.seconds(60))
        for place in table.places {
            let loud = place.effects.filter { effect in
                if case .ping = effect { return false }
                return true
            }
            #expect(loud.isEmpty, "\(place.name): \(loud)")
        }
        #expect(table.isLinked(0, 1))
    }

    @Test("find each other again after a connection was cut, by pings alone")
    func silence() {
        var table = pair()
        table.cuts = [(0, 1)]
        table.pass(.seconds(6))
        #expect(table.places.allSatisfy { $0.links.isEmpty })
        #expect(table.places[0].view?.peers[table.id(1)]?.link == .dialling)
        table.cuts = []
        table.pass(.seconds(20))
        #expect(table.isLinked(0, 1))
    }

    @Test("go on where they were after a restart, with no help from an operator", arguments: [0, 1])
    func restart(place: Int) {
        var table = pair()
        table.command(place, .addResource(described("ledger")))
        offer("ledger", from: place, to: 1 - place, in: &table)
        table.pass(.seconds(2))
        let before = table.places[place].view
        table.restart(place)
        #expect(table.places[place].view?.agreements == before?.agreements)
        #expect(table.places[place].view?.resources == before?.resources)
        #expect(table.places[place].view?.descriptions == before?.descriptions)
        table.pass(.seconds(20))
        #expect(table.isLinked(0, 1))
        #expect(table.places[place].view == before)
        table.restart(1 - place)
        table.pass(.seconds(20))
        #expect(table.isLinked(0, 1) && table.places[place].view == before)
    }

    @Test("keep their link when the handshake is repeated each hour")
    func repeated() {
        var table = pair()
        let links = table.places.map(\.links)
        table.pass(.seconds(3_600 + 60))
        #expect(table.places.map(\.links) == links)
        let repeats = table.places.flatMap(\.effects).count { effect in
            if case .repeatHandshake = effect { return true }
            return false
        }
        #expect(repeats == 1)
    }

    // MARK: Resources

    private func offer(_ name: String, from place: Int, to other: Int, in table: inout NodeTable) {
        let request = OfferRequest(
            peer: table.id(other), grants: [Grant(resource: ResourceName(name)!, capabilities: nil)],
            life: .seconds(86_400))
        table.command(place, .offer(request))
    }

    @Test("see what is offered to them, and only that, and no more once it is removed")
    func resources() {
        var table = pair()
        table.command(0, .addResource(described("ledger")))
        table.command(0, .addResource(described("secret")))
        table.pass(.seconds(1))
        #expect(table.places[1].view?.descriptions[table.id(0)]?.keys == [.echo])
        offer("ledger", from: 0, to: 1, in: &table)
        table.pass(.seconds(1))
        let ledger = ResourceName("ledger")!
        #expect(table.places[1].view?.descriptions[table.id(0)]?.keys == [.echo, ledger])
        #expect(table.places[0].view?.resources[ledger]?.offeredTo == [table.id(1)])
        table.command(0, .addResource(described("ledger", path: "/v2")))
        table.pass(.seconds(1))
        #expect(table.places[1].view?.descriptions[table.id(0)]?[ledger]?.capabilities[0].path == "/v2")
        table.command(0, .removeResource(ledger))
        table.pass(.seconds(1))
        #expect(table.places[1].view?.descriptions[table.id(0)]?.keys == [.echo])
    }

    @Test("refuse a resource that no peer could be told of")
    func unfit() throws {
        var table = NodeTable("atlas")
        let ticket = table.command(
            0, .addResource(described("far", path: "/" + String(repeating: "a", count: 300))))
        guard case .refused? = table.places[0].answers[ticket] else {
            Issue.record("\(String(describing: table.places[0].answers[ticket]))")
            return
        }
        #expect(table.places[0].node.resources[ResourceName("far")!] == nil)
    }

    // MARK: Traces

    @Test("give a peer only events in which it took part, and believe no others")
    func trace() throws {
        var table = pair()
        var generator = SeededGenerator(seed: 9)
        let correlation = CorrelationID(at: table.now.wall, using: &generator)
        func event(_ source: NodeID, _ target: NodeID) -> AuditEvent {
            AuditEvent(
                id: CorrelationID(at: table.now.wall, using: &generator), time: table.now.wall, type: .call,
                correlation: correlation, source: source, target: target, action: "invoke", success: true)
        }
        let stranger = SimulatedKey(77).node
        let shared = event(table.id(0), table.id(1))
        table.places[1].found = [shared, event(table.id(1), stranger), event(stranger, stranger)]
        let ticket = table.command(0, .trace(correlation, at: table.id(1)))
        table.pass(.seconds(1))
        #expect(table.places[0].answers[ticket] == .traced([shared]))
        let connection = try #require(table.places[0].links[table.id(1)])
        let second = table.command(0, .trace(correlation, at: table.id(1)))
        guard
            case .send(_, .traceRequest(let request))? = table.places[0].effects.last(where: { effect in
                if case .send(_, .traceRequest) = effect { return true }
                return false
            })
        else {
            Issue.record("not asked")
            return
        }
        let forged = TraceAnswer(number: request.number, events: [event(stranger, table.id(1)), shared])
        table.tell(0, .documentArrived(connection, .traceAnswer(forged)))
        #expect(table.places[0].answers[second] == .traced([shared]))
    }

    @Test("are told when a peer does not answer a trace in three seconds, or has no link")
    func traceUnanswered() {
        var table = pair()
        var generator = SeededGenerator(seed: 9)
        let correlation = CorrelationID(at: table.now.wall, using: &generator)
        table.cuts = [(0, 1)]
        let asked = table.command(0, .trace(correlation, at: table.id(1)))
        table.pass(.milliseconds(2_999))
        #expect(table.places[0].answers[asked] == nil)
        table.pass(.milliseconds(2))
        for ticket in [asked, table.command(0, .trace(correlation, at: SimulatedKey(77).node))] {
            guard case .refused(let refusals)? = table.places[0].answers[ticket] else {
                Issue.record("no answer")
                continue
            }
            #expect(refusals.map(\.code) == [.peerUnreachable])
        }
    }

    @Test("do not let the operator put another resource under the built-in one's name")
    func builtIn() {
        var table = pair()
        let before = table.places[0].node.resources
        let ticket = table.command(0, .addResource(described("echo")))
        guard case .refused(let reasons)? = table.places[0].answers[ticket] else {
            Issue.record("added")
            return
        }
        #expect(reasons.map(\.code) == [.nameTaken])
        #expect(table.places[0].node.resources == before)
    }

    // MARK: Order

    @Test("write down before they send what rests on it")
    func durableFirst() {
        var table = pair()
        table.command(0, .addResource(described("ledger")))
        offer("ledger", from: 0, to: 1, in: &table)
        table.pass(.seconds(2))
        for place in table.places {
            var heads: [HeadPosition] = []
            var agreements: [Digest] = []
            for effect in place.effects {
                switch effect {
                case .persist(.gossip(.head(let stored))):
                    let body = stored.head.body
                    heads.append(HeadPosition(epoch: body.epoch, sequence: body.sequence))
                case .persist(.agreement(let record)): agreements.append(record.contentID)
                case .send(_, .gossip(.head(let push))):
                    let body = push.head.body
                    #expect(heads.contains(HeadPosition(epoch: body.epoch, sequence: body.sequence)))
                case .send(_, .agreement(.offer(let document))),
                    .send(_, .agreement(.accepted(let document))):
                    #expect(agreements.contains(document.contentID(using: SimulatedSuite())))
                default: break
                }
            }
            #expect(!heads.isEmpty && !agreements.isEmpty)
        }
    }

    @Test("never have a deadline that has passed, whatever happens")
    func deadlines() {
        var table = pair()
        table.command(0, .addResource(described("ledger")))
        offer("ledger", from: 0, to: 1, in: &table)
        table.cuts = [(0, 1)]
        table.pass(.seconds(120))
        table.cuts = []
        table.pass(.seconds(600))
        for _ in 0..<100 { table.tell(0, .documentUnreadable(ConnectionID(99), problem: "x")) }
        for number in 0..<200 {
            let missing = ConnectionID(1_001 + UInt64(number) * 2)
            table.tell(0, .connectionClosed(missing))
        }
        table.pass(.seconds(800))
        #expect(table.isLinked(0, 1))
    }
}
