import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

@Suite(
    "Three hosts with an Avahi each", .serialized,
    .enabled(
        if: LanLab.isPossible && Program.isHere,
        "needs root, iproute2, nftables, dbus-daemon, avahi-daemon, and the program beside the tests"))
struct LanTests {
    @Test(
        "find each other by mDNS, notice a killed node within 5 s, and take it back", .timeLimit(.minutes(3)))
    func killed() async throws {
        try await Lan.with { lan in
            try await lan.allLinked(within: .seconds(30))
            try await lan.kill(2)
            let noticed = try await until("both others notice", within: .seconds(10)) {
                let first = await lan.link(0, 2)
                let second = await lan.link(1, 2)
                return first == .down && second == .down
            }
            #expect(noticed < .seconds(5))
            // On another port than before, so that only the announcement tells where it is.
            try await lan.start(2, port: 7_500)
            try await lan.allLinked(within: .seconds(20))
        }
    }

    @Test("take their links back within 20 s of a short partition", .timeLimit(.minutes(3)))
    func partitioned() async throws { try await partition(for: .seconds(12)) }

    @Test(
        "take their links back within 20 s of a partition of 80 s",
        .enabled(if: Patience.isLong, Patience.why), .timeLimit(.minutes(5)))
    func longPartitioned() async throws { try await partition(for: .seconds(80)) }

    @Test("give a stranger on the same network nothing", .timeLimit(.minutes(3)))
    func stranger() async throws {
        try await Lan.with(stranger: true) { lan in
            try await until("the two friends are linked", within: .seconds(30)) {
                let here = await lan.link(0, 1)
                let there = await lan.link(1, 0)
                return here == .up && there == .up
            }
            try await Task.sleep(for: .seconds(5))
            for friend in 0...1 {
                let status = try #require(await lan.process(friend)?.status())
                #expect(!status.peers.contains { $0.id == lan.nodes[2] })
                #expect(status.peers.filter { $0.trust == .trusted }.count == 1)
            }
            let stranger = try #require(await lan.process(2)?.status())
            #expect(!stranger.peers.contains { $0.trust != .seen || $0.id != nil })
        }
    }

    private func partition(for duration: Duration) async throws {
        try await Lan.with { lan in
            try await lan.allLinked(within: .seconds(30))
            try await lan.lab.run("isolate", "3")
            try await until("the isolated node is noticed", within: .seconds(10)) {
                let first = await lan.link(0, 2)
                let second = await lan.link(1, 2)
                return first == .down && second == .down
            }
            try await Task.sleep(for: duration)
            try await lan.lab.run("heal")
            let healed = try await lan.allLinked(within: .seconds(30))
            #expect(healed < .seconds(20))
        }
    }
}
