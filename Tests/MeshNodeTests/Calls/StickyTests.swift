import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls with a sticky key")
struct StickyTests {
    /// Who is asked by a call with this key, answered after 5 ms.
    private func asked(_ key: String?, in rig: inout DeskRig) -> NodeID? {
        rig.call("any", sticky: key)
        guard let node = rig.sent.last?.1 else { return nil }
        rig.pass(node == self.node ? 50 : 5)
        rig.answerLast()
        return node
    }

    /// Ten times slower than the other: who is not held by a key goes elsewhere.
    private let node = MeshNodeTests.node(1)

    @Test("keep their provider, however slow it is, and each key has its own")
    func kept() {
        var rig = DeskRig()
        var owners: [String: NodeID] = [:]
        for round in 0..<5 {
            for number in 0..<20 {
                let key = "k\(number)"
                let node = asked(key, in: &rig)
                #expect(node != nil && (round == 0 || owners[key] == node))
                owners[key] = node
            }
        }
        let slow = owners.values.count { $0 == node }
        #expect((4...16).contains(slow), "\(slow) of 20 keys belong to one of two")
    }

    @Test("go to another provider while theirs is gone, and back with its return; others stay")
    func gone() {
        var rig = DeskRig()
        let keys = (0..<20).map { "k\($0)" }
        let owners = keys.map { asked($0, in: &rig) }
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .down)
        rig.publish()
        for key in keys { #expect(asked(key, in: &rig) == MeshNodeTests.node(2)) }
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up)
        rig.publish()
        // Its breaker lets one probe through, and closes after three of them that succeed.
        for _ in 0..<4 {
            rig.pass(60_000)
            rig.call("B")
            rig.answerLast()
        }
        #expect(keys.map { asked($0, in: &rig) } == owners)
    }

    @Test("keep it by weight, this node among them")
    func weighted() {
        var rig = DeskRig()
        rig.weights = [MeshNodeTests.node(2): 9]
        rig.own.append(DeskRig.offered("orders", to: []))
        rig.publish()
        var counts: [NodeID: Int] = [:]
        for number in 0..<400 {
            let id = rig.call("any", sticky: "k\(number)")
            if let node = rig.sent.last?.1, rig.sent.last?.0.request == id {
                counts[node, default: 0] += 1
            } else {
                counts[MeshNodeTests.node(0), default: 0] += 1
            }
        }
        // Shares of 1, 1 and 9 in 11: 36, 36 and 327, within four standard deviations.
        #expect(abs(counts[MeshNodeTests.node(2), default: 0] - 327) < 32, "\(counts)")
        #expect(counts[MeshNodeTests.node(0), default: 0] > 10 && counts[node, default: 0] > 10)
    }
}
