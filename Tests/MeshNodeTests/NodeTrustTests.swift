import MeshAgreements
import MeshAudit
import MeshBase
import MeshSimulator
import MeshTrust
import Testing

@testable import MeshGossip
@testable import MeshNode

@Suite("A node that changes its mind about a peer")
struct NodeTrustTests {
    private func pair() -> NodeTable {
        var table = NodeTable("atlas", "borea")
        table.join(1)
        return table
    }

    private func notices(_ table: NodeTable, to place: Int) -> [String] {
        table.places[place].events.filter { $0.action == "peer told its decision" }
            .compactMap { $0.metadata.first { $0.name == "decision" }?.value }
    }

    @Test(
        "tells it, then cuts the link, in the same turn", arguments: [PeerDecision.suspend, .revoke, .forget])
    func cut(decision: PeerDecision) throws {
        var table = pair()
        let connection = try #require(table.places[0].links[table.id(1)])
        table.places[0].effects = []
        table.command(0, .decide(table.id(1), decision, note: "test"))
        let effects = table.places[0].effects
        let persisted = effects.firstIndex { if case .persist(.trust) = $0 { true } else { false } }
        let told = effects.firstIndex(of: .send(connection, .trust(TrustNotice(decision: decision))))
        let closed = effects.firstIndex(of: .close(connection, nil))
        let down = effects.firstIndex(of: .linkDown(table.id(1)))
        let published = effects.firstIndex { if case .publish = $0 { true } else { false } }
        let order = [persisted, told, closed, down, published].compactMap { $0 }
        #expect(order.count == 5 && order == order.sorted(), "\(effects)")
        #expect(effects.contains(.renewSessions))
        let peer = table.places[0].view?.peers[table.id(1)]
        switch decision {
        case .suspend: #expect(peer?.trust == .suspended && peer?.link == .down)
        case .revoke: #expect(peer?.trust == .revoked && peer?.link == .down)
        case .forget, .resume: #expect(peer == nil)
        }
        #expect(table.places[0].view?.descriptions[table.id(1)] == nil)
        table.pass(.seconds(30))
        #expect(!table.isLinked(0, 1) && table.places[0].links.isEmpty && table.places[1].links.isEmpty)
        #expect(notices(table, to: 1) == [decision.rawValue])
    }

    @Test("names both runs when an earlier one of a peer comes back, and suspends the peer the third time")
    func earlierRun() {
        var table = pair()
        table.restart(1)
        table.pass(.seconds(20))
        #expect(table.isLinked(0, 1))
        // As a copied home would: the run before this one, once more.
        table.places[1].run = 0
        table.restart(1)
        table.pass(.seconds(60))
        let alarms = table.places[0].events.filter { $0.action == "boot returned" }.flatMap(\.refusals)
        #expect(alarms.map(\.code) == Array(repeating: .bootReturned, count: 3))
        #expect(alarms.allSatisfy { $0.facts == [Fact("accepted", 2), Fact("returned", 1)] })
        #expect(table.places[0].node.trust.pins[table.id(1)]?.state == .suspended)
    }

    @Test("redials when it is resumed, and all is as before")
    func resumed() {
        var table = pair()
        let before = table.places.map(\.view)
        table.command(0, .decide(table.id(1), .suspend, note: "test"))
        table.pass(.seconds(60))
        #expect(table.places[0].links.isEmpty)
        table.command(0, .decide(table.id(1), .resume, note: "test"))
        table.pass(.seconds(20))
        #expect(table.isLinked(0, 1))
        #expect(table.places.map(\.view) == before)
    }

    @Test("that revoked it takes it back neither after a restart nor under a new invite")
    func revoked() {
        var table = pair()
        table.command(0, .decide(table.id(1), .revoke, note: "test"))
        table.pass(.seconds(5))
        table.restart(0)
        table.pass(.seconds(30))
        #expect(table.places[0].links.isEmpty)
        table.join(1)
        table.pass(.seconds(30))
        #expect(table.places[0].links.isEmpty && !table.places[0].node.trust.pins.isTrusted(table.id(1)))
    }

    @Test("that forgot it can make trust again, and goes on above the heads it gave out")
    func forgotten() throws {
        var table = pair()
        let body = try #require(table.places[0].shelf.heads.first { $0.head.body.owner == table.id(0) }).head
            .body
        let before = HeadPosition(epoch: body.epoch, sequence: body.sequence)
        table.command(0, .decide(table.id(1), .forget, note: "test"))
        table.pass(.seconds(10))
        #expect(table.places[0].view?.peers.isEmpty == true)
        table.command(1, .decide(table.id(0), .forget, note: "test"))
        table.pass(.seconds(10))
        table.join(1)
        table.pass(.seconds(10))
        #expect(table.isLinked(0, 1))
        let again = try #require(table.places[0].shelf.heads.first { $0.head.body.owner == table.id(0) }).head
            .body
        #expect(HeadPosition(epoch: again.epoch, sequence: again.sequence) >= before)
        #expect(table.places[1].view?.descriptions[table.id(0)]?.keys == [.echo])
    }

    @Test("that was forgotten is offered nothing, and what it offered counts no more")
    func forgottenByAgreements() throws {
        var table = pair()
        table.command(0, .decide(table.id(1), .forget, note: "test"))
        let request = OfferRequest(
            peer: table.id(1), grants: [Grant(resource: .echo, capabilities: nil)], life: .seconds(3_600))
        var outbox = Outbox<AgreementEffect>()
        var book = table.places[0].node.agreements
        book.handle(
            .offerRequested(Ticket(9_000_000), request), at: table.now, using: SimulatedSuite(), into: &outbox
        )
        guard case .answered(_, .refused(let refusals))? = outbox.drain().first else {
            Issue.record("offered")
            return
        }
        #expect(refusals.map(\.code) == [.peerNotTrusted])
    }

    @Test("suspends a peer that is caught lying about its own records")
    func equivocation() throws {
        var table = pair()
        let connection = try #require(table.places[0].links[table.id(1)])
        let held = try #require(table.places[0].shelf.heads.first { $0.head.body.owner == table.id(1) })
        let body = held.head.body
        let twin = Head(
            owner: body.owner, audience: body.audience, epoch: body.epoch, givenUp: body.givenUp,
            sequence: body.sequence, count: 0, root: .zero, issued: body.issued, expires: body.expires)
        let push = HeadPush(head: table.places[1].key.sign(twin), leaves: [], records: [])
        table.tell(0, .documentArrived(connection, .gossip(.head(push))))
        #expect(table.places[0].node.trust.pins[table.id(1)]?.state == .suspended)
        #expect(table.places[0].links.isEmpty)
    }

    // MARK: Who is no peer yet

    @Test("hears nothing but a handshake before a connection is admitted, and ends it at anything else")
    func stranger() {
        var table = NodeTable("atlas", "borea")
        let accepted = ConnectionID(1)
        let secured = table.dialled(by: 1, at: 0)
        table.tell(0, .connectionSecured(accepted, secured, .local))
        let before = table.places[0].node.trust.pins
        table.places[0].effects = []
        for document in [
            LinkDocument.trust(TrustNotice(decision: .revoke)),
            .gossip(.list(RegistryList(mine: nil, yours: nil, isComplete: false))),
            .listening(ListeningNotice(port: 1, advertised: [])),
            .traceRequest(TraceRequest(number: 1, correlation: CorrelationID(high: 1, low: 1))),
        ] { table.tell(0, .documentArrived(accepted, document)) }
        let answered = table.places[0].effects.contains { effect in
            switch effect {
            case .send(_, .handshake(.deny)): false
            case .send, .lookUp, .persist, .linkUp, .admit: true
            default: false
            }
        }
        #expect(!answered && table.places[0].node.trust.pins == before)
        let isEnded = table.places[0].effects.contains { effect in
            if case .close(accepted, _) = effect { return true }
            return false
        }
        #expect(isEnded)
    }

    @Test("ends a connection at once on which something comes that is no document")
    func unreadableStranger() {
        var table = NodeTable("atlas", "borea")
        let secured = table.dialled(by: 1, at: 0)
        table.tell(0, .connectionSecured(ConnectionID(1), secured, .local))
        table.places[0].effects = []
        table.tell(0, .documentUnreadable(ConnectionID(1), problem: "not JSON"))
        #expect(table.places[0].effects.contains(.close(ConnectionID(1), .handshakeMalformed)))
    }

    @Test("ends a link at the third document that cannot be read, and the trust at the tenth")
    func unreadable() throws {
        var table = pair()
        for count in 1...9 {
            let connection = try #require(table.places[0].links[table.id(1)])
            table.tell(0, .documentUnreadable(connection, problem: "not JSON"))
            let isOver = table.places[0].effects.last { effect in
                if case .close(connection, .documentInvalid) = effect { return true }
                return false
            }
            #expect((isOver != nil) == (count % 3 == 0))
            if count % 3 == 0 { table.pass(.seconds(40)) }
        }
        let connection = try #require(table.places[0].links[table.id(1)])
        table.tell(0, .documentUnreadable(connection, problem: "not JSON"))
        #expect(table.places[0].node.trust.pins[table.id(1)]?.state == .suspended)
    }
}
