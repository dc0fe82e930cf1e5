import MeshRouting

/// Which header fields pass through an intermediary and which concern one connection only (RFC 9110 section
/// 7.6.1).
///
/// Names are in lower case throughout.
enum HeaderRules {
    /// Whether `name` concerns one connection only, whether or not `Connection` names it.
    static func isHopByHop(_ name: String) -> Bool { FieldRules.isHopByHop(name) }

    /// Whether `name` may stand behind a body (RFC 9110 section 6.5.1): nothing that frames, routes,
    /// authorises or changes how the message is read.
    static func isTrailer(_ name: String) -> Bool {
        switch name {
        case "content-length", "content-type", "content-encoding", "content-range", "host", "authorization",
            "cookie", "set-cookie", "www-authenticate", "expect", "max-forwards", "cache-control", "age",
            "expires", "date", "location", "retry-after", "vary", "range", "traceparent", "tracestate",
            "idempotency-key":
            false
        default: !isHopByHop(name) && !isReserved(name) && !name.hasPrefix("if-")
        }
    }

    /// Whether `name` is one of those with which Comity speaks for itself: whoever else sends it would speak
    /// in its name.
    static func isReserved(_ name: String) -> Bool { FieldRules.isReserved(name) }

    /// Whether neither can end its line.
    static func isWritable(_ name: String, _ value: String) -> Bool {
        FieldRules.isToken(name) && FieldRules.isValue(value)
    }

    /// Whether `text` is a token.
    static func isToken(_ text: String) -> Bool { FieldRules.isToken(text) }

    /// The elements of a comma-separated list, trimmed, in lower case, without empty ones.
    static func elements(of list: String) -> [String] {
        list.utf8.split(separator: UInt8(ascii: ",")).map { String(Substring($0)).trimmed.lowercasedASCII }
            .filter { !$0.isEmpty }
    }

    /// A `Content-Length`: 1 ... 15 digits and nothing else; nil otherwise.
    static func length(_ text: String) -> Int? {
        guard (1...15).contains(text.utf8.count) else { return nil }
        var length = 0
        for byte in text.utf8 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            length = length * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return length
    }
}

extension String {
    /// A to Z in lower case, all else as it is. Costs no allocation when nothing changes, which is usual.
    var lowercasedASCII: String {
        let upper = UInt8(ascii: "A")...UInt8(ascii: "Z")
        guard utf8.contains(where: { upper.contains($0) }) else { return self }
        return String(unsafeUninitializedCapacity: utf8.count) { buffer in
            var index = 0
            for byte in utf8 {
                buffer[index] = upper.contains(byte) ? byte | 0x20 : byte
                index += 1
            }
            return index
        }
    }

    /// Without spaces and tabs at either end.
    var trimmed: String {
        let blank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let first = utf8.first, let last = utf8.last, blank(first) || blank(last) else { return self }
        let rest = utf8.drop(while: blank)
        guard let end = rest.lastIndex(where: { !blank($0) }) else { return "" }
        return String(Substring(rest[...end]))
    }
}
