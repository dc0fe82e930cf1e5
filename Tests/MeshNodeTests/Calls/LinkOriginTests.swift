import MeshAgreements
import MeshBase
import Testing

@testable import MeshNode

@Suite("Calls are held against their own connection, whatever the view says of the peer's link")
struct LinkOriginTests {
    /// B may call `stock` from 10.0.0.0/8, over no relay; by the view it sits at `address`, behind `relay`.
    private func rig(at address: String, behind relay: NodeID? = nil) throws -> DeskRig {
        var rig = DeskRig()
        rig.agreements[node(1)] = []
        rig.agree(
            provider: node(0), consumer: node(1), "stock",
            conditions: AgreementConditions(networks: [try #require(IPNetwork("10.0.0.0/8"))]),
            limits: UsageLimits(hops: 0))
        rig.agree(provider: node(1), consumer: node(0), "orders", limits: UsageLimits(hops: 0))
        rig.peers[1] = CallPeer(
            name: peerName("B"), trust: .trusted, link: .up, address: IPAddress(address), relay: relay)
        rig.publish()
        return rig
    }

    private func origin(_ address: String?, behind relay: NodeID? = nil) -> LinkOrigin {
        LinkOrigin(address: address.flatMap { IPAddress($0) }, relay: relay)
    }

    @Test("a network is that of the connection on which the call came")
    func network() throws {
        for known in ["10.1.1.1", "192.0.2.1"] {
            var rig = try rig(at: known)
            let outside = rig.arrive(over: origin("192.0.2.1"))
            #expect(rig.refusal(of: outside) == [.networkNotAgreed], "known at \(known)")
            let inside = rig.arrive(over: origin("10.2.2.2"))
            #expect(rig.refusal(of: inside) == nil, "known at \(known)")
        }
    }

    @Test("hops are those of the connection on which the call came")
    func hops() throws {
        var rig = try rig(at: "10.1.1.1")
        let key = rig.arrive(over: origin(nil, behind: node(2)))
        #expect(rig.refusal(of: key)?.contains(.hopsExceeded) == true)
        let direct = rig.arrive(over: origin("10.2.2.2"))
        #expect(rig.refusal(of: direct) == nil)
    }

    @Test("hops of a call that leaves are those of the link that came up, before the view tells of it")
    func outbound() throws {
        var rig = try rig(at: "10.1.1.1")
        rig.take(.linkCameUp(node(1), through: node(2)))
        let carried = rig.call("B")
        #expect(rig.refusal(of: carried) == [.hopsExceeded])
        rig.take(.linkCameUp(node(1), through: nil))
        let direct = rig.call("B")
        #expect(rig.refusal(of: direct) == nil && rig.sent.count == 1)
    }

    @Test("a link at rest stays so when its connection ends, and keeps who carried it until it has ended")
    func atRest() throws {
        var rig = try rig(at: "10.1.1.1")
        rig.take(.linkCameUp(node(1), through: node(2)))
        rig.take(.linkAtRest(node(1)))
        #expect(rig.desk.routes.lines[node(1)]?.relay == node(2))
        rig.take(.linkWentDown(node(1)))
        #expect(rig.desk.routes.lines[node(1)]?.link == .atRest)
        rig.take(.linkCameUp(node(1), through: nil))
        rig.take(.linkWentDown(node(1)))
        #expect(rig.desk.routes.lines[node(1)]?.link == .dialling)
    }
}
