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

    @Test("a version that another one replaced stands until that one is durable")
    func replaced() throws {
        let (before, after) = views { rig in
            let first = rig.agreements[node(1)]?.first { $0.agreement.source == .node(node(0)) }
            guard let first else { return }
            rig.agreements[node(1)]?.removeAll { $0.contentID == first.contentID }
            for (standing, content) in [(AgreementTerms.Standing.ended, first.contentID), (.active, .zero)] {
                rig.agreements[node(1)]?.append(
                    AgreementTerms(contentID: content, agreement: first.agreement, standing: standing))
            }
        }
        #expect(after != before && before.lessened(by: after) == before)
    }

    @Test("a link that fell is down, and one that is down does not rise")
    func links() {
        let (before, after) = views { rig in
            rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .dialling)
        }
        #expect(before.lessened(by: after).peers[node(1)]?.link == .dialling)
        #expect(after.lessened(by: before).peers[node(1)]?.link == .dialling)
    }

    @Test("memberships are worth the less of both, and none of another domain")
    func memberships() {
        func membership(_ domain: UInt8, _ roles: [DomainRole], until: Int64) -> Membership {
            Membership(
                domain: DomainID(Digest([UInt8](repeating: domain, count: 32))!), roles: roles,
                until: WallTime(milliseconds: wallStart + until))
        }
        func left(_ before: Membership, _ after: Membership?) -> Membership? {
            var rig = DeskRig()
            rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up, membership: before)
            rig.publish()
            let first = rig.desk.view
            rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up, membership: after)
            rig.publish()
            return first.lessened(by: rig.desk.view).peers[node(1)]?.membership
        }
        let held = membership(1, [.member, .agree], until: 100)
        #expect(left(held, membership(1, [.member], until: 200)) == membership(1, [.member], until: 100))
        #expect(left(membership(1, [.member], until: 100), held) == membership(1, [.member], until: 100))
        #expect(left(held, membership(2, [.member, .agree], until: 100)) == nil)
        #expect(left(held, nil) == nil)
    }

    @Test("of a resource the capabilities, and those it is offered to, are those of both")
    func resources() {
        let (before, after) = views { rig in
            let stock = DeskRig.offered("stock", to: [node(2)], toDomain: .offered).resource
            let description = ResourceDescription(
                name: stock.name, protocol: .http,
                capabilities: Array(stock.description.capabilities.prefix(1)), labels: [])
            rig.own = [
                OfferedResource(
                    resource: LocalResource(
                        description: description, url: stock.url, timeoutInMilliseconds: nil),
                    offeredTo: [node(2)], toDomain: .offered)
            ]
        }
        let left = before.lessened(by: after).resources[resource("stock")]
        #expect(left?.resource.description.capabilities.count == 1)
        #expect(left?.offeredTo == [] && left?.toDomain == .withheld)
    }
}
