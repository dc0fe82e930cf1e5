import MeshAgreements
import MeshAudit
import MeshBase
import MeshDiscovery
import MeshGossip
import Testing

@testable import MeshNode

/// Five nodes that trust one another and keep two links each: a ring, and five pairs without a link.
@Suite struct NodeOverlayTests {
    private static func ring() -> NodeTable {
        var configuration = NodeConfiguration()
        configuration.discovery.overlay.linksToAll = 2
        configuration.discovery.overlay.gossipLinks = 2
        configuration.discovery.overlay.nearLinks = 2
        configuration.discovery.overlay.idle = .seconds(20)
        var table = NodeTable(["a", "b", "c", "d", "e"], configuration)
        for inviter in 0..<5 { for joiner in (inviter + 1)..<5 { table.join(joiner, to: inviter) } }
        table.pass(.seconds(60))
        return table
    }

    /// Two between which no link is kept.
    private static func apart(_ table: NodeTable) -> (Int, Int) {
        for one in 0..<5 {
            for other in (one + 1)..<5 where !table.isLinked(one, other) { return (one, other) }
        }
        return (0, 0)
    }

    @Test func `a link that neither end needs is put to rest, which is no failure`() {
        let table = Self.ring()
        let links = (0..<5).map { one in (0..<5).count { table.isLinked(one, $0) } }
        #expect(links == [2, 2, 2, 2, 2])
        for place in table.places {
            let actions = place.events.map(\.action)
            #expect(actions.contains("link at rest"))
            #expect(!actions.contains("link down"), "\(actions)")
            #expect(place.atRest.count == 2)
            let view = place.node.callView(at: table.now)
            #expect(view.peers.values.map(\.link).count { $0 == .atRest } == 2)
        }
    }

    @Test func `nobody dials who is left alone, until a call wants a link; then it is closed again`() {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        let dials = Self.dials(table, one)
        table.pass(.seconds(300))
        #expect(Self.dials(table, one) == dials)
        table.tell(one, .linkWanted(table.id(other)))
        table.tell(one, .linkWanted(table.id(other)))
        #expect(Self.dials(table, one) == dials + 1)
        table.pass(.seconds(2))
        #expect(table.isLinked(one, other))
        table.pass(.seconds(15))
        table.tell(other, .linkUsed(table.id(one)))
        table.pass(.seconds(15))
        #expect(table.isLinked(one, other), "one end used it of late")
        #expect(table.places[one].atRest.contains(table.id(other)))
        table.pass(.seconds(10))
        #expect(!table.isLinked(one, other))
    }

    @Test func `asks over a link that it had given up, and is answered`() {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        table.tell(one, .linkWanted(table.id(other)))
        table.pass(.seconds(15))
        table.tell(other, .linkUsed(table.id(one)))
        table.pass(.seconds(8))
        let dials = Self.dials(table, one)
        table.tell(one, .linkWanted(table.id(other)))
        table.pass(.seconds(1))
        #expect(!table.places[one].atRest.contains(table.id(other)))
        #expect(Self.dials(table, one) == dials)
    }

    @Test func `an offer, its acceptance and a revocation open a link, and arrive`() throws {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        Self.offerOrders(from: one, to: other, in: &table)
        table.pass(.seconds(2))
        // The consumer accepts by itself what is offered to it.
        let contentID = try #require(Self.orders(at: other, of: one, table)?.contentID)
        guard case .active? = table.places[one].node.agreements.record(contentID)?.state else {
            Issue.record("the acceptance did not arrive")
            return
        }
        table.pass(.seconds(60))
        #expect(!table.isLinked(one, other))
        table.command(
            one, .revoke(RevocationOrder(contentID: contentID, orderedBy: .local, reason: "test")))
        table.pass(.seconds(2))
        guard case .ended(.revoked)? = Self.orders(at: other, of: one, table)?.state else {
            Issue.record("the other side did not hear of the revocation")
            return
        }
    }

    @Test func `what must arrive is taken along when the peer comes back at last`() {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        table.cuts = [(one, other)]
        Self.offerOrders(from: one, to: other, in: &table)
        table.pass(.seconds(600))
        #expect(Self.orders(at: other, of: one, table) == nil)
        table.cuts = []
        table.pass(.seconds(20))
        #expect(Self.orders(at: other, of: one, table) != nil)
    }

    @Test(arguments: [false, true])
    func `what must arrive is taken along also when its sender was started anew`(isRevocation: Bool) throws {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        if isRevocation {
            Self.offerOrders(from: one, to: other, in: &table)
            table.pass(.seconds(60))
        }
        table.cuts = [(one, other)]
        if isRevocation {
            let contentID = try #require(Self.orders(at: one, of: one, with: other, table)?.contentID)
            table.command(
                one, .revoke(RevocationOrder(contentID: contentID, orderedBy: .local, reason: "test")))
        } else {
            Self.offerOrders(from: one, to: other, in: &table)
        }
        table.pass(.seconds(30))
        table.restart(one)
        table.pass(.seconds(60))
        table.cuts = []
        table.pass(.seconds(20))
        let state = try #require(Self.orders(at: other, of: one, table)?.state)
        if case .ended(.revoked) = state { #expect(isRevocation) } else { #expect(!isRevocation) }
        // Heard is heard: the link is put to rest, and nothing opens it again.
        table.pass(.seconds(60))
        #expect(!table.isLinked(one, other))
        table.restart(one)
        table.pass(.seconds(10))
        #expect(!table.isLinked(one, other))
    }

    @Test func `what waits opens the link again when that broke, and not when it was put to rest`() throws {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        // Too long for the consumer to accept by itself.
        Self.offerOrders(from: one, to: other, for: .seconds(40 * 86_400), in: &table)
        table.pass(.seconds(2))
        #expect(Self.orders(at: other, of: one, table)?.state == .offered)
        let link = try #require(table.places[one].links[table.id(other)])
        table.perform([.close(link, nil)], at: one)
        table.pass(.seconds(5))
        #expect(table.isLinked(one, other))
        table.pass(.seconds(60))
        #expect(!table.isLinked(one, other))
    }

    @Test func `a suspension is told where there is a link, and makes none`() {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        let dials = Self.dials(table, one)
        table.command(one, .decide(table.id(other), .suspend, note: "test"))
        table.pass(.seconds(10))
        #expect(Self.dials(table, one) == dials)
    }

    @Test func `the end of a link that was put to rest is no failed dial`() throws {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        table.drainsLast = true
        table.tell(one, .linkWanted(table.id(other)))
        table.pass(.seconds(2))
        let link = try #require(table.places[one].links[table.id(other)])
        table.pass(.seconds(30))
        #expect(table.places[one].atRest.contains(table.id(other)))
        table.tell(one, .linkWanted(table.id(other)))
        table.pass(.seconds(1))
        table.cuts = [(one, other)]
        table.pass(.seconds(30))
        table.tell(one, .linkWanted(table.id(other)))
        let dialling = table.places[one].node.discovery.peer(table.id(other), at: table.now.instant)?.progress
        table.tell(one, .connectionClosed(link))
        let after = table.places[one].node.discovery.peer(table.id(other), at: table.now.instant)?.progress
        #expect(dialling == .dialling(table.places[other].endpoint) && after == dialling)
    }

    @Test func `an order to speak with a peer at rest opens its link, and says when none comes`() throws {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        let reach = table.command(one, .proveReach(table.id(other)))
        let trace = table.command(
            one, .trace(CorrelationID(high: 7, low: 7), at: table.id(other)))
        #expect(table.places[one].answers[reach] == nil)
        table.pass(.seconds(4))
        guard case .reached(let found)? = table.places[one].answers[reach] else {
            Issue.record("the reach was not proved: \(String(describing: table.places[one].answers[reach]))")
            return
        }
        #expect(found.inbound.count == 1 && found.outbound.count == 1)
        #expect(table.places[one].answers[trace] == .traced([]))
        table.pass(.seconds(60))
        table.cuts = [(one, other)]
        let late = table.command(one, .proveReach(table.id(other)))
        table.pass(.milliseconds(4_900))
        #expect(table.places[one].answers[late] == nil)
        table.pass(.milliseconds(200))
        guard case .refused(let refusals)? = table.places[one].answers[late] else {
            Issue.record("nothing was said of the link that did not come")
            return
        }
        #expect(refusals.map(\.code) == [.peerUnreachable])
    }

    @Test func `a peer that was sought in vain counts as away, and one at rest does not`() {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        #expect(!table.places[one].node.overlay.isAway(table.id(other)))
        table.cuts = [(one, other)]
        for _ in 0..<2 {
            table.tell(one, .linkWanted(table.id(other)))
            table.pass(.seconds(16))
        }
        #expect(table.places[one].node.overlay.isAway(table.id(other)))
        table.cuts = []
        table.tell(one, .linkWanted(table.id(other)))
        table.pass(.seconds(20))
        #expect(table.isLinked(one, other) && !table.places[one].node.overlay.isAway(table.id(other)))
    }

    @Test func `what a peer offers to one alone is known again with the link`() {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        table.pass(.seconds(3_600))
        let before = table.places[one].node.callView(at: table.now).peers[table.id(other)]
        #expect(before?.catalog == .awaited && before?.link == .atRest)
        table.tell(one, .linkWanted(table.id(other)))
        table.pass(.seconds(3))
        let after = table.places[one].node.callView(at: table.now).peers[table.id(other)]
        #expect(after?.catalog == .known && after?.link == .up)
        #expect(table.places[one].node.gossip.isCatalogCurrent(of: table.id(other), at: table.now.wall))
    }

    @Test func `who starts again dials its two, and no other`() {
        var table = Self.ring()
        let (one, other) = Self.apart(table)
        let before = Self.dials(table, one)
        table.restart(one)
        table.pass(.seconds(20))
        #expect(Self.dials(table, one) <= before + 3)
        #expect(!table.isLinked(one, other))
        #expect((0..<5).count { table.isLinked(one, $0) } == 2)
    }

    private static func offerOrders(
        from one: Int, to other: Int, for life: Duration = .seconds(9_000), in table: inout NodeTable
    ) {
        let orders = ResourceDescription(
            name: ResourceName("orders")!, protocol: .http,
            capabilities: [Capability(name: .echo, methods: ["GET"], path: "/orders", safety: .safe)],
            labels: [])
        let local = LocalResource(
            description: orders, url: "http://127.0.0.1:9000", timeoutInMilliseconds: nil)
        table.command(one, .addResource(local))
        let grant = Grant(resource: orders.name, capabilities: nil)
        table.command(
            one, .offer(OfferRequest(peer: table.id(other), grants: [grant], life: life)))
    }

    private static func orders(
        at holder: Int, of source: Int, with peer: Int? = nil, _ table: NodeTable
    ) -> AgreementRecord? {
        table.places[holder].node.agreements.records(with: table.id(peer ?? source)).first { record in
            record.agreement.grants.contains { $0.resource == ResourceName("orders") }
        }
    }

    private static func dials(_ table: NodeTable, _ place: Int) -> Int {
        table.places[place].effects.count { if case .dial(_, _, .peering) = $0 { true } else { false } }
    }
}
