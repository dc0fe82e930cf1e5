import MeshAudit
import MeshBase
import MeshNode
import Testing

@testable import MeshAgent

@Suite("What is counted of trust")
struct TrustMeterTests {
    @Test(
        "trust is made once: neither a peer that is resumed nor one that changed its domain is counted again")
    func establishments() throws {
        let meter = TrustMeter()
        let node = NodeID(try #require(Digest([UInt8](repeating: 1, count: 32))))
        for (state, count) in [("unknown", 1), ("trusted", 1), ("suspended", 1), ("verified", 2)] {
            let event = AuditEvent(
                type: .trust, source: node, target: node, action: "peer trusted", success: true,
                metadata: [Fact("peer", "b"), Fact("from", state), Fact("to", "trusted")])
            meter.note(.record([.event(event)], .written))
            #expect(meter.snapshot.established == UInt64(count), "from \(state)")
        }
    }
}
