/// Why a question has no answer, told apart because the remedies differ.
public enum DNSTrouble: Error, Hashable, Sendable, CustomStringConvertible {
    /// The server says that there is no such name (NXDOMAIN).
    case noSuchName
    /// The server could not find out (SERVFAIL).
    case serverFailed
    /// The server does not answer us (REFUSED).
    case refused
    /// The server answered with another code than these.
    case responseCode(UInt8)
    /// The host of the server says that nothing listens there.
    case nothingListens
    /// Nothing came back in time.
    case silent
    /// The question could not be sent, with the system's reason.
    case unreachable(reason: String)
    /// What came back is no answer to the question.
    case malformed

    /// Whether any other question would fare the same.
    var isServerGone: Bool {
        switch self {
        case .nothingListens, .silent, .unreachable: true
        case .noSuchName, .serverFailed, .refused, .responseCode, .malformed: false
        }
    }

    /// What happened, and what to look at.
    public var description: String {
        switch self {
        case .noSuchName: "there is no such name (NXDOMAIN): nobody is listed there"
        case .serverFailed: "the name server could not find out (SERVFAIL): see its log and its zones"
        case .refused: "the name server refuses to answer this machine (REFUSED): see whom it serves"
        case .responseCode(let code): "the name server answered with code \(code)"
        case .nothingListens: "nothing listens there: is the name server running, and is this its port?"
        case .silent: "the name server did not answer in time"
        case .unreachable(let reason): "the name server cannot be reached: \(reason)"
        case .malformed: "what came back is no answer to the question"
        }
    }
}
