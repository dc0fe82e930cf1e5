import MeshBase
import MeshRouting
import NIOHTTP1

/// The header fields of one request, sorted in one pass: those the gateway reads, and those that pass on.
struct RequestFields {
    /// Pass on to the provider, names in lower case.
    private(set) var passing: [HeaderField] = []
    private(set) var host: String?
    private(set) var origin: String?
    private(set) var fetchSite: String?
    private(set) var authorization: String?
    private(set) var principal: Principal?
    private(set) var purpose: Purpose?
    private(set) var deadline: Duration?
    private(set) var idempotencyKey: String?
    private(set) var stickyKey: String?
    private(set) var traceparent: String?
    /// Bytes of the body as declared; nil when chunked or absent.
    private(set) var contentLength: Int?
    /// Whether the body is chunked.
    private(set) var isChunked = false
    /// Whether the client would rather speak another protocol from here on, whether or not it names one: the
    /// decoder goes by the field alone.
    private(set) var asksUpgrade = false
    /// Whether the client waits for `100 Continue`.
    private(set) var expectsContinue = false
    private var tracestates: [HeaderField] = []
    private var connection: [String] = []
    /// Which protocols it would rather speak, in lower case.
    private var upgrades: [String] = []
    // A second one of these could be read by somebody else as the first.
    private var seen = SingleFields()

    /// Whether it would rather speak WebSocket (RFC 6455 section 4.2.1). HTTP/1.0 knows no upgrade (RFC 9110
    /// section 7.8).
    private(set) var asksWebSocket = false

    /// Whether a body may follow the head.
    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    /// Sorts `headers` of a request of this version. Framing that two readers could read differently is
    /// refused and closes.
    init(_ headers: HTTPHeaders, version: HTTPVersion) throws(RequestRefusal) {
        passing.reserveCapacity(headers.count)
        for (name, value) in headers { try take(name.lowercasedASCII, value.trimmed) }
        if isChunked, contentLength != nil || version.minor == 0 {
            throw RequestRefusal(.requestMalformed, [Fact("framing", "ambiguous")], then: .close)
        }
        if traceparent != nil { passing += tracestates }
        asksWebSocket =
            version.minor > 0 && connection.contains("upgrade") && upgrades.contains(WebSocketUpgrade.name)
        let named = connection.filter { $0 != "close" && $0 != "keep-alive" }
        if !named.isEmpty { passing.removeAll { named.contains($0.name) } }
    }

    private mutating func take(_ name: String, _ value: String) throws(RequestRefusal) {
        switch name {
        case "host": host = try single(.host, name, value)
        case "origin": origin = value
        case "sec-fetch-site": fetchSite = value
        case "authorization": authorization = try single(.authorization, name, value)
        case "content-length": try takeLength(value)
        case "transfer-encoding":
            guard try single(.framing, name, value).lowercasedASCII == "chunked" else {
                throw RequestRefusal(.requestMalformed, [Fact("transfer-encoding", value)], then: .close)
            }
            isChunked = true
        case "connection": connection += HeaderRules.elements(of: value)
        case "expect":
            guard value.lowercasedASCII == "100-continue" else {
                throw RequestRefusal(.requestMalformed, [Fact("expect", value)], status: 417, then: .close)
            }
            expectsContinue = true
        case "traceparent":
            let first = try single(.traceparent, name, value)
            traceparent = TraceContext.isWellFormed(first) ? first : nil
        case "upgrade":
            asksUpgrade = true
            upgrades += HeaderRules.elements(of: value)
        case "tracestate": tracestates.append(HeaderField(name, value))
        case "comity-principal":
            guard let principal = Principal(try single(.principal, name, value)) else {
                throw malformed(name, value)
            }
            self.principal = principal
        case "comity-purpose":
            guard let purpose = Purpose(try single(.purpose, name, value)) else {
                throw malformed(name, value)
            }
            self.purpose = purpose
        case "comity-deadline":
            guard let deadline = DeadlineText.read(try single(.deadline, name, value)) else {
                throw malformed(name, value)
            }
            self.deadline = deadline
        case "idempotency-key":
            guard (1...Limits.idempotencyKey).contains(value.utf8.count), value.isPlain else {
                throw malformed(name, value)
            }
            idempotencyKey = try single(.idempotencyKey, name, value)
            passing.append(HeaderField(name, value))
        case "comity-sticky":
            guard (1...Limits.stickyKey).contains(value.utf8.count), value.isPlain else {
                throw malformed(name, value)
            }
            stickyKey = try single(.stickyKey, name, value)
        default:
            guard !HeaderRules.isHopByHop(name), !HeaderRules.isReserved(name) else { return }
            passing.append(HeaderField(name, value))
        }
    }

    private mutating func takeLength(_ value: String) throws(RequestRefusal) {
        guard let length = HeaderRules.length(value), contentLength == nil || contentLength == length else {
            throw RequestRefusal(.requestMalformed, [Fact("content-length", value)], then: .close)
        }
        contentLength = length
    }

    private mutating func single(
        _ field: SingleFields, _ name: String, _ value: String
    ) throws(RequestRefusal) -> String {
        guard seen.insert(field).inserted else {
            throw RequestRefusal(.requestMalformed, [Fact(name, "given twice")], then: .close)
        }
        return value
    }

    private func malformed(_ name: String, _ value: String) -> RequestRefusal {
        RequestRefusal(.requestMalformed, [Fact(name, String(value.prefix(Limits.documentText)))])
    }
}

/// Fields that a request may hold once.
private struct SingleFields: OptionSet {
    let rawValue: UInt16
    static let host = SingleFields(rawValue: 1)
    static let authorization = SingleFields(rawValue: 2)
    static let framing = SingleFields(rawValue: 4)
    static let traceparent = SingleFields(rawValue: 8)
    static let principal = SingleFields(rawValue: 16)
    static let deadline = SingleFields(rawValue: 32)
    static let idempotencyKey = SingleFields(rawValue: 64)
    static let purpose = SingleFields(rawValue: 128)
    static let stickyKey = SingleFields(rawValue: 256)
}

/// The W3C trace context of version 00 (Trace Context section 3.2).
enum TraceContext {
    /// Whether `text` is `00-TRACE-PARENT-FLAGS` in lower-case hexadecimal with neither id all zero.
    static func isWellFormed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 55, bytes[0] == UInt8(ascii: "0"), bytes[1] == UInt8(ascii: "0") else {
            return false
        }
        let dashes = [2, 35, 52]
        let zero = UInt8(ascii: "0")
        let isSpelled = bytes.indices.allSatisfy { index in
            if dashes.contains(index) { return bytes[index] == UInt8(ascii: "-") }
            return (zero...UInt8(ascii: "9")).contains(bytes[index])
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(bytes[index])
        }
        return isSpelled && bytes[3..<35].contains { $0 != zero } && bytes[36..<52].contains { $0 != zero }
    }
}

/// How `Comity-Deadline` writes a time: `500ms`, `2s`, `1m`.
enum DeadlineText {
    /// Above zero and at most `Limits.callDeadlineMax`; nil otherwise.
    static func read(_ text: String) -> Duration? {
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard digits.count <= 9, let number = Int64(String(Substring(digits))) else { return nil }
        let duration: Duration
        switch text.dropFirst(digits.count) {
        case "ms": duration = .milliseconds(number)
        case "s": duration = .seconds(number)
        case "m": duration = .seconds(number * 60)
        default: return nil
        }
        return duration > .zero && duration <= Limits.callDeadlineMax ? duration : nil
    }
}
