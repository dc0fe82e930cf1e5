import MeshBase

/// How the body of a request comes: decides whether it can be sent again, and what tells one request from
/// another.
public enum RequestBody: Hashable, Sendable {
    /// There is none.
    case none
    /// All of it was at hand before anything was sent: at most `Limits.callBody` bytes, at least one.
    case whole(length: Int64, digest: Digest)
    /// It passes on as it comes. `length` is what its sender declared, nil where it declared nothing. Two
    /// such bodies are told apart by their declared lengths only.
    case streamed(length: Int64?)

    /// Bytes, as far as they are known before the body has passed.
    public var length: Int64? {
        switch self {
        case .none: 0
        case .whole(let length, _): length
        case .streamed(let length): length
        }
    }

    /// Whether it passes on as it comes.
    public var isStreamed: Bool { if case .streamed = self { true } else { false } }

    /// SHA-256 of it, as far as the audit keeps one (protocol section 9); nil above 4 KiB, of nothing, and
    /// before it has passed.
    public var auditedDigest: Digest? {
        guard case .whole(let length, let digest) = self, length <= Limits.digestedBody else { return nil }
        return digest
    }
}

/// What of a call its time bounds.
public enum DeadlineScope: UInt8, Hashable, Sendable, Codable {
    /// All of it, to the last byte of the answer.
    case wholeCall = 0
    /// The wait for the answer to begin, counted from the last time that the request's body moved. After that
    /// the call goes on for as long as bytes move (`Limits.streamIdle`).
    case answerHead = 1
}
