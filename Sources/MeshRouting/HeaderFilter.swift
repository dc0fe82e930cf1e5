import MeshBase

/// Which header fields of an application or a resource cross a link: none that concerns one connection only
/// (RFC 9110 section 7.6.1), none with which Comity speaks for itself, none that could end its line.
public enum HeaderFilter {
    /// Bytes of all fields together.
    public static let lengthMax = Limits.invocationHead - 4 * 1024

    /// The fields of `headers` that may pass; the same array, without a copy, when all may.
    public static func passing(_ headers: [HeaderField]) -> [HeaderField] {
        let named = headers.filter { $0.name == "connection" }
            .flatMap {
                $0.value.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            }
        guard headers.contains(where: { !mayPass($0, besides: named) }) else { return headers }
        return headers.filter { mayPass($0, besides: named) }
    }

    /// The fields of an answer that may pass: the length of its body as well, so that whoever reads it knows
    /// when it is whole.
    public static func passing(answer headers: [HeaderField]) -> [HeaderField] {
        let lengths = headers.filter { $0.name == "content-length" }
        let passing = passing(headers)
        guard lengths.count == 1, let length = Int64(lengths[0].value), length >= 0,
            lengths[0].value.utf8.first != UInt8(ascii: "+")
        else { return passing }
        return passing + [HeaderField("content-length", "\(length)")]
    }

    /// The length of `headers` on the wire, near enough to bound it.
    public static func length(of headers: [HeaderField]) -> Int {
        headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }

    private static func mayPass(_ field: HeaderField, besides named: [String]) -> Bool {
        switch field.name {
        case "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
            "proxy-authenticate", "proxy-authorization", "http2-settings", "host", "content-length", "expect",
            "traceparent", "comity":
            return false
        default: break
        }
        return !field.name.utf8.isEmpty && !field.name.utf8.starts(with: reserved)
            && !named.contains(field.name)
            && field.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
            && field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 9 }
    }

    private static let reserved = Array("comity-".utf8)
}
