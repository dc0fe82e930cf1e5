import MeshBase
import Testing

@testable import MeshNode

@Suite struct DrainTests {
    @Test func `a node that drains repeats nothing`() {
        var rig = DeskRig()
        let id = rig.call("any")
        rig.take(.draining)
        rig.failLast()
        #expect(rig.sent.count == 1)
        #expect(rig.refusal(of: id)?.last == .peerUnreachable)
    }
}
