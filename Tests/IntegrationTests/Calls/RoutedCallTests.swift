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

    @Test(
        "are all answered when one of two providers is killed under them, and when it is back",
        .enabled(if: Program.isHere, "needs the program beside the tests: swift build --product comity"))
    func oneIsKilled() async throws {
        try await TestMesh.with { mesh in
            let backend = try await Backend.start()
            mesh.atEnd { await backend.stop() }
            let caller = try await mesh.start("caller")
            let near = try await mesh.start("near")
            let far = try await mesh.start("far")
            for provider in [near, far] {
                try await provider.join(caller)
                try await provider.provide("prices", at: backend.url, ["get=GET /price idempotent"])
                try await provider.offer("prices", to: caller)
            }
            try await caller.route("prices", via: [near, far])
            let options = ["--listen", "\(near.link)", "--gateway", "\(near.gateway)"]
            await near.stop()
            let ledger = Ledger()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 { tasks.addTask { await call(caller.application, into: ledger) } }
                for _ in 0..<2 {
                    let process = try AgentProcess(home: near.home.path, name: "near", options: options)
                    mesh.atEnd { await process.end() }
                    try await until("near takes calls", within: .seconds(20)) {
                        await caller.link(with: near.node) != nil
                    }
                    try await Task.sleep(for: .milliseconds(.random(in: 400...900)))
                    try await process.kill()
                    try await Task.sleep(for: .milliseconds(400))
                }
                tasks.cancelAll()
            }
            #expect(ledger.others.isEmpty, "answered otherwise than 200: \(ledger.others) \(ledger.errors)")
            #expect(ledger.count > 50)
        }
    }

    /// Calls, one after the other, until the task is cancelled.
    private func call(_ application: Application, into ledger: Ledger) async {
        while !Task.isCancelled {
            do {
                let answer = try await application.invoke("any/prices/get")
                if answer.status == 200, let correlation = answer.correlation {
                    ledger.acknowledge(
                        Ledger.Entry(correlation: correlation, request: "", kind: .read))
                } else {
                    ledger.note(answer.code, answer.text)
                }
                try await Task.sleep(for: .milliseconds(5))
            } catch {
                if !Task.isCancelled { ledger.note(nil, "\(error)") }
            }
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
