import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

/// Two whole agents on loopback, asked over their control sockets as the commands do.
enum AgentPair {
    static func with(
        _ body: @escaping @Sendable (_ baker: ControlClient, _ miller: ControlClient) async throws -> Void
    ) async throws {
        let homes = [TemporaryHome(), TemporaryHome()]
        var agents: [Agent] = []
        for (home, name) in zip(homes, ["baker", "miller"]) {
            agents.append(
                try await Agent.start(
                    home: home.home,
                    options: ConfigurationOptions(name: name, listen: "127.0.0.1:0", gateway: "127.0.0.1:0"),
                    environment: ["COMITY_DISCOVERY_AVAHI": "off"]))
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let (ready, told) = AsyncStream.makeStream(of: Void.self)
            for agent in agents { tasks.addTask { try await agent.run { told.yield() } } }
            var waiting = agents.count
            for await _ in ready {
                waiting -= 1
                if waiting == 0 { break }
            }
            let paths = homes.map(\.home.path)
            do {
                try await ControlClient.with(home: paths[0]) { (baker) async throws(ControlFailure) in
                    try await ControlClient.with(home: paths[1]) { (miller) async throws(ControlFailure) in
                        do {
                            try await body(baker, miller)
                        } catch {
                            throw (error as? ControlFailure)
                                ?? ControlFailure(.fault, code: "test", message: "\(error)")
                        }
                    }
                }
            } catch {
                Issue.record(error)
            }
            tasks.cancelAll()
            while !tasks.isEmpty { do { try await tasks.next() } catch is CancellationError { continue } }
        }
    }

    static func join(_ client: ControlClient, _ line: String) async throws(ControlFailure)
        -> JoinProgress
    {
        var known: JoinStage?
        for _ in 0..<20 {
            let progress = try await client.ask(
                Join.self, .init(line: line, known: known, waitMilliseconds: 1_000), waiting: .seconds(1))
            if progress.stage == .done { return progress }
            known = progress.stage
        }
        throw ControlFailure(.fault, code: "test", message: "never done: \(String(describing: known))")
    }
}
