import ArgumentParser
import FoundationEssentials
import MeshBase
import MeshControl

/// `--home DIR`: which node a command is for.
struct HomeOption: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The node's home (default: $COMITY_HOME, else ~/.comity).", valueName: "dir"))
    var home: String?

    /// The home's absolute path.
    var path: String {
        let environment = ProcessInfo.processInfo.environment
        let usual = (environment["HOME"] ?? "/") + "/.comity"
        var path = home ?? environment["COMITY_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? usual
        if !path.hasPrefix("/") { path = FileManager.default.currentDirectoryPath + "/" + path }
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// The home as commands that we print must name it; nil when they find it by themselves.
    var shown: String? { home }

    /// The same, where parsing has ended.
    static func named(in arguments: [String]) -> String? {
        if let position = arguments.firstIndex(of: "--home"), position + 1 < arguments.count {
            return arguments[position + 1]
        }
        return arguments.first { $0.hasPrefix("--home=") }.map { String($0.dropFirst("--home=".count)) }
    }

    /// Asks the agent of this home.
    func ask<Operation: ControlOperation>(
        _ operation: Operation.Type, _ request: Operation.Request, waiting: Duration = .zero
    ) async throws(ControlFailure) -> Operation.Response {
        try await ControlClient.with(home: path) { client throws(ControlFailure) in
            try await client.ask(operation, request, waiting: waiting)
        }
    }

    /// Asks what takes nothing.
    func ask<Operation: ControlOperation>(
        _ operation: Operation.Type
    ) async throws(ControlFailure) -> Operation.Response where Operation.Request == Nothing {
        try await ask(operation, Nothing())
    }
}

/// `--home` and `--json`, for every command that prints facts.
struct FactOptions: ParsableArguments {
    @OptionGroup var home: HomeOption

    @Flag(name: .long, help: "Print the facts as JSON (documented, versioned, additive).")
    var json = false

    /// Prints a report as JSON, or as people read it.
    func show<Report: Encodable>(_ report: Report, _ render: (Report, Presentation) -> String) throws {
        Terminal.out(json ? try ControlCoding.document(report) + "\n" : render(report, Terminal.output(home)))
    }
}

extension ResourceName: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension ResourceLabel: ExpressibleByArgument {
    /// Reads `key=value`.
    public init?(argument: String) {
        guard let sign = argument.firstIndex(of: "="), let key = ResourceName(argument[..<sign]) else {
            return nil
        }
        let value = String(argument[argument.index(after: sign)...])
        guard value.utf8.count <= Limits.documentText, value.isPlain else { return nil }
        self.init(key: key, value: value)
    }
}

extension NodeName: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Principal: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Endpoint: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension LogLevel: ExpressibleByArgument {}

/// How the agent says what it says.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

extension IPNetwork: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension ConditionsReport.Access: ExpressibleByArgument {}

extension CorrelationID: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension RefusalCode: ExpressibleByArgument {}

/// A duration as it is typed: `500ms`, `2s`, `10m`, `24h`, `30d`.
struct TypedDuration: ExpressibleByArgument {
    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let duration = HumaneDuration.parse(argument) else { return nil }
        self.duration = duration
    }

    var defaultValueDescription: String {
        HumaneDuration.text(duration).split(separator: " ").joined()
    }

    /// Whole seconds, at least one.
    var seconds: Int64 { max(1, duration.wholeMilliseconds / 1_000) }
}

/// A rate as it is typed: `100/s`, `100/s:200`.
struct TypedRate: ExpressibleByArgument {
    let rate: LimitsReport.Rate

    init?(argument: String) {
        guard let rate = LimitText.rate(argument) else { return nil }
        self.rate = rate
    }
}

/// A quota as it is typed: `10000/day`, `200000/month`.
struct TypedQuota: ExpressibleByArgument {
    let calls: Int64
    let period: UsageReport.Period

    init?(argument: String) {
        guard let quota = LimitText.quota(argument) else { return nil }
        (calls, period) = quota
    }
}

extension LimitsReport.CallsAtEnd: ExpressibleByArgument {}
