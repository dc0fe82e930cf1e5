import MeshBase

/// Why Consul could not be used this time. Each is met by asking again later.
public enum ConsulFailure: Error, Equatable, Sendable {
    /// Nobody answered at all: the connection was refused, reset, or could not be made.
    case unreachable(cause: String)
    /// The whole answer was not there in time.
    case late(patience: Duration)
    /// The token is unknown, or may not do this. The token itself is never told.
    case denied(what: String)
    /// The server cannot serve now: it has no leader, or says another fault of its own.
    case unwell(status: UInt, says: String)
    /// Another answer than the contract has.
    case unexpected(status: UInt, says: String)
    /// An answer above the bound was not read.
    case answerTooLong(limit: Int)
    /// An answer that makes no sense.
    case answerMalformed(what: String)
    /// The token or a certificate could not be read, or the address not be made sense of.
    case settings(what: String)
}

extension ConsulFailure: CustomStringConvertible {
    /// What happened, and what was compared.
    public var description: String {
        switch self {
        case .unreachable(let cause): "does not answer: \(cause)"
        case .late(let patience): "did not answer within \(patience.components.seconds) s"
        case .denied(let what): "denies what it was asked (403): \(what)"
        case .unwell(let status, let says): "cannot serve now (\(status)): \(says)"
        case .unexpected(let status, let says):
            "answered \(status), which its contract does not have here: \(says)"
        case .answerTooLong(let limit): "answered with more than \(limit) bytes"
        case .answerMalformed(let what): "answered what makes no sense: \(what)"
        case .settings(let what): what
        }
    }
}
