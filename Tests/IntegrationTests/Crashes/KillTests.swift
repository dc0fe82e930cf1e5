import Foundation
import MeshAudit
import MeshBase
import Testing

@testable import MeshAgent

@Suite(
    "An agent that is killed under calls", .serialized,
    .enabled(if: Program.isHere, "needs the program beside the tests: swift build --product comity"))
struct KillTests {
    @Test("ten times loses nothing that was acknowledged, needs no repair, and is trusted as before")
    func ten() async throws { try await kill(times: 10) }

    @Test("fifty times likewise", .enabled(if: Patience.isLong, Patience.why))
    func fifty() async throws { try await kill(times: 50) }

    private func kill(times: Int) async throws {
        try await TestMesh.with { mesh in
            let range = try await Range.build(in: mesh)
            let ledger = Ledger()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for number in 0..<4 { tasks.addTask { await range.call(as: number, into: ledger) } }
                for _ in 0..<times {
                    try await Task.sleep(for: .milliseconds(.random(in: 100...700)))
                    try await range.killOne(expecting: ledger)
                }
                try await Task.sleep(for: .milliseconds(300))
                tasks.cancelAll()
            }
            try await range.stop()
            #expect(ledger.count >= times * 5, "answers other than 200: \(ledger.others)")
            try await range.audit(ledger)
        }
    }
}

/// Two agents as processes (Alice provides, Bob calls), a backend in this one, and what they must remember.
private final class Range: Sendable {
    private let mesh: TestMesh
    private let backend: Backend
    private let alice: Post
    private let bob: Post

    /// One agent's place, which several processes occupy one after the other.
    private struct Post: Sendable {
        let name: String
        let home: String
        let node: NodeID
        let link: Endpoint
        let gateway: Endpoint
        let running: Running

        /// The process that occupies it now.
        actor Running {
            var process: AgentProcess?
            func set(_ process: AgentProcess) { self.process = process }
        }

        func start() async throws {
            let process = try AgentProcess(
                home: home, name: name,
                options: ["--listen", link.description, "--gateway", gateway.description])
            await running.set(process)
        }
    }

    private init(mesh: TestMesh, backend: Backend, alice: Post, bob: Post) {
        self.mesh = mesh
        self.backend = backend
        self.alice = alice
        self.bob = bob
    }

    static func build(in mesh: TestMesh) async throws -> Range {
        let backend = try await Backend.start()
        mesh.atEnd { await backend.stop() }
        let (alice, bob) = try await mesh.pair()
        try await alice.provide(
            "orders", at: backend.url,
            ["list=GET /list safe", "store=POST /store unsafe", "drop=DELETE /status/204 idempotent"])
        try await alice.offer("orders", to: bob)
        let posts = [alice, bob].map { agent in
            Post(
                name: agent.identity.name.description, home: agent.home.path, node: agent.node,
                link: agent.link, gateway: agent.gateway, running: Post.Running())
        }
        await alice.stop()
        await bob.stop()
        for post in posts {
            try await post.start()
            mesh.atEnd { await post.running.process?.end() }
        }
        let range = Range(mesh: mesh, backend: backend, alice: posts[0], bob: posts[1])
        try await range.working()
        return range
    }

    /// Waits until a call succeeds.
    private func working() async throws {
        let application = Application(gateway: bob.gateway)
        try await until("a call succeeds", within: .seconds(25)) {
            do {
                return try await application.invoke("alice/orders/list").status == 200
            } catch {
                return false
            }
        }
    }

    /// Calls, one after the other, until the task is cancelled: reads, writes, and writes that are repeated
    /// under one key until they are answered.
    func call(as number: Int, into ledger: Ledger) async {
        var count = 0
        while !Task.isCancelled {
            count += 1
            let kind = Ledger.Kind.allCases[count % Ledger.Kind.allCases.count]
            let request = "\(kind)-\(number)-\(count)"
            for _ in 0..<(kind == .keyed ? 20 : 1) {
                if await isOver(request, kind, into: ledger) { break }
            }
        }
    }

    /// Makes one request; answers whether it was answered by the resource, or never will be.
    private func isOver(_ request: String, _ kind: Ledger.Kind, into ledger: Ledger) async -> Bool {
        var headers = ["x-request": request]
        if kind == .keyed { headers["idempotency-key"] = request }
        do {
            let answer = try await Application(gateway: bob.gateway).invoke(
                kind.target, "{}", headers: headers)
            try await Task.sleep(for: .milliseconds(5))
            guard [200, 204].contains(answer.status), let correlation = answer.correlation else {
                ledger.note(answer.code)
                return answer.code == .outcomeUnknown
            }
            ledger.acknowledge(Ledger.Entry(correlation: correlation, request: request, kind: kind))
            return true
        } catch {
            ledger.note(nil)
            // Nobody listens while the agent restarts; cancellation ends the loop.
            try? await Task.sleep(for: .milliseconds(20))
            return Task.isCancelled
        }
    }

    /// Kills one of the two, starts it again in the same home, and waits until calls pass.
    func killOne(expecting ledger: Ledger) async throws {
        let victim = Bool.random() ? alice : bob
        try await victim.running.process?.kill()
        try await victim.start()
        let before = ledger.count
        try await until("calls pass again after \(victim.name) was killed", within: .seconds(25)) {
            ledger.count > before + 3
        }
    }

    func stop() async throws {
        for post in [alice, bob] { try await post.running.process?.stop() }
    }

    /// Opens both homes again and looks for every acknowledged call on both sides.
    func audit(_ ledger: Ledger) async throws {
        let provider = try await mesh.start("alice")
        let caller = try await mesh.start("bob")
        for (agent, peer) in [(provider, bob.node), (caller, alice.node)] {
            #expect(agent.agent.ground.journal.opening.damages == [])
            #expect(await agent.state(of: peer) == .trusted)
            let alarms = try await agent.events(AuditQuery(type: .trust, limit: AuditQuery.limitMax)).filter {
                $0.event.refusals.contains { $0.code == .bootReturned || $0.code == .peerSuspended }
            }
            #expect(alarms.isEmpty, "\(alarms)")
        }
        for post in [alice, bob] {
            let complaints = try String(contentsOfFile: post.home + ".log", encoding: .utf8)
                .split(separator: "\n").filter { $0.contains(" error ") }
            #expect(complaints.isEmpty)
        }
        let executed = Dictionary(grouping: backend.seen.compactMap { $0.header("x-request") }) { $0 }
        for entry in ledger.acknowledged {
            let here = try await caller.events(AuditQuery(correlation: entry.correlation))
            let there = try await provider.events(AuditQuery(correlation: entry.correlation))
            #expect(here.contains { $0.event.type == .call && $0.event.success && $0.stage == .ended })
            #expect(there.contains { $0.event.type == .service && $0.event.success && $0.stage == .ended })
            #expect(executed[entry.request] != nil)
        }
        // Acknowledged or not: nothing but what is declared repeatable is ever done twice.
        let twice = executed.filter {
            $0.value.count > 1 && !$0.key.hasPrefix("\(Ledger.Kind.read)")
                && !$0.key.hasPrefix("\(Ledger.Kind.empty)")
        }
        #expect(twice.isEmpty, "\(twice.keys)")
    }
}

extension Ledger.Kind {
    fileprivate var target: String {
        switch self {
        case .read: "alice/orders/list"
        case .write, .keyed: "alice/orders/store"
        case .empty: "alice/orders/drop"
        }
    }
}
