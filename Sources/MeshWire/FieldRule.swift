import MeshBase

/// What may stand in a field of text, the same for who writes and who reads. What goes into an HTTP message
/// at the other side is held here to what cannot change that message's shape.
enum FieldRule: UInt8, CaseIterable {
    /// An HTTP method: token characters (RFC 9110 section 5.6.2), not empty.
    case method
    /// The name of an HTTP field in lower case: token characters, not empty.
    case fieldName
    /// The value of an HTTP field: no control character but TAB, no white space around it.
    case fieldValue
    /// The path of a URL: visible ASCII without `?` and `#`, beginning with `/`.
    case path
    /// The query of a URL: visible ASCII without `#`.
    case query
    /// A W3C trace context: lower-case hexadecimal digits and `-`, not empty.
    case traceparent
    /// An idempotency key: visible ASCII and spaces, not empty.
    case key
    /// A refusal code: `a-z` and `-`, not empty.
    case code
    /// Text for people: without control and bidirectional characters.
    case plain

    /// Whether a text keeps the rule.
    /// - Parameter text: in UTF-8.
    func admits(_ text: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .plain: return text.isVisibleASCII || String(decoding: text, as: UTF8.self).isPlain
        case .fieldValue where text.isVisibleASCII:
            return !Self.isSpace(text.first) && !Self.isSpace(text.last)
        default: break
        }
        let mask = UInt16(1) << UInt16(rawValue)
        let common = Self.table.withUnsafeBufferPointer { table in
            text.reduce(mask) { $0 & table[Int($1)] }
        }
        guard common != 0 else { return false }
        switch self {
        case .method, .fieldName, .traceparent, .key, .code: return !text.isEmpty
        case .fieldValue: return !Self.isSpace(text.first) && !Self.isSpace(text.last)
        case .path: return text.first == UInt8(ascii: "/")
        case .query, .plain: return true
        }
    }

    /// For each byte, one bit a rule: whether it may stand in such a text.
    private static let table: [UInt16] = (0...255).map { byte in
        allCases.reduce(0) { $1.admits(byte: UInt8(byte)) ? $0 | 1 << UInt16($1.rawValue) : $0 }
    }

    private func admits(byte: UInt8) -> Bool {
        let isVisible = (0x21...0x7e).contains(byte)
        let isLower = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        switch self {
        case .method: return isLower || isUpper || isDigit || Self.tokenMarks.contains(byte)
        case .fieldName: return isLower || isDigit || Self.tokenMarks.contains(byte)
        case .fieldValue: return byte == 0x09 || byte >= 0x20 && byte != 0x7f
        case .path: return isVisible && byte != UInt8(ascii: "?") && byte != UInt8(ascii: "#")
        case .query: return isVisible && byte != UInt8(ascii: "#")
        case .traceparent:
            return isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
                || byte == UInt8(ascii: "-")
        case .key: return isVisible || byte == 0x20
        case .code: return isLower || byte == UInt8(ascii: "-")
        case .plain: return true
        }
    }

    private static var tokenMarks: [UInt8] { Array("!#$%&'*+-.^_`|~".utf8) }
    private static func isSpace(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }
}
