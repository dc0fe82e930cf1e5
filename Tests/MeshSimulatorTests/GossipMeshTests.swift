import MeshBase
import MeshDiscovery
import MeshNode
import Testing

@testable import MeshSimulator

/// A domain in which few links are kept: what it says, and how a change spreads. Figures of larger ones, in
/// bytes as they travel, are printed by the benchmarks.
@Suite struct GossipMeshTests {
    private struct Rough: DocumentScale {
        func bytes(of document: LinkDocument) -> Int { SimulatedSuite().encoded(document).count }
    }

    @Test func `a change reaches many members within few hops, by few messages`() {
        var mesh = GossipMesh(64, seed: 3, .remote, suite: SimulatedSuite(), scale: Rough())
        mesh.pass(.seconds(5))
        for place in [0, 63] {
            mesh.change(place)
            mesh.pass(.seconds(5))
            #expect(mesh.spread.holders == 64)
            #expect(mesh.spread.hops <= 2 * 6 + 2, "2 log2 N + 2")
            #expect(mesh.spread.messages <= 8 * 64)
            #expect(mesh.spread.took < .seconds(2), "by news, and not by pings")
        }
    }

    @Test func `more than fit a page have few links, say little, and no lists where both hold the same`() {
        var mesh = GossipMesh(132, seed: 3, .remote, suite: SimulatedSuite(), scale: Rough())
        mesh.pass(.seconds(10))
        let talk = mesh.talk(for: .seconds(30))
        #expect(talk.average < 2_000 && talk.most < 4_000, "\(talk)")
        #expect(talk.links < 18 && talk.linksMost < 40, "\(talk)")
        let lists = (mesh.kinds["lists of the domain"] ?? 0) / 132 / 30
        #expect(lists < 30, "links that are drawn anew begin with \(lists) bytes a second and member")
    }

    @Test func `two sites of which one pair alone has met stay together, and a change crosses`() {
        var overlay = OverlayConfiguration()
        (overlay.linksToAll, overlay.gossipLinks, overlay.nearLinks) = (8, 4, 2)
        (overlay.redraw, overlay.idle) = (.seconds(180), .seconds(60))
        var mesh = GossipMesh(
            36, seed: 3, .remote, suite: SimulatedSuite(), scale: Rough(), overlay: overlay, sites: .two)
        mesh.pass(.seconds(240))
        var minutesApart = 0
        for _ in 0..<25 {
            mesh.pass(.seconds(60))
            if !mesh.isWhole { minutesApart += 1 }
        }
        #expect(minutesApart == 0)
        for place in [2, 35] {
            mesh.change(place)
            mesh.pass(.seconds(5))
            #expect(mesh.spread.holders == 36)
        }
        let talk = mesh.talk(for: .seconds(30))
        #expect(talk.links <= 10 && talk.linksMost <= 16, "no star grows at the bridge: \(talk)")
    }
}
