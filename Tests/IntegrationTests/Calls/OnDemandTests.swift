import MeshAudit
import MeshBase
import MeshControl
import MeshDiscovery
import MeshNode
import Testing

@testable import MeshAgent

/// Four agents that trust one another and keep two links each: a ring. Who stand opposite one another have a
/// link only while something needs it.
@Suite("Links on demand", .serialized, .timeLimit(.minutes(2)))
struct OnDemandTests {
    /// - Parameters:
    ///   - pause: how often calls tell that they use a link.
    ///   - idle: after how long without use it is put to rest.
    private static func with(
        pause: Duration = .milliseconds(200), idle: Duration = .seconds(2),
        _ body: (TestMesh, [RunningAgent]) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            var agents: [RunningAgent] = []
            for name in ["ana", "ben", "cleo", "dan"] {
                agents.append(
                    try await mesh.start(name) { configuration in
                        configuration.discovery.overlay.linksToAll = 2
                        configuration.discovery.overlay.gossipLinks = 2
                        configuration.discovery.overlay.nearLinks = 2
                        configuration.discovery.overlay.idle = idle
                        configuration.calls.linkUsePause = pause
                    })
            }
            for (place, agent) in agents.enumerated() {
                for other in agents.dropFirst(place + 1) { try await other.join(agent) }
            }
            try await body(mesh, agents.sorted { $0.node < $1.node })
        }
    }

    @Test("a call opens one, many calls share it, it is put to rest without alarm, and opened again")
    func opened() async throws {
        try await Self.with { _, agents in
            let (here, there) = (agents[0], agents[2])
            try await Self.apart(here, there)
            let before = try await Self.links(here, with: there)
            let name = there.identity.name
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let answer = try await here.application.invoke("\(name)/echo", #"{"hi":1}"#)
                        #expect(answer.status == 200, "\(answer)")
                    }
                }
                try await group.waitForAll()
            }
            try await Self.apart(here, there)
            #expect(try await Self.links(here, with: there) == before + 1)
            for agent in agents {
                let who = agent.identity.name
                try await until("one link of \(who) is at rest, two are up", within: .seconds(20)) {
                    let peers = await agent.plane.report { $0.peers }
                    let events = try await agent.events()
                    return peers.count { $0.link == .up } == 2
                        && peers.count { $0.link == .onDemand } == 1
                        && events.contains { $0.event.action == "link at rest" }
                }
                let actions = try await agent.events().map(\.event.action)
                #expect(!actions.contains("breaker opened"))
            }
            #expect(try await here.application.invoke("\(name)/echo", #"{"hi":2}"#).status == 200)
        }
    }

    @Test(
        "a link is put to rest under a stream of which nothing was told since it began, and all of it arrives"
    )
    func outlived() async throws {
        try await Self.with(pause: .seconds(60)) { _, agents in
            let (here, there) = (agents[0], agents[2])
            let backend = try StreamBackend()
            try await there.provide("slow", at: backend.url, ["look=GET / safe"])
            try await there.offer("slow", to: here)
            try await Self.apart(here, there)
            let answer = try await here.application.send(
                .GET, "/mesh/\(there.identity.name)/slow/slowly/7")
            #expect(answer.status == 200 && answer.text.contains("event 6"), "\(answer)")
            let closed = try await until("the link has ended", within: .seconds(10)) {
                await here.link(with: there.node) == nil
            }
            #expect(closed < .seconds(10))
            try await until("the audit says that it was put to rest") {
                let events = try await here.events().map(\.event).filter { $0.target == there.node }
                return events.first { $0.action.hasPrefix("link") }?.action == "link at rest"
            }
        }
    }

    @Test("calls that come just as it is put to rest are answered")
    func asItRests() async throws {
        try await Self.with(idle: .seconds(1)) { _, agents in
            let (here, there) = (agents[0], agents[2])
            let name = there.identity.name
            try await until("the other's offer stands", within: .seconds(20)) {
                try await here.application.invoke("\(name)/echo", "{}").status == 200
            }
            for round in 0..<(Patience.isLong ? 45 : 8) {
                let answer = try await here.application.invoke("\(name)/echo", #"{"hi":1}"#)
                #expect(answer.status == 200, "\(round): \(answer.text)")
                try await Task.sleep(for: .milliseconds(960 + 8 * (round % 15)))
            }
        }
    }

    @Test("a call to who is gone waits within its deadline and says for what; nobody is dialled without need")
    func gone() async throws {
        try await Self.with { _, agents in
            let (here, there) = (agents[0], agents[2])
            try await Self.apart(here, there)
            let name = there.identity.name
            await there.stop()
            let answer = try await here.application.send(
                .POST, "/invoke/\(name)/echo", Array("{}".utf8), headers: ["comity-deadline": "2s"])
            #expect(answer.code == .peerUnreachable, "\(answer)")
            try await until("the peer is shown as one that is linked on demand") {
                await here.plane.report { $0.peers.first { $0.id == there.node } }?.link == .onDemand
            }
        }
    }

    /// Until nothing is between the two, at either end.
    private static func apart(_ here: RunningAgent, _ there: RunningAgent) async throws {
        try await until("no link between who need none", within: .seconds(20)) {
            let link = await here.link(with: there.node)
            let back = await there.link(with: here.node)
            return link == nil && back == nil
        }
    }

    private static func links(_ here: RunningAgent, with there: RunningAgent) async throws -> Int {
        try await here.events().count { $0.event.action == "link up" && $0.event.target == there.node }
    }
}
