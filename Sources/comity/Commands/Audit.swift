import ArgumentParser
import MeshBase
import MeshControl

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The trail of what happened.", subcommands: [List.self, Trace.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "This node's own events, newest first.",
            discussion: "Example: comity audit list --peer bakery --failed --since 1h")

        @OptionGroup var facts: FactOptions
        @Option(help: "Only events with this peer.") var peer: String?
        @Option(help: "Only events about this resource.") var resource: ResourceName?
        @Option(
            help:
                "attempt, service, call, trust, link, agreement, breaker, administration or node."
        )
        var type: String?
        @Option(help: "Only events refused with this code.") var code: RefusalCode?
        @Flag(help: "Only what failed.") var failed = false
        @Flag(help: "Only what succeeded.") var succeeded = false
        @Option(help: ArgumentHelp("Not older than this.", valueName: "time")) var since: TypedDuration?
        @Option(help: "How many, at most 10000.") var limit = 50

        func validate() throws {
            if failed && succeeded { throw ValidationError("--failed and --succeeded exclude one another") }
            if !(1...10_000).contains(limit) { throw ValidationError("the limit is 1 to 10000") }
        }

        func run() async throws {
            let filter = AuditFilter(
                peer: peer, resource: resource, type: type, code: code,
                success: failed ? false : succeeded ? true : nil,
                since: since.map { Timestamp(Terminal.now - $0.duration) })
            let report = try await facts.home.ask(ListAuditEvents.self, .init(filter: filter, limit: limit))
            try facts.show(report, AuditText.render)
        }
    }

    struct Trace: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One call, joined with the peers' halves.",
            discussion: "Example: comity audit trace 01938f7e-0000-7000-8000-000000000001")

        @OptionGroup var facts: FactOptions
        @Argument(help: "The call's correlation id.") var correlation: CorrelationID
        @Flag(help: "Ask no peer.") var local = false

        func run() async throws {
            let request = TraceCall.Request(correlation: correlation, askPeers: !local)
            try facts.show(try await facts.home.ask(TraceCall.self, request), AuditText.render)
        }
    }
}

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Why something is as it is, with both sides' verdicts.",
        discussion: """
            comity explain last                       the last call
            comity explain CORRELATION-ID             one call
            comity explain CODE                       what a refusal code means
            comity explain REFERENCE                  a handshake that was refused here
            comity explain peer NAME                  whether a peer is trusted and linked, and why
            comity explain call PEER/RESOURCE --as P  what would happen to a call now

            A code, a correlation id and a reference stand in every refusal. A reference is known to the node
            that refused. `peer` and `call` may be left out.

            Example: comity explain last
            """)

    @OptionGroup var facts: FactOptions
    @Argument(help: "What is to be explained.") var subject: [String]
    @Option(name: .customLong("as"), help: "Who would ask; only with `call`.") var principal: Principal?

    func validate() throws {
        switch subject.first {
        case "peer" where subject.count == 2: break
        case "call" where subject.count == 2 && GatewayCall(target: subject[1]) != nil: return
        case "peer", "call", nil:
            throw ValidationError("explain 'peer NAME' or 'call PEER/RESOURCE[/CAPABILITY]'")
        case let only? where subject.count == 1 && only.contains("/"):
            guard GatewayCall(target: only) != nil else {
                throw ValidationError("'\(only)' is not PEER/RESOURCE[/CAPABILITY]")
            }
            return
        default: if subject.count > 1 { throw ValidationError("one thing at a time") }
        }
        if principal != nil { throw ValidationError("--as goes with 'call PEER/RESOURCE'") }
    }

    func run() async throws {
        if subject.count == 1, let code = RefusalCode(rawValue: subject[0]) {
            return try facts.show(CodeBook.entry(for: code), ReasonText.render)
        }
        try facts.show(try await facts.home.ask(Explain.self, .init(subject: asked)), ExplainText.render)
    }

    private var asked: ExplainSubject {
        if subject.count == 2, subject[0] == "peer" { return .peer(subject[1]) }
        if let target = subject.last, subject.count == 2 || target.contains("/"),
            let call = GatewayCall(target: target)
        {
            // Of any it is said of each provider whether it may be asked.
            return .wouldCall(
                peer: call.isToAll ? "any" : call.peer, resource: call.resource, capability: call.capability,
                principal: principal)
        }
        if subject[0] == "last" { return .last }
        return CorrelationID(subject[0]).map { .call($0) } ?? .reference(subject[0])
    }
}
