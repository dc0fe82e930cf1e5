import MeshAgreements
import MeshBase
import MeshControl
import MeshNode

// What can be changed while the agent runs.
extension ControlHandlers {
    /// The longest that a level may be ordered for.
    private static var orderMax: Int64 { 30 * 24 * 3_600 }

    /// Reads the configuration again. With any mistake in it nothing changes.
    func reload() async throws(ControlFailure) -> ReloadReport {
        let notifier = surroundings.notifier
        notifier?.tell(.reloading(since: SystemClock.now().instant))
        defer { notifier?.tell(.ready) }
        let wanted: ConfigurationReading
        do throws(HomeError) {
            wanted = try surroundings.sources.read()
        } catch {
            throw ControlFailure(
                .fault, code: "agent-fault", message: "the configuration cannot be read",
                facts: [Fact("cause", "\(error)")])
        }
        guard wanted.problems.isEmpty else { throw Self.mistaken(wanted.problems) }
        let change = ConfigurationChange(from: surroundings.reading, to: wanted)
        if !change.applied.isEmpty { try await put(change) }
        return ReloadReport(
            applied: change.applied.map { ConfigurationDifference($0) },
            waiting: change.waiting.map { ConfigurationDifference($0) })
    }

    private func put(_ change: ConfigurationChange) async throws(ControlFailure) {
        let configuration = change.reading.configuration
        // First what can be refused, so that nothing is half done.
        try await order(.configure(AgreementConfiguration(configuration)))
        let keys = change.applied.map(\.key).joined(separator: ", ")
        try await order(.note("configuration reloaded", [Fact("changed", keys)]))
        surroundings.follow(change)
        calls.follow(PrincipalRules(configuration.gateway))
        if let port = surroundings.facts.link?.port {
            plane.inputs.post(.listens(ListeningNotice(port: port, advertised: configuration.advertise)))
        }
    }

    private static func mistaken(_ problems: [ConfigurationProblem]) -> ControlFailure {
        let count = problems.count == 1 ? "one mistake" : "\(problems.count) mistakes"
        return ControlFailure(
            .refused, code: "configuration-invalid",
            message: "the configuration has \(count), and nothing was changed",
            facts: problems.map { problem in
                let place = problem.key.isEmpty ? "" : problem.key + ": "
                return Fact("\(problem.origin)", "\(place)\(problem.what). Fix: \(problem.fix)")
            }, next: "comity config reload")
    }

    func setLogLevel(_ request: SetLogLevel.Request) async throws(ControlFailure) -> LogReport {
        if let level = request.level {
            if let seconds = request.seconds, !(1...Self.orderMax).contains(seconds) {
                throw .usage(
                    "a level is ordered for a second to 30 days",
                    [Fact("seconds", seconds), Fact("at most", Self.orderMax)])
            }
            let duration = request.seconds.map { Duration.seconds($0) }
            surroundings.log.turn(to: level, for: duration)
            try await order(
                .note(
                    "log level set",
                    [Fact("level", level.rawValue)] + (request.seconds.map { [Fact("seconds", $0)] } ?? [])))
        }
        return logReport()
    }

    private func logReport() -> LogReport {
        let now = SystemClock.now()
        let setting = surroundings.log.setting
        let ordered = setting.order(at: now.instant)
        return LogReport(
            level: setting.level(at: now.instant), configured: setting.configured,
            isOrdered: ordered != nil,
            until: ordered?.until.map { Timestamp(now.wall + ($0 - now.instant)) })
    }
}

extension ConfigurationDifference {
    init(_ item: ConfigurationChange.Item) {
        self.init(key: item.key, before: item.before, after: item.after, origin: item.origin.description)
    }
}
