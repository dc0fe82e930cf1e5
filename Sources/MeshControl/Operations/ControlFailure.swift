import MeshBase

/// Why an operation was not done, as it crosses the control socket and as people read it.
public struct ControlFailure: Error, Codable, Equatable, Sendable {
    /// What kind of failure it is: decides the HTTP status and the exit code of the command.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// A rule or a person said no.
        case refused
        /// What was named does not exist here.
        case notFound = "not-found"
        /// The request itself is wrong.
        case usage
        /// No agent answers for this home.
        case notRunning = "not-running"
        /// The peer that is needed cannot be reached.
        case unreachable
        /// The agent could not do what it should have done.
        case fault
    }

    /// What kind of failure it is.
    public let kind: Kind
    /// A refusal code, or one of the control API's own: `agent-not-running`, `operation-unknown`, `request-
    /// malformed`, `body-too-large`, `agent-fault`.
    public let code: String
    /// What happened, in one sentence without a full stop.
    public let message: String
    /// What was compared, in reading order; never a secret.
    public let facts: [Fact]
    /// The one command that would change it; nil when there is none.
    public let next: String?

    public init(_ kind: Kind, code: String, message: String, facts: [Fact] = [], next: String? = nil) {
        self.kind = kind
        self.code = code
        self.message = message
        self.facts = facts
        self.next = next
    }

    /// A refusal that a machine returned, with the code book's words for it.
    public init(_ refusal: Refusal, next: String? = nil) {
        let kind: Kind
        switch refusal.code {
        case .peerUnreachable: kind = .unreachable
        case .peerNotFound, .nothingFound, .resourceUnknown, .inviteUnknown: kind = .notFound
        default: kind = .refused
        }
        let entry = CodeBook.entry(for: refusal.code)
        self.init(
            kind, code: refusal.code.rawValue, message: entry.cause, facts: refusal.facts,
            next: next ?? entry.next)
    }

    /// What a command of this home says when nobody listens on the control socket.
    public static func agentNotRunning(home: String, found: String) -> ControlFailure {
        ControlFailure(
            .notRunning, code: "agent-not-running", message: "the agent of this home is not running",
            facts: [Fact("home", home), Fact("control socket", found)], next: "comity up --home \(home)")
    }

    /// The exit code of a command that ends with this failure (the contract of the command line).
    public var exitCode: Int32 {
        switch kind {
        case .refused, .notFound, .fault: 1
        case .usage: 2
        case .notRunning: 3
        case .unreachable: 4
        }
    }

    var httpStatus: Int {
        switch kind {
        case .refused: code == "body-too-large" ? 413 : 403
        case .notFound: 404
        case .usage: 400
        case .notRunning: 503
        case .unreachable: 502
        case .fault: 500
        }
    }
}
