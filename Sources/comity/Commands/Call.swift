import ArgumentParser
import FoundationEssentials
import MeshBase
import MeshControl

struct Call: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Call a resource of a peer.",
        discussion: """
            Prints the answer on standard output and the call's correlation id on standard error.
            RESOURCE alone, or any/RESOURCE/CAPABILITY, lets the router pick the node. '*/RESOURCE/CAPABILITY'
            asks all providers at once and prints an array with what became of each. With - the JSON is read
            from standard input.

            Example: comity call bakery/orders/list '{"day":"2026-11-21"}' --deadline 2s
            """)

    @OptionGroup var home: HomeOption
    @Argument(help: ArgumentHelp("What is called.", valueName: "peer/resource[/capability]")) var target:
        String
    @Argument(help: "The request as JSON.") var json: String?
    @Option(name: .customLong("as"), help: "Who asks, where the agent lets this user say so.") var principal:
        Principal?
    @Option(help: "What it is for, where the agreement asks for a purpose.") var purpose: Purpose?
    @Option(help: ArgumentHelp("How long the call may take.", valueName: "time")) var deadline: TypedDuration?
    @Option(help: ArgumentHelp("Makes repeating the call harmless at one node.", valueName: "key"))
    var idempotencyKey: String?

    @Option(
        help: ArgumentHelp(
            "Calls with the same key go to the same provider while it is well.", valueName: "key"))
    var sticky: String?

    func validate() throws {
        if GatewayCall(target: target) == nil {
            throw ValidationError("'\(target)' is not PEER/RESOURCE[/CAPABILITY]")
        }
        if let json, json != "-" { try Call.checkJSON(json) }
        if let deadline, deadline.duration > Limits.callDeadlineMax {
            throw ValidationError("a call may take at most \(HumaneDuration.text(Limits.callDeadlineMax))")
        }
        let length = idempotencyKey?.utf8.count ?? 1
        guard (1...Limits.idempotencyKey).contains(length), idempotencyKey?.isPlain ?? true else {
            throw ValidationError("an idempotency key is 1 to \(Limits.idempotencyKey) bytes of plain text")
        }
        guard (1...Limits.stickyKey).contains(sticky?.utf8.count ?? 1), sticky?.isPlain ?? true else {
            throw ValidationError("a sticky key is 1 to \(Limits.stickyKey) bytes of plain text")
        }
    }

    func run() async throws {
        guard var call = GatewayCall(target: target) else { return }
        call.body = json == "-" ? try Terminal.input(limit: Limits.callBody) : json ?? "{}"
        try Call.checkJSON(call.body)
        call.principal = principal
        call.purpose = purpose
        call.deadline = deadline?.duration
        call.idempotencyKey = idempotencyKey
        call.stickyKey = sticky
        let home = self.home
        let answer = try await GatewayCaller.call(call, home: home.path) { () throws(ControlFailure) in
            try await home.ask(ShowStatus.self).listening.gateway
        }
        switch answer.outcome {
        case .answered, .gathered:
            let body = String(decoding: answer.body, as: UTF8.self)
            Terminal.out(body.isEmpty || body.hasSuffix("\n") ? body : body + "\n")
        case .refused: break
        }
        Terminal.note(CallText.render(answer, to: call, Terminal.notes(home)))
        if answer.exitCode != 0 { throw ExitCode(answer.exitCode) }
    }
    /// The gateway passes bodies on as they are; a mistyped one is better caught here than by the service.
    private static func checkJSON(_ text: String) throws {
        guard !text.isEmpty else { return }
        do {
            _ = try JSONDecoder().decode(AnyJSON.self, from: Data(text.utf8))
        } catch {
            throw ValidationError("the request is not JSON: \(text.prefix(60))")
        }
    }
}

/// JSON of any form: decoding reads all of it and keeps nothing.
private struct AnyJSON: Decodable {
    init(from decoder: any Decoder) throws {}
}
