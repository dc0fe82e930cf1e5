import MeshAgreements
import MeshBase
import MeshRouting
import MeshSimulator
import Testing

@testable import MeshGossip
@testable import MeshNode
@testable import MeshTrust

@Suite("Nodes of one domain")
struct NodeDomainTests {
    private static let flour = ResourceName("flour")!
    private let ledger = ResourceName("ledger")!

    private func described(_ name: String) -> LocalResource {
        LocalResource(
            description: ResourceDescription(
                name: ResourceName(name)!, protocol: .http,
                capabilities: [
                    Capability(name: ResourceName("read")!, methods: ["GET"], path: "/", safety: .safe)
                ], labels: []), url: "http://127.0.0.1:9000", timeoutInMilliseconds: nil)
    }

    /// Atlas and Bakery are members, Carol is trusted by Atlas only and is none.
    private func house() -> NodeTable {
        var table = NodeTable("atlas", "bakery", "carol")
        table.join(1)
        table.join(2)
        table.command(0, .addResource(described("ledger"), toDomain: .offered))
        for member in 0...1 { table.change(table.membership(), of: member) }
        table.make(table.house(), at: 0)
        table.pass(.seconds(2))
        return table
    }

    @Test("see what is offered to the domain, and hold its house agreement; others do neither")
    func seen() {
        let table = house()
        let members = table.places[1].view?.domain?.members[table.id(0)]
        #expect(members?.offers.keys == [.echo, ledger])
        #expect(table.places[1].view?.descriptions[table.id(0)]?.keys == [.echo, ledger])
        #expect(table.places[1].view?.domain?.house?.agreement.version == 1)
        #expect(table.places[2].view?.domain == nil)
        #expect(table.places[2].view?.descriptions[table.id(0)]?.keys == [.echo])
        for effect in table.places[0].effects {
            guard case .send(let connection, let document) = effect,
                table.places[0].ends[connection]?.place == 2
            else { continue }
            #expect(!"\(document)".contains(NodeTable.domain.description), "told to a stranger: \(document)")
            #expect(!"\(document)".contains("ledger"), "told to a stranger: \(document)")
        }
    }

    /// Bakery knows Carol, a member like itself, in `state`, and Atlas passes on what she offers to them.
    private func heard(of state: TrustState) throws -> NodeTable {
        var table = house()
        table.join(2, to: 1)
        table.change(table.membership(), of: 2)
        table.places[2].node.gossip.encryption = EncryptionKey([UInt8](repeating: 7, count: 32))
        table.command(2, .addResource(described("flour"), toDomain: .offered))
        table.pass(.seconds(2))
        let domain = Audience.domain(NodeTable.domain)
        let push = try #require(
            table.places[2].node.gossip.registries[domain]?.push(using: SimulatedSuite()))
        table.places[1].shelf.heads = []
        table.places[1].shelf.peers.update(table.id(2)) { $0.state = state }
        table.cuts = [(1, 2)]
        table.restart(1)
        for member in 0...2 { table.change(table.membership(), of: member) }
        table.pass(.seconds(2))
        let inputs: [GossipInput] = [
            .memberVouched(table.id(2), table.places[2].key.publicKey, table.membership()),
            .relayed(push, by: table.id(0)),
        ]
        for input in inputs {
            var effects = Outbox<NodeEffect>()
            table.places[1].node.tell(input, at: table.now, into: &effects)
            table.perform(effects.drain(), at: 1)
        }
        table.tell(1, .timeReached)
        return table
    }

    @Test("rest no call on what others bring of one that is known and not trusted")
    func broughtByOthers() throws {
        for state in [TrustState.verified, .pending] {
            let table = try heard(of: state)
            let (bakery, carol) = (table.places[1].node, table.id(2))
            // It shows in the catalog, as what any member offers that was not met.
            #expect(bakery.gossip.resources(of: carol, at: table.now.wall).map(\.name).contains(Self.flour))
            let view = bakery.callView(at: table.now)
            #expect(view.peers[carol]?.trust == .untrusted)
            #expect(view.descriptions[carol] == nil && view.peers[carol]?.encryption == nil)
        }
        let table = try heard(of: .trusted)
        let view = table.places[1].node.callView(at: table.now)
        #expect(view.descriptions[table.id(2)]?[Self.flour] != nil)
        #expect(view.peers[table.id(2)]?.encryption != nil)
    }

    @Test("offer nothing more to one another from the moment a membership ends")
    func ended() {
        var table = house()
        table.change(nil, of: 1)
        #expect(table.places[0].view?.domain?.members.isEmpty == true)
        #expect(table.places[1].view?.domain == nil)
        #expect(table.places[1].view?.descriptions[table.id(0)]?.keys == [.echo])
    }

    @Test("know all of it again after a restart, once memberships are told")
    func restart() {
        var table = house()
        table.restart(0)
        table.restart(1)
        for member in 0...1 { table.change(table.membership(), of: member) }
        #expect(table.places[0].view?.resources[ledger]?.toDomain == .offered)
        #expect(table.places[1].view?.domain?.house?.agreement.version == 1)
        #expect(table.places[1].view?.domain?.members[table.id(0)]?.offers.keys == [.echo, ledger])
    }

    @Test("withdraw from the domain what is provided anew without it, or no more")
    func withdrawn() {
        for command in [NodeCommand.addResource(described("ledger")), .removeResource(ledger)] {
            var table = house()
            table.command(0, command)
            table.pass(.seconds(1))
            #expect(table.places[1].view?.domain?.members[table.id(0)]?.offers.keys == [.echo])
            #expect(table.places[0].shelf.offeredToDomain.isEmpty)
        }
    }

    @Test("offer echo to the domain for as long as it is on")
    func echo() {
        var table = house()
        table.command(0, .configure(AgreementConfiguration(echoOffer: .none)))
        table.pass(.seconds(1))
        #expect(table.places[1].view?.domain?.members[table.id(0)]?.offers.keys == [ledger])
        table.command(0, .configure(AgreementConfiguration(echoOffer: .trustedPeers)))
        table.pass(.seconds(1))
        #expect(table.places[1].view?.domain?.members[table.id(0)]?.offers.keys == [.echo, ledger])
    }

    @Test("all come to hold a newer house agreement, and write it down")
    func newer() {
        var table = house()
        table.make(table.house(2), at: 1)
        table.pass(.seconds(1))
        for member in 0...1 {
            #expect(table.places[member].view?.domain?.house?.agreement.version == 2)
            #expect(table.places[member].shelf.houses[NodeTable.domain]?.body.version == 2)
            #expect(table.places[member].events.contains { $0.action == "house agreement replaced" })
        }
        #expect(table.places[2].shelf.houses.isEmpty)
    }

    @Test("keep the place of echo while it is not offered")
    func echoesPlace() {
        var table = NodeTable("atlas")
        table.command(0, .configure(AgreementConfiguration(echoOffer: .none)))
        for number in 1...Limits.recordsPerHead {
            table.command(0, .addResource(described("r\(number)"), toDomain: .offered))
        }
        #expect(table.places[0].node.offeredToDomain.count == Limits.recordsPerHead - 1)
        table.command(0, .configure(AgreementConfiguration(echoOffer: .trustedPeers)))
        #expect(table.places[0].node.offeredToDomain.count == Limits.recordsPerHead)
    }

    @Test("offer 256 resources to their domain, and not one more")
    func bound() {
        var table = NodeTable("atlas")
        for number in 1..<Limits.recordsPerHead {
            table.command(0, .addResource(described("r\(number)"), toDomain: .offered))
        }
        #expect(table.places[0].node.offeredToDomain.count == Limits.recordsPerHead)
        let beyond = table.command(0, .addResource(described("more"), toDomain: .offered))
        guard case .refused(let refusals)? = table.places[0].answers[beyond] else {
            Issue.record("taken")
            return
        }
        #expect(refusals.map(\.code) == [.limitReached])
        let again = table.command(0, .addResource(described("r1"), toDomain: .offered))
        #expect(table.places[0].answers[again] == .done)
        let alone = table.command(0, .addResource(described("more")))
        #expect(table.places[0].answers[alone] == .done)
    }
}
