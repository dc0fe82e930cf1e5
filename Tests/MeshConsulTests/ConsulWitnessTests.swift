import Foundation
import MeshBase
import Synchronization
import Testing

@testable import MeshConsul

/// A witness at work on a server, and what it tells.
private final class Watching: Sendable {
    private let events: AsyncStream<ConsulEvent>
    private let witness: ConsulWitness
    private let task: Task<Void, Never>

    /// - Parameter registration: nil to look only.
    init(
        _ server: ContractServer, wait: Duration = .seconds(30), registration: ConsulRegistration? = nil,
        required: [(String, String)] = [], tls: ConsulTLS? = nil, token: String? = nil, seed: UInt64 = 1
    ) throws {
        var table = OrderedTable<String, String>()
        for (key, value) in required { table[key] = value }
        let settings = ConsulSettings(
            endpoint: server.endpoint, tls: tls, service: "comity", required: table, wait: wait
        ) { () throws(ConsulFailure) in token }
        let begin = ContinuousClock.now
        let witness = try ConsulWitness(
            settings, generator: SeededGenerator(seed: seed)
        ) { Instant(nanoseconds: (ContinuousClock.now - begin).wholeNanoseconds) }
        let (events, tell) = AsyncStream.makeStream(of: ConsulEvent.self)
        self.events = events
        self.witness = witness
        task = Task {
            await withTaskGroup(of: Void.self) { loops in
                loops.addTask { await witness.watch { tell.yield($0) } }
                guard let registration else { return }
                loops.addTask { await witness.hold({ registration }) { tell.yield($0) } }
            }
            tell.finish()
        }
    }

    /// The next event that is one of these.
    func next<Result>(_ what: String, _ pick: (ConsulEvent) -> Result?) async throws -> Result {
        for await event in events { if let result = pick(event) { return result } }
        throw ContractServer.Failure("it ended before \(what)")
    }

    /// Who is listed, as soon as `condition` holds of it.
    @discardableResult
    func listed(
        _ what: String, _ condition: ([ConsulListing.Entry]) -> Bool
    ) async throws -> [ConsulListing.Entry] {
        try await next(what) { event in
            guard case .listed(let listing, _, _, _) = event, condition(listing.entries) else { return nil }
            return listing.entries
        }
    }

    func failure() async throws -> ConsulFailure {
        try await next("a failure") { if case .listingFailed(let failure, _) = $0 { failure } else { nil } }
    }

    /// The first failure that is an answer. On a busy machine the server may close a connection just as it is
    /// asked once more, which is no answer; the witness asks again.
    func answeredFailure() async throws -> ConsulFailure {
        try await next("an answer that is a failure") {
            switch $0 {
            case .listingFailed(.unreachable, _): nil
            case .listingFailed(let failure, _): failure
            default: nil
            }
        }
    }

    func held() async throws {
        try await next("being held") { if case .held = $0 { () } else { nil } }
    }

    func stop() async throws {
        task.cancel()
        await task.value
        try await witness.close()
    }
}

@Suite(
    "The Consul witness", .serialized, .timeLimit(.minutes(2)),
    .enabled(if: ContractServer.isPossible, "needs /usr/bin/python3"))
struct ConsulWitnessTests {
    private func registration(_ name: String, host: String = "192.0.2.1") -> ConsulRegistration {
        var metadata = OrderedTable<String, String>()
        metadata["v"] = "1"
        return ConsulRegistration(
            id: name, endpoint: Endpoint(host: host, port: 7410), metadata: metadata)
    }

    @Test("registers, sees others come and go at once, and takes itself back at the end")
    func lifecycle() async throws {
        try await ContractServer.with { server in
            let first = try Watching(server, registration: registration("one"))
            try await first.held()
            let second = try Watching(server, registration: registration("two", host: ""), seed: 2)
            let both = try await first.listed("both") { $0.count == 2 }
            #expect(both.map(\.id) == ["one", "two"])
            #expect(both.map(\.endpoint.host) == ["192.0.2.1", "127.0.0.1"])
            #expect(both[0].metadata == ["v": "1"])
            try await second.stop()
            try await first.listed("the one left") { $0.map(\.id) == ["one"] }
            try await first.stop()
            #expect(try await server.list().entries == [])
        }
    }

    @Test("notices what changed on a server that was wiped, and registers anew with one that forgot it")
    func wiped() async throws {
        try await ContractServer.with { server in
            let watching = try Watching(server, wait: .seconds(2), registration: registration("one"))
            try await watching.listed("itself") { $0.count == 1 }
            try await server.fault("wiped")
            try await watching.listed("nobody") { $0.isEmpty }
            try await watching.listed("itself again") { $0.count == 1 }
            try await watching.stop()
        }
    }

    @Test(
        "lives through a server without leader, garbage, floods and redirects, and sees all when it is well again",
        arguments: ["no-leader", "garbage", "oversized", "redirect", "forget"])
    func faults(fault: String) async throws {
        try await ContractServer.with { server in
            try await server.fault(fault)
            let watching = try Watching(server, wait: .seconds(2), registration: registration("one"))
            if fault == "forget" {
                _ = try await watching.next("no holding") {
                    if case .holdingFailed(.unexpected(404, _), _) = $0 { () } else { nil }
                }
            } else {
                switch (fault, try await watching.answeredFailure()) {
                case ("no-leader", .unwell(500, "No cluster leader")), ("garbage", .answerMalformed),
                    ("oversized", .answerTooLong), ("redirect", .unexpected(302, _)):
                    break
                case (_, let failure): Issue.record("\(fault): \(failure)")
                }
            }
            try await server.fault("none")
            try await watching.listed("itself") { $0.count == 1 }
            try await watching.stop()
        }
    }

    @Test(
        "does not spin at index 0, at a list that always changes, or without an index",
        arguments: [
            "index-zero", "churn", "no-index",
        ])
    func patience(fault: String) async throws {
        try await ContractServer.with { server in
            try await server.fault(fault)
            let watching = try Watching(server)
            let begin = ContinuousClock.now
            let count = fault == "no-index" ? 1 : 6
            for _ in 0..<count { try await watching.listed("any list") { _ in true } }
            let took = ContinuousClock.now - begin
            // A burst of three, then one a second.
            if count > 1 { #expect(took >= .seconds(2)) }
            try await watching.stop()
            let asked = try await server.seen().filter { $0.path.hasPrefix("/v1/health") }.count
            #expect(asked <= count + 1)
        }
    }

    @Test(
        "ends a question that drips or is never answered, and says how long it waited",
        arguments: [
            "late", "drip",
        ])
    func slow(fault: String) async throws {
        try await ContractServer.with { server in
            try await server.fault(fault)
            let watching = try Watching(server)
            #expect(try await watching.failure() == .late(patience: .seconds(10)))
            try await watching.stop()
        }
    }

    @Test("takes the address of the server's node for who registered without one")
    func emptyAddress() async throws {
        try await ContractServer.with { server in
            try await server.fault("no-address")
            try await server.register(#"{"ID":"x","Name":"comity","Address":"192.0.2.7","Port":7}"#)
            let watching = try Watching(server)
            let entries = try await watching.listed("one") { $0.count == 1 }
            #expect(entries.map(\.endpoint) == [Endpoint(host: "127.0.0.1", port: 7)])
            try await watching.stop()
        }
    }

    @Test("asks only for those with the metadata that is required")
    func filtered() async throws {
        try await ContractServer.with { server in
            for (name, region) in [("a", "eu"), ("b", "us")] {
                try await server.register(
                    #"{"ID":"\#(name)","Name":"comity","Port":7,"Meta":{"region":"\#(region)"}}"#)
            }
            let watching = try Watching(server, required: [("region", "us")])
            let entries = try await watching.listed("one") { !$0.isEmpty }
            #expect(entries.map(\.id) == ["b"])
            try await watching.stop()
        }
    }

    @Test("says that entries were kept back, is denied by name, and shows its token in a header only")
    func tokens() async throws {
        try await ContractServer.with(["--token", "open-sesame"]) { server in
            let owner = try Watching(server, registration: registration("one"), token: "open-sesame")
            try await owner.held()
            let blind = try Watching(server, registration: registration("two"), seed: 2)
            let isWithheld = try await blind.next("an empty list") { event in
                if case .listed(let list, _, let withheld, _) = event {
                    list.entries.isEmpty && withheld
                } else {
                    nil
                }
            }
            #expect(isWithheld)
            let denied = try await blind.next("a denial") {
                if case .holdingFailed(.denied(let what), _) = $0 { what } else { nil }
            }
            #expect(denied.contains("service:write"))
            let wrong = try Watching(server, token: "wrong", seed: 3)
            #expect(try await wrong.failure() == .denied(what: "ACL not found"))
            for watching in [owner, blind, wrong] { try await watching.stop() }
            let seen = try await server.seen()
            #expect(seen.contains { $0.headers.contains("x-consul-token") })
            #expect(
                seen.allSatisfy { !$0.query.values.contains("open-sesame") && !$0.path.contains("sesame") })
        }
    }

    @Test("goes on when the server dies, and finds the one that takes its place")
    func killed() async throws {
        let first = try await ContractServer()
        let address = first.endpoint.description
        let watching = try Watching(first, registration: registration("one"))
        try await watching.held()
        first.stop()
        switch try await watching.failure() {
        case .unreachable: break
        case let failure: Issue.record("\(failure)")
        }
        try await ContractServer.with(listen: address) { _ in
            try await watching.listed("itself, at the new one") { $0.count == 1 }
            try await watching.stop()
        }
    }

    @Test("is asked over IPv6")
    func six() async throws {
        try await ContractServer.with(listen: "[::1]:0") { server in
            let watching = try Watching(server, registration: registration("one", host: ""))
            let entries = try await watching.listed("itself") { $0.count == 1 }
            #expect(entries.map(\.endpoint.host) == ["::1"])
            try await watching.stop()
        }
    }
}
