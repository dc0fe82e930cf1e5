import ArgumentParser
import FoundationEssentials
import MeshAgent
import MeshBase
import MeshControl

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at what works here and what cannot: each finding with the next command.",
        discussion: """
            It sends and counts real multicast over each interface, looks at Avahi, name servers, clock,
            ports, room on the disk and the modes of keys; where the agent runs, it asks peers to dial back,
            and looks at clocks, certificates, this node's credential and its domain's issuers. It ends with
            1 when something does not work.

            Example: comity doctor
            Example: comity doctor --json
            """)

    @OptionGroup var facts: FactOptions

    /// Peers that are asked to dial back.
    private static let askedMax = 4

    func run() async throws {
        let agent = try await agent()
        var seen: DoctorFacts
        do throws(HomeError) {
            seen = try await HostExamination.examine(
                Home(path: facts.home.path), environment: ProcessInfo.processInfo.environment,
                isRunning: agent != nil)
        } catch {
            throw ControlFailure(
                .fault, code: "agent-fault", message: "\(error)",
                facts: [Fact("home", facts.home.path)], next: "comity config show")
        }
        seen.agent = agent
        let report = DoctorJudgement(seen, at: Terminal.now).report
        try facts.show(report, DoctorText.render)
        if report.level == .trouble { throw ExitCode(1) }
    }

    /// What a running agent tells; nil when none runs.
    private func agent() async throws -> DoctorFacts.AgentFacts? {
        guard let status = try await told(ShowStatus.self, Nothing(), unless: .notRunning) else {
            return nil
        }
        var found = DoctorFacts.AgentFacts(status: status)
        found.domain = try await told(ShowDomain.self, Nothing(), unless: .refused)
        let linked = status.peers.filter { $0.trust == .trusted && $0.link == .up }.compactMap(\.id)
        for peer in linked.prefix(Self.askedMax) {
            let request = ProveReach.Request(peer: peer.description)
            // Where the link went meanwhile, nobody is asked.
            if let reach = try await told(ProveReach.self, request, unless: .unreachable) {
                found.reach.append(reach)
            }
        }
        return found
    }

    /// What the agent answers; nil when it fails in the way that is expected.
    private func told<Operation: ControlOperation>(
        _ operation: Operation.Type, _ request: Operation.Request, unless expected: ControlFailure.Kind
    ) async throws(ControlFailure) -> Operation.Response? {
        do throws(ControlFailure) {
            return try await facts.home.ask(operation, request, waiting: .seconds(10))
        } catch {
            guard error.kind == expected else { throw error }
            return nil
        }
    }
}
