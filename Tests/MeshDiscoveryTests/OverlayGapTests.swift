import MeshBase
import Testing

@testable import MeshDiscovery

/// Whom links are kept with where not all have met.
@Suite struct OverlayGapTests {
    private func peer(_ number: Int) -> NodeID { OverlayTable.peer(number) }

    @Test func `a bridge is chosen besides the others, as long as it is one`() {
        var table = OverlayTable { $0.redraw = .seconds(3600) }
        table.meet(20)
        let other = table.other(of: 20)
        table.tell(.reach(unheard: [], bridges: [other, peer(99)]))
        #expect(table.wait(.zero) == [.seek(other)])
        #expect((1...20).count(where: table.isKept) == 5)
        table.tell(.linkUp(other))
        table.tell(.told(other, .idle))
        #expect(!table.wait(.seconds(1_000)).contains(.stop(other)))
        table.tell(.reach(unheard: [], bridges: []))
        #expect(table.wait(.zero) == [.stop(other), .drain(other), .leave(other)])
        #expect((1...20).count(where: table.isKept) == 4)
    }

    @Test func `who is unheard is sought, one after another, each once between two draws`() {
        var table = OverlayTable { $0.redraw = .seconds(3600) }
        table.meet(20)
        table.wait(.seconds(10))
        let others = (1...20).map(peer).filter { !table.overlay.isKept($0) }.prefix(3)
        table.tell(.reach(unheard: Array(others), bridges: []))
        #expect(table.wait(.zero) == [.seek(others[0])])
        #expect(table.wait(.seconds(29)) == [])
        #expect(table.wait(.seconds(1)) == [.leave(others[0]), .seek(others[1])])
        #expect(table.tell(.linkUp(others[1])) == [])
        // Over one link gossip learns of many: nobody else is sought before it has said of whom.
        #expect(table.wait(.zero) == [.leave(others[1])])
        #expect(table.wait(.seconds(100)) == [.settled(others[1])])
        table.tell(.reach(unheard: [others[0], others[2]], bridges: []))
        #expect(table.wait(.zero) == [.seek(others[2])])
        #expect(table.wait(.seconds(30)) == [.leave(others[2])])
        #expect(table.wait(.seconds(60)) == [], "all had their turn")
        let again: Set<NodeID> = [others[0], others[2]]
        var sought: Set<NodeID> = []
        for _ in 0..<700 where !sought.isSuperset(of: again) {
            for case .seek(let peer) in table.wait(.seconds(6)) { sought.insert(peer) }
        }
        #expect(sought.isSuperset(of: again), "after the draw, who has no link")
    }

    @Test func `who is sought in vain is sought ever more seldom, and behind who was not yet`() {
        var table = OverlayTable { $0.redraw = .seconds(600) }
        table.meet(20)
        let (dead, other) = (table.other(of: 20), (1...20).map(peer).last { !table.overlay.isKept($0) })
        table.tell(.reach(unheard: [dead], bridges: []))
        for _ in 0..<(48 * 20) {
            table.wait(.seconds(30))
            for number in 1...20 where table.isKept(number) && peer(number) != dead {
                table.tell(.linkUp(peer(number)))
            }
        }
        let soundings = table.overlay.peers[dead]?.soundings ?? 0
        #expect((4...8).contains(soundings), "\(soundings) in eight hours")
        guard let other, other != dead else { return }
        table.tell(.linkDown(other))
        table.tell(.reach(unheard: [dead, other], bridges: []))
        table.wait(.zero)
        #expect(table.overlay.isKept(other))
    }

    @Test func `who is heard of again is sought no more`() {
        var table = OverlayTable { $0.redraw = .seconds(3600) }
        table.meet(20)
        let other = table.other(of: 20)
        table.tell(.reach(unheard: [other], bridges: []))
        #expect(table.wait(.zero) == [.seek(other)])
        table.tell(.reach(unheard: [], bridges: []))
        #expect(table.wait(.zero) == [.leave(other)])
    }
}
