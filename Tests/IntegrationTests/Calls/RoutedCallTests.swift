import Foundation
import MeshAudit
import MeshBase
import Testing

@testable import MeshAgent

@Suite("Calls that the router places", .timeLimit(.minutes(1)))
struct RoutedCallTests {
    @Test("reach both providers, and go on when one of them is gone")
    func oneStops() async throws {
        try await TestMesh.with { mesh in
            let (first, second) = (try await Backend.start(), try await Backend.start())
            mesh.atEnd {
                await first.stop()
                await second.stop()
            }
            let caller = try await mesh.start("caller")
            let near = try await mesh.start("near")
            let far = try await mesh.start("far")
            for (provider, backend) in [(near, first), (far, second)] {
                try await provider.join(caller)
                try await provider.provide("prices", at: backend.url, ["get=GET /price idempotent"])
                try await provider.offer("prices", to: caller)
            }
            try await caller.route("prices", via: [near, far])
            for _ in 0..<60 { #expect(try await caller.application.invoke("any/prices/get").status == 200) }
            #expect(!first.seen.isEmpty && !second.seen.isEmpty)
            await near.stop()
            let before = second.seen.count
            for _ in 0..<60 { #expect(try await caller.application.invoke("any/prices/get").status == 200) }
            #expect(second.seen.count >= before + 60)
        }
    }

    @Test("go to no peer that merely offers the name")
    func notRouted() async throws {
        try await Market.with { market in
            let answer = try await market.bob.application.invoke("any/orders/list")
            #expect(answer.code == .resourceUnknown)
            #expect(market.backend.seen.isEmpty)
        }
    }
}
