import AsyncHTTPClient
import Foundation
import MeshAudit
import MeshBase
import Synchronization
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("A slow service that one partner floods", .serialized, .timeLimit(.minutes(3)))
struct OverloadTests {
    /// What one caller's calls came to.
    private final class Book: Sendable {
        private let lines = Mutex<[(status: Int, code: RefusalCode?, seconds: Double, retry: String?)]>([])
        var all: [(status: Int, code: RefusalCode?, seconds: Double, retry: String?)] {
            lines.withLock { $0 }
        }

        /// One call, until the next is due.
        func call(_ client: HTTPClient, _ url: String) async throws {
            let began = DispatchTime.now().uptimeNanoseconds
            let answer = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(20))
            _ = try await answer.body.collect(upTo: 1 << 16)
            let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
            let code = answer.headers.first(name: "comity-refusal").flatMap { RefusalCode(rawValue: $0) }
            let line = (
                Int(answer.status.code), code, seconds, answer.headers.first(name: "retry-after")
            )
            lines.withLock { $0.append(line) }
        }
    }

    @Test("the other's calls go through, the flood is refused with 503, and no breaker opens")
    func shares() async throws {
        try await TestMesh.with { mesh in
            // Four at once, 100 ms each: forty a second.
            let backend = try SlowBackend(places: 4, work: 0.1)
            mesh.atEnd { backend.stop() }
            let provider = try await mesh.start("provider")
            let modest = try await mesh.start("modest")
            let greedy = try await mesh.start("greedy")
            for caller in [modest, greedy] { try await provider.join(caller) }
            try await provider.provide("reports", at: backend.url, ["get=GET / safe"])
            for caller in [modest, greedy] { try await provider.offer("reports", to: caller) }
            let (kept, flood) = (Book(), Book())
            // Two applications, of which one has as many connections as it likes.
            var many = HTTPClient.Configuration()
            many.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: many)
            mesh.atEnd {
                do {
                    try await client.shutdown()
                } catch {
                    print("a client did not end cleanly: \(error)")
                }
            }
            let (modestly, greedily) = (
                modest.application.base + "/mesh/provider/reports/one",
                greedy.application.base + "/mesh/provider/reports/one"
            )
            // What it takes while it has little to do.
            for _ in 0..<12 { try await kept.call(client, modestly) }
            let before = kept.all.count
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<40 {
                    tasks.addTask {
                        while !Task.isCancelled {
                            try await flood.call(client, greedily)
                            try await Task.sleep(for: .milliseconds(20))
                        }
                    }
                }
                try await until("the provider refuses the flood", within: .seconds(60)) {
                    flood.all.contains { $0.code == .overloaded }
                }
                // What waited in the service before anything was refused is answered first.
                let reports = ResourceName("reports")!
                try await until("no more is in hand than may be", within: .seconds(60)) {
                    provider.calls.desk.withLock { desk in
                        desk.loads[reports].map { $0.standing.map { limit in limit > 2 } ?? false } ?? false
                    }
                }
                let began = kept.all.count
                for _ in 0..<60 {
                    try await kept.call(client, modestly)
                    try await Task.sleep(for: .milliseconds(50))
                }
                tasks.cancelAll()
                let during = kept.all.dropFirst(began)
                let served = during.count { $0.status == 200 }
                #expect(served >= 45, "\(during.map { "\($0.status) \($0.code?.rawValue ?? "")" })")
                let slowest = during.map(\.seconds).sorted()[during.count * 9 / 10]
                #expect(slowest < 1, "nine of ten within \(slowest) s")
                while let result = await tasks.nextResult() {
                    if case .failure(let error) = result, !(error is CancellationError) {
                        print("a call of the flood: \(error)")
                    }
                }
            }
            #expect(before == 12)
            let refused = flood.all.filter { $0.code == .overloaded }
            #expect(refused.count > 20 && flood.all.contains { $0.status == 200 })
            #expect(refused.allSatisfy { $0.status == 503 && $0.retry == "1" })
            for caller in [modest, greedy] {
                let ways = caller.calls.desk.withLock { $0.routes(at: SystemClock.now()) }
                #expect(ways.allSatisfy { $0.breaker == .closed })
            }
            // Both audits say why, and with whom it was shared the provider's own.
            for agent in [provider, greedy] {
                let events = try await agent.events().map(\.event).flatMap(\.refusals)
                let shed = events.first { $0.code == .overloaded }
                #expect(shed?.facts.contains { $0.name == "share of each" } == true)
                #expect(shed?.facts.contains { $0.name == "partners" } == (agent === provider))
            }
            let standing = provider.calls.desk.withLock { $0.loads[ResourceName("reports")!]?.refusals }
            #expect((standing ?? 0) > 20)
        }
    }
}
