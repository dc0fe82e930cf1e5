import ArgumentParser
import MeshBase
import MeshControl

struct Invite: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a line with which one other node joins this one, and wait until somebody did.",
        discussion: """
            The line holds a secret: pass it on as you would a password. It serves one node, once.
            The line alone goes to standard output.

            Example: comity invite --expires 1h
            """)

    @OptionGroup var facts: FactOptions
    @Option(help: ArgumentHelp("How long the line can be used.", valueName: "time"))
    var expires = TypedDuration(.seconds(24 * 3_600))
    @Flag(help: "Print the line and do not wait.") var noWait = false
    @Flag(help: "Confirm the joiner's words before anything is granted.") var ask = false

    func validate() throws {
        if ask && noWait { throw ValidationError("--ask needs somebody who waits: leave out --no-wait") }
    }

    func run() async throws {
        let request = CreateInvite.Request(expiresSeconds: expires.seconds, ask: ask)
        let invite = try await facts.home.ask(CreateInvite.self, request)
        try facts.show(invite) { invite, _ in invite.line + "\n" }
        let shown = Terminal.notes(facts.home)
        Terminal.note("\(InviteText.opened(invite, shown))")
        guard !noWait else { return }
        Terminal.note("waiting for somebody to join; Ctrl-C ends the waiting, not the invite\n")
        let (end, isDeclined) = try await wait(for: invite)
        if facts.json { Terminal.out(try ControlCoding.document(end) + "\n") }
        switch end.state {
        case .joined: Terminal.note(InviteText.joined(end, shown))
        case .expired:
            throw ControlFailure(
                Refusal(.inviteExpired, [Fact("until", RFC3339.text(end.expires.time))]))
        case .ended where isDeclined:
            throw ControlFailure(
                .refused, code: "invite-ended",
                message: "you said no, and nothing was granted; the line is void",
                next: "comity invite")
        case .ended, .open, .asking:
            throw ControlFailure(
                .refused, code: "invite-ended",
                message: "the invite ended: too many wrong proofs, or it was declined",
                next: "comity invite")
        }
    }

    /// How the invite ended, and whether because the person here said no.
    private func wait(for invite: InviteReport) async throws -> (InviteProgress, isDeclined: Bool) {
        var known = InviteState.open
        var isDeclined = false
        while true {
            let milliseconds = ControlLimits.wait.wholeMilliseconds
            var progress = try await facts.home.ask(
                AwaitInvite.self,
                .init(inviteID: invite.inviteID, known: known, waitMilliseconds: milliseconds),
                waiting: ControlLimits.wait)
            if progress.state == .asking && known != .asking {
                Terminal.note(InviteText.asking(progress, Terminal.notes(facts.home)))
                let accept = Terminal.confirm("are these the words on the other screen?")
                isDeclined = !accept
                progress = try await facts.home.ask(
                    AnswerInvite.self, .init(inviteID: invite.inviteID, accept: accept))
            }
            if progress.state.isFinal { return (progress, isDeclined) }
            known = progress.state
        }
    }
}

struct JoinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Join the node that printed an invite line.",
        discussion: """
            With - the line is read from standard input, and stays out of the shell's history.

            Example: comity join -
            """)

    /// How long a join waits for the link and the first agreement once trust is made (protocol section 3).
    private static let settling: Duration = .seconds(5)

    @OptionGroup var facts: FactOptions
    @Argument(help: "The line of `comity invite`, or - to read it from standard input.") var line: String

    func run() async throws {
        let line = line == "-" ? try Terminal.input(limit: 4_096) : line
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count == 1, let word = words.first, word.utf8.count <= Limits.inviteLine else {
            throw JoinCommand.placed(
                ControlFailure(
                    Refusal(
                        .inviteMalformed,
                        [Fact("characters", line.count), Fact("limit", Limits.inviteLine)])))
        }
        do {
            let progress = try await wait(String(word))
            try facts.show(progress, InviteText.finished)
        } catch let failure as ControlFailure {
            throw JoinCommand.placed(failure)
        }
    }

    /// A new line is the inviter's to make: says so where the next command would be `comity invite`.
    private static func placed(_ failure: ControlFailure) -> ControlFailure {
        guard failure.next == "comity invite" else { return failure }
        return ControlFailure(
            failure.kind, code: failure.code, message: failure.message,
            facts: failure.facts + [Fact(ReasonText.elsewhere, "the node that invites")], next: failure.next)
    }

    private func wait(_ line: String) async throws -> JoinProgress {
        let clock = ContinuousClock()
        var known: JoinStage?
        var settled: ContinuousClock.Instant?
        while true {
            let progress = try await facts.home.ask(
                Join.self, .init(line: line, known: known, waitMilliseconds: 1_000), waiting: .seconds(1))
            if progress.stage != known, progress.stage != .done {
                Terminal.note(InviteText.waiting(progress))
            }
            known = progress.stage
            switch progress.stage {
            case .done: return progress
            case .dialling, .proving, .confirming: settled = nil
            case .linking, .agreeing:
                let since = settled ?? clock.now
                settled = since
                if clock.now - since >= JoinCommand.settling { return progress }
            }
        }
    }
}
