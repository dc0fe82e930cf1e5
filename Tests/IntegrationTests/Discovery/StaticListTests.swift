import Foundation
import MeshBase
import Testing

@testable import MeshAgent

/// The operator's list alone: no mDNS, no zone, no addresses from before.
@Suite("Two agents of which one's list names the other")
struct StaticListTests {
    @Test("find each other by it alone", .timeLimit(.minutes(1)))
    func findEachOther() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            await alice.stop()
            await bob.stop()
            // Neither is where the other met it; nobody but the list says where bob is now.
            let second = try await mesh.start("bob")
            let first = try await mesh.start(
                "alice", environment: ["COMITY_DISCOVERY_STATIC": "\(bob.node)@\(second.link)"])
            try await first.linked(with: second, within: .seconds(30))
        }
    }
}
