import Foundation
import MeshBase
import Testing

@Suite(
    "Nodes that start at once on one network with one issuer", .serialized,
    .enabled(if: LanDomain.isPossible, LanDomain.why))
struct CrowdTests {
    @Test("five of them trust each other and can call each other", .timeLimit(.minutes(3)))
    func five() async throws { try await start(5, within: .seconds(60)) }

    @Test(
        "sixteen likewise", .enabled(if: Patience.isLong, Patience.why), .timeLimit(.minutes(6)))
    func sixteen() async throws { try await start(16, within: .seconds(180)) }

    /// The issuer starts with all others. The bound is that of a machine whose two cores run all of them.
    private func start(_ count: Int, within patience: Duration) async throws {
        try await LanDomain.with(hosts: count) { domain in
            let began = ContinuousClock.now
            let members = try (1...count).map { try domain.boot($0) }
            try await members.allLinked(within: patience)
            let linked = ContinuousClock.now - began
            try await members.allCallable(within: patience)
            let callable = ContinuousClock.now - began
            print(
                String(
                    format: "%d nodes at once: all linked after %.1f s, all %d calls answered after %.1f s",
                    count, linked.inSeconds, count * (count - 1), callable.inSeconds))
        }
    }
}
