import Foundation
import MeshBase
import Testing

/// Zero touch, by the clock. The two that are there run; each newcomer is a home and a host of its own, and
/// has ended before the next one boots.
@Suite(
    "A node that boots with a join token on a network of three", .serialized,
    .enabled(if: LanDomain.isPossible && MulticastEar.isPossible, LanDomain.why))
struct ColdBootTests {
    @Test("is trusted and callable within moments of its announcement, three times", .timeLimit(.minutes(3)))
    func three() async throws { try await boot(times: 3) }

    @Test(
        "twenty times: at most one above 2 s, and none above 5 s",
        .enabled(if: Patience.isLong, Patience.why), .timeLimit(.minutes(10)))
    func twenty() async throws { try await boot(times: 20) }

    @Test(
        "is enrolled within 10 s of an issuer whose host died and comes back",
        .enabled(if: Patience.isLong, Patience.why), .timeLimit(.minutes(3)))
    func issuerAway() async throws {
        try await LanDomain.with(hosts: 2) { domain in
            let first = try domain.boot(1)
            try await until("the issuer runs") { await first.process.status() != nil }
            let ear = try await MulticastEar(on: 2, in: domain.lab, for: domain.mesh)
            _ = try await ear.announcement(of: domain.lab.address(1), within: .seconds(10))
            // A host that dies says no goodbye: mDNS goes on showing where it was.
            try await domain.lab.run("avahi-kill", "1")
            try await first.process.kill()
            let newcomer = try domain.boot(2)
            try await until("the newcomer runs") { await newcomer.process.status() != nil }
            // Long enough for its wait between two attempts to grow beyond that bound.
            try await Task.sleep(for: .seconds(25))
            try await domain.lab.run("avahi-start", "1")
            let back = try domain.boot(1)
            try await until("the issuer is back") { await back.process.status() != nil }
            let took = try await [back, newcomer].allCallable(within: .seconds(60))
            print(String(format: "the issuer is back: calls answered after %.2f s", took.inSeconds))
            #expect(took < .seconds(10))
        }
    }

    private func boot(times: Int) async throws {
        try await LanDomain.with(hosts: 2 + times) { domain in
            let others = [try domain.boot(1), try domain.boot(2)]
            try await others.allCallable(within: .seconds(30))
            let ear = try await MulticastEar(on: 1, in: domain.lab, for: domain.mesh)
            var waits: [Double] = []
            for host in 3..<(3 + times) {
                let began = Monotonic.now()
                let newcomer = try domain.boot(host)
                try await (others + [newcomer]).allCallable(within: .seconds(30))
                let callable = Monotonic.now()
                let seen = try await ear.announcement(
                    of: domain.lab.address(host), within: .seconds(10))
                let trusting = try #require(await newcomer.process.status()).peers
                    .filter { $0.trust == .trusted }.compactMap { $0.name?.description }
                #expect(Set(trusting).isSuperset(of: others.map(\.name)))
                print(
                    String(
                        format: "cold boot %2d: announced after %.3f s, all calls answered %+.3f s from then",
                        host - 2, (seen - began).inSeconds, (callable - seen).inSeconds))
                waits.append((callable - seen).inSeconds)
                try await newcomer.process.stop()
            }
            waits.sort()
            print(
                String(
                    format: "cold boots: %d, median %.3f s, worst %.3f s", times, waits[times / 2],
                    waits[times - 1]))
            #expect(waits.filter { $0 > 2 }.count <= 1, "\(waits)")
            #expect(waits.allSatisfy { $0 <= 5 }, "\(waits)")
        }
    }
}
