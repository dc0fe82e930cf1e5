import ArgumentParser
import MeshBase
import MeshControl

struct Pair: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make mutual trust by four words that two people compare.",
        discussion: """
            Both give this command. On one network each sees the other by its name, and one of the two
            picks the other; elsewhere one names the other's address. Then both screens show four words.
            Compare them by voice or by eye, over a channel on which you know each other; only when they are
            the same is nobody in between. Nothing is signed before both said yes.

            In a script, --yes-if gives the words that the other side shows; without it, they are read from
            standard input. A plain yes is not taken there.

            Example: comity pair
            Example: comity pair bakery.example:7410
            """)

    @OptionGroup var facts: FactOptions
    @Argument(help: ArgumentHelp("A name that is seen, or where the other node listens.", valueName: "name"))
    var other: String?
    @Option(
        help: ArgumentHelp(
            "Say yes to these four words, and no to any others.", valueName: "words"))
    var yesIf: String?

    func validate() throws {
        if let yesIf, WordList.bytes(of: Pair.words(in: yesIf))?.count != Pair.wordCount {
            throw ValidationError(
                "--yes-if takes the four words that the other screen shows, in quotation marks")
        }
        if let other, Endpoint(other) == nil, NodeName(other) == nil {
            throw ValidationError("\(other) is neither a name nor an address with a port")
        }
    }

    func run() async throws {
        let opened = try await facts.home.ask(OpenPairing.self)
        Terminal.note(PairText.opened(opened, Terminal.notes(facts.home)))
        do {
            let paired = try await follow(opened)
            try facts.show(paired) { PairText.paired($0, $0.reach, $1) }
        } catch {
            await close(opened.window)
            throw error
        }
    }

    /// What failed is said by whoever failed; a window that cannot be ended ends by itself, unattended.
    private func close(_ window: Int64) async {
        do throws(ControlFailure) {
            _ = try await facts.home.ask(ClosePairing.self, .init(window: window))
        } catch {
            Terminal.note("the window ends by itself in 30 s: \(error.message)\n")
        }
    }

    private func follow(_ opened: PairReport) async throws -> PairReport {
        let isAttended = Terminal.isAttended && Terminal.isWatched && yesIf == nil && !facts.json
        var desk: any PairDesk =
            isAttended
            ? KeyboardDesk(opened, Terminal.notes(facts.home))
            : LineDesk(expected: yesIf.map(Pair.words), facts)
        defer { desk.end() }
        var report = opened
        var talk = PairTalk(other: other)
        while true {
            switch try talk.next(report) {
            case .dial(let endpoints):
                report = try await facts.home.ask(
                    DialPairing.self, .init(window: opened.window, to: endpoints))
                continue
            case .note(let note): desk.note(note)
            case .paired: return try await settled(report)
            case nil: break
            }
            switch try desk.show(report) {
            case .dial(let sighting):
                talk.picked()
                report = try await facts.home.ask(
                    DialPairing.self, .init(window: opened.window, to: sighting.endpoints))
            case .answer(let words, let accept):
                talk.answered()
                report = try await facts.home.ask(
                    AnswerPairing.self, .init(window: opened.window, words: words, accept: accept))
            case .differ(let given, let shown):
                _ = try await facts.home.ask(
                    AnswerPairing.self, .init(window: opened.window, words: shown, accept: false))
                throw ControlFailure(
                    Refusal(
                        .pairingWordsDiffer,
                        [
                            Fact("answered", given.joined(separator: " ")),
                            Fact("shown", shown.joined(separator: " ")),
                        ]))
            case .end:
                throw ControlFailure(
                    Refusal(.pairingClosed, [Fact("because", "the operator ended the window")]))
            case nil:
                report = try await facts.home.ask(
                    AwaitPairing.self,
                    .init(window: opened.window, known: report, waitMilliseconds: desk.patience),
                    waiting: .milliseconds(desk.patience))
            }
        }
    }

    /// Trust is made: the link comes up within seconds, and then each dials the other.
    private func settled(_ report: PairReport) async throws -> PairReport {
        guard let peer = report.peer else { return report }
        var report = report
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end {
            let shown = try await facts.home.ask(ShowPeer.self, .init(peer: peer.id.description))
            if shown.link == .up {
                report.reach = try await facts.home.ask(
                    ProveReach.self, .init(peer: peer.id.description), waiting: .seconds(10))
                return report
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        Terminal.note("the link is not up yet; comity peer show \(peer.title) says how it stands\n")
        return report
    }

    private static let wordCount = 4

    static func words(in text: String) -> [String] {
        text.split { $0.isWhitespace || $0 == "," || $0 == "-" }.map { $0.lowercased() }
    }
}

/// What the command does by itself: dials whom it was told, says what failed, and knows when it is over.
struct PairTalk {
    /// What comes next without anybody's answer.
    enum Step {
        case dial([Endpoint])
        case note(String)
        case paired
    }

    private let other: String?
    private var hasDialled = false
    private var isOurs = false
    private var failures: Int64 = 0
    private var lastObstacle: ControlFailure?

    init(other: String?) { self.other = other }

    mutating func picked() { isOurs = true }
    mutating func answered() { isOurs = true }

    /// - Throws: when nothing can come of it any more: the window is over, or the try that somebody here
    ///   picked or answered has failed. Another's failed try is noted, and the window stays.
    mutating func next(_ report: PairReport) throws -> Step? {
        if report.state == .dialling, let obstacle = report.failure { lastObstacle = obstacle }
        switch report.state {
        case .paired: return .paired
        case .closed:
            let isNobodyThere = lastObstacle?.kind == .unreachable && report.failures <= failures + 1
            throw (isNobodyThere ? lastObstacle : report.failure)
                ?? ControlFailure(Refusal(.pairingClosed, [Fact("windows open", 0)]))
        case .listening, .dialling, .comparing, .answered: break
        }
        if report.failures > failures, let failure = report.failure, report.state == .listening {
            failures = report.failures
            guard !isOurs else { throw failure }
            return .note("a try failed, and the window stays open: \(failure.code): \(failure.message)\n")
        }
        guard let other, !hasDialled, report.state == .listening else { return nil }
        if let endpoint = Endpoint(other) {
            hasDialled = true
            isOurs = true
            return .dial([endpoint])
        }
        let named = report.seen.filter { $0.name.description == other }
        guard let first = named.first else { return nil }
        guard named.count == 1 else {
            let places = named.flatMap(\.endpoints).map(\.description).joined(separator: ", ")
            throw ControlFailure(
                .refused, code: RefusalCode.nameTaken.rawValue,
                message: "several nodes call themselves so: name an address",
                facts: [Fact("name", other), Fact("addresses", places)], next: "comity pair HOST:PORT")
        }
        hasDialled = true
        isOurs = true
        return .dial(first.endpoints)
    }
}
