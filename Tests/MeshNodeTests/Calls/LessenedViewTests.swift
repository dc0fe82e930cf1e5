import MeshAgreements
import MeshBase
import Testing

@testable import MeshNode

@Suite("A view less what a later one takes away")
struct LessenedViewTests {
    /// The view that `change` makes of that of a rig, beside the one before.
    private func views(_ change: (inout DeskRig) -> Void) -> (before: CallView, after: CallView) {
        var rig = DeskRig()
        let before = rig.desk.view
        change(&rig)
        rig.publish()
        return (before, rig.desk.view)
    }

    @Test("nothing that is given counts: peers, agreements, resources, trust")
    func given() {
        let (before, after) = views { rig in
            rig.peers[3] = CallPeer(name: peerName("D"), trust: .trusted, link: .up)
            rig.agree(provider: node(0), consumer: node(1), "bread")
            rig.own.append(DeskRig.offered("bread", to: [node(1)]))
        }
        #expect(before.lessened(by: after) == before)
        let (lost, _) = views { $0.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up) }
        var untrusted = DeskRig()
        untrusted.peers[1] = CallPeer(name: peerName("B"), trust: .suspended, link: .up)
        untrusted.publish()
        #expect(untrusted.desk.view.lessened(by: lost).peers[node(1)]?.trust == .suspended)
    }

    @Test("an agreement that ended, or is gone, permits nothing; the others do")
    func ended() {
        for isKept in [true, false] {
            let (before, after) = views { rig in
                let held = rig.agreements[node(1)] ?? []
                rig.agreements[node(1)] = held.compactMap { terms in
                    guard terms.agreement.source == .node(node(0)) else { return terms }
                    return isKept
                        ? AgreementTerms(
                            contentID: terms.contentID, agreement: terms.agreement, standing: .ended) : nil
                }
            }
            let left = before.lessened(by: after)
            let active = left.agreements[node(1)]?.terms.filter { $0.standing == .active }
            #expect(active?.map(\.agreement.source) == [.node(node(1))])
            #expect(left.agreements[node(2)] == before.agreements[node(2)])
        }
    }

    @Test("a peer that is trusted no more, or gone, is not; and a resource that is gone is not offered")
    func lost() {
        let (before, after) = views { rig in
            rig.peers[1] = CallPeer(name: peerName("B"), trust: .revoked, link: .down)
            rig.peers[2] = nil
            rig.own = []
        }
        let left = before.lessened(by: after)
        #expect(left.peers[node(1)]?.trust == .revoked && left.peers[node(2)] == nil)
        #expect(left.resources.isEmpty && !before.resources.isEmpty)
    }
}
