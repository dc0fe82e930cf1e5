import ArgumentParser
import MeshBase
import MeshControl

struct Peers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Who is known, by which witness, and how far trusted.", discussion: "Example: comity peers")

    @OptionGroup var facts: FactOptions

    func run() async throws {
        try facts.show(try await facts.home.ask(ListPeers.self), PeerText.render)
    }
}

struct Peer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "One peer: what is known of it, and this node's own decisions about it.",
        subcommands: [Show.self, Suspend.self, Resume.self, Revoke.self, Forget.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "All that is known about a peer.", discussion: "Example: comity peer show bakery")

        @OptionGroup var facts: FactOptions
        @Argument(help: "Its name or node ID.") var peer: String

        func run() async throws {
            try facts.show(try await facts.home.ask(ShowPeer.self, .init(peer: peer)), PeerText.render)
        }
    }

    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "No link and no call with a peer until it is resumed.",
            discussion: "Example: comity peer suspend bakery")
        @OptionGroup var decision: PeerDecisionOptions
        func run() async throws { try await decision.carryOut(.suspend) }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a suspension.", discussion: "Example: comity peer resume bakery")
        @OptionGroup var decision: PeerDecisionOptions
        func run() async throws { try await decision.carryOut(.resume) }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse a peer's key for ever.",
            discussion:
                """
                Final for that key: only a new key and a new invite bring the peer back.

                Example: comity peer revoke bakery
                """
        )
        @OptionGroup var decision: PeerDecisionOptions
        func run() async throws {
            try decision.warn(
                "this is final for the key of \(decision.peer), and ends its links and calls at once")
            try await decision.carryOut(.revoke)
        }
    }

    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a peer; pins of revoked keys are kept.",
            discussion: "The peer must be invited anew to come back.\n\nExample: comity peer forget bakery")
        @OptionGroup var decision: PeerDecisionOptions
        func run() async throws {
            let kept = Set(try await decision.livingAgreements().flatMap(\.resources).map(\.description))
            let names = kept.sorted().joined(separator: ", ")
            let agreed =
                "\nwhat is agreed with it is kept, and counts again once it is invited anew: \(names)"
                + "\n`comity peer revoke \(decision.peer)` would end it for good"
            try decision.warn(
                "this ends the links and calls of \(decision.peer), which must be invited anew"
                    + (kept.isEmpty ? "" : agreed))
            try await decision.carryOut(.forget)
        }
    }
}

/// What the four decisions about a peer have in common.
struct PeerDecisionOptions: ParsableArguments {
    @OptionGroup var facts: FactOptions
    @Argument(help: "Its name or node ID.") var peer: String

    /// Says what will be lost; asks where a person sits at the keyboard.
    func warn(_ consequence: String) throws {
        Terminal.note(consequence + "\n")
        if Terminal.isAttended && !Terminal.confirm("go on?") { throw ExitCode(1) }
    }

    /// What is offered to the peer or agreed with it, and not over.
    func livingAgreements() async throws -> [AgreementReport] {
        let id = try await facts.home.ask(ShowPeer.self, .init(peer: peer)).id
        return try await facts.home.ask(ListAgreements.self).agreements.filter { agreement in
            switch agreement.state {
            case .offered, .signed, .early, .active: agreement.peer.id == id
            case .expired, .ended: false
            }
        }
    }

    func carryOut(_ decision: PeerDecision) async throws {
        let report = try await facts.home.ask(DecidePeer.self, .init(peer: peer, decision: decision))
        try facts.show(report) { report, _ in
            switch decision {
            case .forget: "\(report.title) is forgotten\n"
            case .suspend, .resume, .revoke: "\(report.title) is \(report.trust.rawValue)\n"
            }
        }
    }
}
