import MeshBase

/// The statuses of gRPC that the gateway itself answers with (gRPC, "Status codes and their use").
enum GRPCStatus: Int, CaseIterable {
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case unauthenticated = 16

    /// Under which status a call that is refused with `code` ends. `unavailable` invites clients to try
    /// again, so it is said only of what certainly had no effect, or of a call that its provider declared
    /// repeatable.
    /// - Parameter http: the HTTP status that goes with it; nil: that of `HTTPStatusTable`.
    init(_ code: RefusalCode, http: Int? = nil) {
        switch code {
        case .capabilityUnknown: self = .unimplemented
        case .outcomeUnknown: self = .unknown
        case .resourceMisbehaved, .sealBroken: self = .internal
        case .handshakeTimeout: self = .unavailable
        default: self.init(http: http ?? HTTPStatusTable.status(for: code))
        }
    }

    /// By the families of `HTTPStatusTable`, so that a new code has a status here as well.
    private init(http status: Int) {
        switch status {
        case 400, 417: self = .invalidArgument
        case 401: self = .unauthenticated
        case 403: self = .permissionDenied
        case 404: self = .notFound
        case 408, 504: self = .deadlineExceeded
        case 409, 410: self = .failedPrecondition
        case 413, 429, 431: self = .resourceExhausted
        case 415: self = .unimplemented
        case 499: self = .cancelled
        case 502, 503: self = .unavailable
        default: self = .unknown
        }
    }
}

/// What `grpc-message` says of a refusal.
enum GRPCMessage {
    /// Bytes before they are escaped: what a status says travels in a head.
    static let lengthMax = 1_024

    /// The first reason's code, why it is said, what was compared, and the next command.
    /// - Parameter cause: why it is said, in one sentence without a full stop; empty when nobody told.
    static func text(of refusals: [Refusal], cause: String, correlation: CorrelationID?) -> String {
        let code = refusals.first?.code ?? .resourceMisbehaved
        var text = code.rawValue
        if !cause.isEmpty { text += ": " + cause }
        let facts = (refusals.first?.facts ?? []).map { "\($0.name) = \($0.value)" }.joined(separator: "; ")
        if !facts.isEmpty { text += " (\(facts))" }
        let next = ". Next: comity explain \(correlation?.description ?? code.rawValue)"
        let room = lengthMax - next.utf8.count
        guard text.utf8.count > room else { return text + next }
        return String(decoding: text.utf8.prefix(room - 3), as: UTF8.self) + "…" + next
    }

    /// As it stands in the field: all but visible ASCII and spaces by `%XX` (gRPC over HTTP/2,
    /// "Percent-Encoded").
    static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            guard !(0x20...0x7e).contains(byte) || byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
