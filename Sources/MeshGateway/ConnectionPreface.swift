/// Which protocol a connection speaks, by its first bytes: HTTP/2 with prior knowledge begins with a preface
/// that no request of HTTP/1.1 has (RFC 9113 section 3.4).
enum ConnectionPreface: Equatable {
    /// No request begins so.
    case http2
    /// Whatever it is, it is not HTTP/2.
    case http1
    /// Both are possible: more is needed, the preface's length at most.
    case undecided

    /// The preface.
    static let bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// Reads what a connection has said so far.
    static func read(_ said: some Collection<UInt8>) -> ConnectionPreface {
        guard said.prefix(bytes.count).elementsEqual(bytes.prefix(said.count)) else { return .http1 }
        return said.count >= bytes.count ? .http2 : .undecided
    }
}
