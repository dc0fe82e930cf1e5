import MeshAgreements
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

/// Whom a relay reaches for whom, and from whom a node takes links: peers B and C of node A, which is the
/// relay in the first half and the end in the second.
@Suite("What is carried, and for whom")
struct CircuitDeskTests {
    private let b = node(1)
    private let c = node(2)

    private func relay() -> DeskRig {
        var rig = DeskRig()
        for peer in [b, c] { rig.agree(provider: node(0), consumer: peer, "relay") }
        rig.publish()
        return rig
    }

    private func end(_ rig: DeskRig, of path: String? = nil, for caller: NodeID? = nil) -> NodeID? {
        rig.desk.circuitEnd(of: path ?? "/\(c)", for: caller ?? b, at: moment(rig.now))
    }

    @Test("between two peers that both have the relay's consent")
    func carried() {
        #expect(end(relay()) == c)
        #expect(end(relay(), of: "/\(b)", for: c) == b)
    }

    @Test(
        "nothing is carried to who has no agreement, no trust, no link, or a link that is carried itself",
        arguments: [
            CallPeer(name: peerName("C"), trust: .untrusted, link: .up),
            CallPeer(name: peerName("C"), trust: .suspended, link: .up),
            CallPeer(name: peerName("C"), trust: .trusted, link: .down),
            CallPeer(name: peerName("C"), trust: .trusted, link: .dialling),
            CallPeer(name: peerName("C"), trust: .trusted, link: .up, relay: node(1)),
        ])
    func refused(peer: CallPeer) {
        var rig = relay()
        rig.peers[2] = peer
        rig.publish()
        #expect(end(rig) == nil)
        // The same of who asks.
        #expect(end(rig, of: "/\(b)", for: c) == nil)
        var none = DeskRig()
        none.agree(provider: node(0), consumer: b, "relay")
        none.publish()
        #expect(end(none) == nil)
    }

    @Test(
        "nor to a path that names no other peer",
        arguments: ["/", "", "/nobody", "/\(node(1))", "/\(node(0))", "/\(node(9))", "/\(node(2))/"])
    func paths(path: String) { #expect(end(relay(), of: path) == nil) }

    @Test("an agreement that is over, or for others, carries nothing")
    func terms() {
        for (standing, until) in [
            (AgreementTerms.Standing.ended, 1 << 40), (.pending, 1 << 40), (.active, 1),
        ] {
            var rig = DeskRig()
            rig.agree(provider: node(0), consumer: b, "relay")
            rig.agree(
                provider: node(0), consumer: c, "relay", until: Int64(until), standing: standing)
            rig.publish()
            #expect(end(rig) == nil)
        }
        var rig = DeskRig()
        rig.agree(provider: node(0), consumer: b, "relay")
        rig.agree(
            provider: node(0), consumer: c, "relay",
            conditions: AgreementConditions(principals: [Principal("somebody")!]))
        rig.publish()
        #expect(end(rig) == nil)
    }

    @Test("a call of the relay is a call: refused without an agreement, admitted and served with one")
    func called() throws {
        var rig = relay()
        let key = rig.arrive(
            "relay", "circuit", method: "WEBSOCKET", path: "/\(c)", body: .streamed(length: nil))
        let served = rig.effects.contains { effect in
            if case .serve(.inbound(key), let resource, _) = effect { resource.name == .relay } else { false }
        }
        #expect(served)
        var none = DeskRig()
        let other = none.arrive(
            "relay", "circuit", method: "WEBSOCKET", path: "/\(c)", body: .streamed(length: nil))
        #expect(none.refusal(of: other) != nil)
    }

    @Test("a link is taken only from a relay whose offer this node holds, and of a peer that it trusts")
    func taken() {
        var rig = DeskRig()
        func takes(_ relay: NodeID, _ caller: NodeID) -> Bool {
            rig.desk.acceptsCircuit(from: relay, of: caller, at: moment(rig.now))
        }
        #expect(!takes(b, c))
        rig.agree(provider: b, consumer: node(0), "relay")
        rig.publish()
        #expect(takes(b, c))
        #expect(!takes(c, b), "of the other direction nothing was said")
        #expect(!takes(b, b) && !takes(b, node(9)))
        for peer in [
            CallPeer(name: peerName("B"), trust: .suspended, link: .up),
            CallPeer(name: peerName("B"), trust: .trusted, link: .up, relay: c),
        ] {
            rig.peers[1] = peer
            rig.publish()
            #expect(!takes(b, c))
        }
    }

    @Test("calls over a link that is carried keep to the hop limit of their own agreement, at both ends")
    func hops() {
        for (hops, isAllowed) in [(Int64(0), false), (1, true), (8, true)] {
            var rig = DeskRig()
            rig.agreements = [:]
            rig.agree(provider: b, consumer: node(0), "orders", limits: UsageLimits(hops: hops))
            rig.agree(provider: node(0), consumer: b, "stock", limits: UsageLimits(hops: hops))
            rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up, relay: c)
            rig.publish()
            let call = rig.call("B")
            #expect(rig.refusal(of: call) == (isAllowed ? nil : [.hopsExceeded]))
            let key = rig.arrive()
            #expect(rig.refusal(of: key) == (isAllowed ? nil : [.hopsExceeded]))
        }
    }
}
