import FoundationEssentials
import MeshAgent
import MeshBase
import MeshControl

/// What `comity up` was told on the command line; what is nil comes from the configuration.
struct UpOptions: Sendable {
    /// Absolute path.
    var home: String
    /// As commands must name it in `--home`; nil when they find it by themselves.
    var shownHome: String?
    /// The node's name for people.
    var name: NodeName?
    /// Where peers are listened for.
    var listen: Endpoint?
    /// Where applications are listened for.
    var gateway: Endpoint?
    /// Addresses that peers are told besides those of this machine's interfaces.
    var advertise: [Endpoint]
    /// The least that is said.
    var logLevel: LogLevel?
    /// How it is said.
    var logFormat: LogFormat?
}

/// The agent behind `comity up`: the one place where this program meets MeshAgent.
enum AgentProgram {
    /// Runs until the agent is told to stop, or the process to end.
    static func run(_ options: UpOptions) async throws {
        OpenFiles.raiseLimit()
        let agent: Agent
        do {
            agent = try await Agent.start(
                home: Home(path: options.home),
                options: ConfigurationOptions(
                    name: options.name?.description, listen: options.listen?.description,
                    gateway: options.gateway?.description, advertise: options.advertise.map(\.description),
                    logLevel: options.logLevel?.rawValue, logFormat: options.logFormat?.rawValue),
                environment: ProcessInfo.processInfo.environment)
        } catch {
            throw notStarted("\(error)", home: options.home)
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await AgentSignals.untilAsked() }
            tasks.addTask {
                try await agent.run { await announce(agent, options) }
            }
            try await tasks.next()
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
    }

    /// Makes a backup of a home, whether its agent runs or not.
    static func backUp(_ home: HomeOption, to file: String) async throws -> BackupReport {
        let snapshot = try await snapshot(of: home)
        do {
            return try pack(snapshot, of: home, to: file)
        } catch let error as BackupError {
            throw ControlFailure(error)
        }
    }

    /// One moment of a home: the agent makes it where one runs.
    private static func snapshot(of home: HomeOption) async throws -> HomeSnapshot {
        do {
            let made = try await home.ask(MakeSnapshot.self, Nothing(), waiting: .seconds(570))
            return HomeSnapshot(made)
        } catch {
            if error.kind != .notRunning { throw error }
        }
        do {
            return try HomeSnapshot.makeOffline(in: Home(path: home.path))
        } catch {
            throw ControlFailure(error)
        }
    }

    private static func pack(
        _ snapshot: HomeSnapshot, of home: HomeOption, to file: String
    ) throws -> BackupReport {
        let packed = Result { () throws(BackupError) in try BackupWriter.pack(snapshot, to: file) }
        try snapshot.remove()
        return BackupReport(
            file: file, bytes: try packed.get(), home: home.path, node: snapshot.label.node,
            name: snapshot.label.name, made: Timestamp(snapshot.label.made))
    }

    /// Makes a home from a backup.
    static func restore(_ file: String, into home: HomeOption) throws(ControlFailure) -> BackupReport {
        do throws(BackupError) {
            let restored = try RestoredHome.make(from: file, in: Home(path: home.path))
            return BackupReport(
                file: file, home: restored.home, node: restored.label.node, name: restored.label.name,
                made: Timestamp(restored.label.made))
        } catch {
            throw ControlFailure(error)
        }
    }

    /// Waits until no agent holds the home.
    static func awaitEnd(of home: HomeOption) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while HomeLock.isHeld(in: Home(path: home.path)) {
            guard ContinuousClock.now < end else {
                throw ControlFailure(
                    .fault, code: "agent-fault", message: "the agent did not end in 30 s",
                    facts: [Fact("home", home.path)], next: "comity status")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Removes what a home holds of ours, and the folder when nothing else is in it.
    static func purge(_ home: HomeOption) throws(ControlFailure) {
        let left: [String]
        do throws(BackupError) {
            left = try HomePurge.run(Home(path: home.path))
        } catch {
            throw ControlFailure(error)
        }
        if left.isEmpty { return }
        let kept = left.joined(separator: ", ")
        Terminal.note("\(home.path) stays, since it holds what is not ours: \(kept)\n")
    }

    /// Why there is no agent: the first line is the message, each further one a fact; what the sentence
    /// names as next becomes the next command.
    private static func notStarted(_ description: String, home: String) -> ControlFailure {
        let lines = description.split(separator: "\n").map(String.init)
        var message = lines.first ?? description
        var next: String?
        if lines.count == 1, let mark = message.range(of: ". Next: ") {
            next = String(message[mark.upperBound...])
            message = String(message[..<mark.lowerBound])
        }
        let mistakes = lines.dropFirst().map { line in
            guard let colon = line.range(of: ": ") else { return Fact("also", line) }
            return Fact(
                String(line[..<colon.lowerBound].drop { $0 == " " }), String(line[colon.upperBound...]))
        }
        if message.hasSuffix(":") { message.removeLast() }
        return ControlFailure(
            .fault, code: "agent-not-started", message: message, facts: [Fact("home", home)] + mistakes,
            next: next)
    }

    /// The first screen: who this is, where it listens, what works here, what to do next.
    private static func announce(_ agent: Agent, _ options: UpOptions) async {
        let report = await agent.status()
        Terminal.out(StatusText.renderStart(report, Terminal.output(home: options.shownHome)))
    }
}
