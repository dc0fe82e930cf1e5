/// One thing that the control API does: what is asked, what is answered, and where.
///
/// Every operation is `POST /v1/PATH` with JSON both ways, so both ends share these types and nothing else.
/// An operation that waits (`AwaitInvite`, `Join`) takes `waitMilliseconds` and answers when something
/// changed or the time is over: the client asks again, shows progress in between, and may go away at any
/// moment without leaving anything behind.
public protocol ControlOperation: Sendable {
    /// What is asked. At most `ControlLimits.request` bytes of JSON.
    associatedtype Request: Codable & Sendable
    /// What is answered. At most `ControlLimits.answer` bytes of JSON.
    associatedtype Response: Codable & Sendable
    /// Beneath `/v1/`: lower-case words joined by `/` and `-`. A contract: never given another meaning.
    static var path: String { get }
}

/// Where there is nothing to ask or to answer: `{}`.
public struct Nothing: Codable, Equatable, Sendable {
    public init() {}
}

/// Bounds of the control API.
public enum ControlLimits {
    /// Bytes of a request's body.
    public static let request = 2 * 1024 * 1024
    /// Bytes of an answer's body.
    public static let answer = 64 * 1024 * 1024
    /// The longest that one operation waits before it answers with how things stand.
    public static let wait: Duration = .seconds(20)
    /// How long a client gives an operation that does not wait.
    public static let patience: Duration = .seconds(30)
    /// Connections that are served at once; more wait to be accepted.
    static let connections = 512
    /// Of these, such that have asked nothing so far; above it the oldest of them is closed.
    static let silentConnections = 256
    /// How long a connection may take until the head of its first question is there, and how long the rest of
    /// a question may take behind its head.
    static let questionTime: Duration = .seconds(10)
    /// How long a connection may say nothing.
    static let silence: Duration = .seconds(60)
}
