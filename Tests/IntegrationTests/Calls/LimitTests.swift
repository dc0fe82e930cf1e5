import MeshAgreements
import MeshAudit
import MeshBase
import Synchronization
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("Calls under limits", .serialized, .timeLimit(.minutes(2)))
struct LimitTests {
    private func with(
        _ limits: UsageLimits, _ body: @escaping @Sendable (Market) async throws -> Void
    ) async throws {
        try await Market.with { market in
            try await market.alice.provide("ledger", at: market.backend.url, ["look=GET / safe"])
            try await market.alice.offer("ledger", to: market.bob, limits: limits)
            try await body(market)
        }
    }

    @Test("a quota is refused before anything leaves, with 429 and when to come again, over a restart too")
    func consumer() async throws {
        try await with(UsageLimits(callsPerMonth: 3)) { market in
            for _ in 0..<3 {
                #expect(try await market.bob.application.send(.GET, "/mesh/alice/ledger/a").code == nil)
            }
            let answer = try await market.bob.application.send(.GET, "/mesh/alice/ledger/a")
            #expect(answer.code == .quotaExhausted && answer.status == 429)
            let wait = try #require(answer.headers["retry-after"].flatMap { Int($0) })
            #expect((1...31 * 86_400).contains(wait))
            #expect(market.backend.seen.count == 3)
            await market.bob.stop()
            let back = try await market.mesh.start("bob")
            try await back.linked(with: market.alice)
            let later = try await back.application.send(.GET, "/mesh/alice/ledger/a")
            #expect(later.code == .quotaExhausted && market.backend.seen.count == 3)
            for agent in [back, market.alice] {
                let actions = try await agent.events().map(\.event.action)
                #expect(actions.filter { $0 == "agreement quota at 100 %" }.count == 1)
            }
        }
    }

    @Test("a consumer that does not count is refused by the provider, and both hold why")
    func provider() async throws {
        try await with(UsageLimits(callsPerDay: 2, callsPerMonth: 2)) { market in
            for _ in 0..<2 {
                #expect(try await market.bob.application.send(.GET, "/mesh/alice/ledger/a").code == nil)
            }
            market.bob.calls.desk.withLock { $0.meters = MeterBook() }
            let answer = try await market.bob.application.send(.GET, "/mesh/alice/ledger/a")
            #expect(answer.code == .quotaExhausted && answer.status == 429 && market.backend.seen.count == 2)
            let id = try #require(answer.correlation)
            for agent in [market.alice, market.bob] {
                let events = try await agent.events(AuditQuery(correlation: id))
                let refusals = events.flatMap(\.event.refusals).filter { $0.code == .quotaExhausted }
                #expect(!refusals.isEmpty)
                #expect(refusals.allSatisfy { $0.facts.contains(Fact("decided at", "provider")) })
            }
        }
    }

    @Test("a rate lets its burst through and says in how many seconds the next may come")
    func rate() async throws {
        try await with(UsageLimits(rate: RateLimit(calls: 1, seconds: 60, burst: 2))) { market in
            for expected in [nil, nil, RefusalCode.rateExceeded] {
                let answer = try await market.bob.application.send(.GET, "/mesh/alice/ledger/a")
                #expect(answer.code == expected)
                guard expected != nil else { continue }
                let wait = try #require(answer.headers["retry-after"].flatMap { Int($0) })
                #expect(answer.status == 429 && (50...60).contains(wait))
            }
        }
    }

    @Test("a rate that the provider's operator set holds a partner, who hears when to come; both hold why")
    func ownRate() async throws {
        try await TestMesh.with { mesh in
            let backend = try await Backend.start()
            mesh.atEnd { await backend.stop() }
            let alice = try await mesh.start("alice", environment: ["COMITY_CALLS_PER_PEER": "1/m:2"])
            let bob = try await mesh.start("bob")
            try await bob.join(alice)
            try await alice.provide("ledger", at: backend.url, ["look=GET / safe"])
            try await alice.offer("ledger", to: bob)
            for _ in 0..<2 {
                #expect(try await bob.application.send(.GET, "/mesh/alice/ledger/a").code == nil)
            }
            let answer = try await bob.application.send(.GET, "/mesh/alice/ledger/a")
            #expect(answer.code == .tooManyCalls && answer.status == 429 && backend.seen.count == 2)
            let wait = try #require(answer.headers["retry-after"].flatMap { Int($0) })
            #expect((50...60).contains(wait))
            let id = try #require(answer.correlation)
            for agent in [alice, bob] {
                let events = try await agent.events(AuditQuery(correlation: id))
                let refusals = events.flatMap(\.event.refusals).filter { $0.code == .tooManyCalls }
                #expect(!refusals.isEmpty)
                #expect(refusals.allSatisfy { $0.facts.contains(Fact("calls of", "this partner")) })
            }
        }
    }
}

@Suite("A stream whose agreement is revoked", .serialized, .timeLimit(.minutes(2)))
struct CutStreamTests {
    /// Bob reads a slow stream of Alice's; once it has begun, `revoker` ends its agreement. Answers all that
    /// came.
    private func read(_ callsAtEnd: CallsAtEnd, isProvider: Bool) async throws -> (
        text: String, codes: [[RefusalCode]]
    ) {
        let result = Mutex<(String, [[RefusalCode]])>(("", []))
        try await Stall.with { market in
            let (alice, bob) = (market.alice, market.bob)
            try await alice.provide("news", at: market.backend.url, ["read=GET / safe"])
            try await alice.offer("news", to: bob, callsAtEnd: callsAtEnd)
            let revoker = isProvider ? alice : bob
            let id = try #require(
                await revoker.plane.node.agreements.records.last { record in
                    record.agreement.grants.contains { $0.resource.description == "news" }
                }?.contentID)
            let began = Signal()
            async let stream = bob.stream(.get("/mesh/alice/news/slowly/4")) { wire in
                let start = wire.receive(until: "event 0\n")
                began.hasCome.store(true, ordering: .relaxed)
                return start + wire.receive(until: "x-events: 4\r\n\r\n")
            }
            try await until("the stream has begun") { began.hasCome.load(ordering: .relaxed) }
            try await revoker.order(
                .revoke(RevocationOrder(contentID: id, orderedBy: .local, reason: "moved")))
            let text = try await stream
            try await until("nothing is under way") {
                alice.calls.desk.withLock { $0.load.services } == 0
                    && bob.calls.desk.withLock { $0.load.calls } == 0
            }
            var codes: [[RefusalCode]] = []
            for agent in [alice, bob] {
                let events = try await agent.events().map(\.event).filter {
                    $0.resource?.description == "news" && $0.correlation != nil
                }
                codes.append(events.flatMap(\.refusals).map(\.code))
            }
            let found = (text, codes)
            result.withLock { $0 = found }
        }
        return result.withLock { $0 }
    }

    @Test("cut: it ends at once at both ends, and both say why", arguments: [true, false])
    func cut(isProvider: Bool) async throws {
        let (text, codes) = try await read(.cut, isProvider: isProvider)
        #expect(text.contains("event 0") && !text.contains("event 3"))
        #expect(codes.allSatisfy { !$0.isEmpty })
        let revokers = codes[isProvider ? 0 : 1]
        #expect(revokers.allSatisfy { $0 == .agreementEnded })
    }

    @Test("finish: it goes on to its end")
    func finish() async throws {
        let (text, codes) = try await read(.finish, isProvider: true)
        #expect(text.contains("event 3") && codes.allSatisfy(\.isEmpty))
    }
}

/// That something has come to pass, told across threads.
private final class Signal: Sendable {
    let hasCome = Atomic(false)
}
