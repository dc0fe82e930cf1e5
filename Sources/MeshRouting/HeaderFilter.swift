import MeshBase

/// Which header fields of an application or a resource cross a link: none that concerns one connection only
/// (RFC 9110 section 7.6.1), none with which Comity speaks for itself, none that could end its line.
public enum HeaderFilter {
    /// Bytes of all fields together.
    public static let lengthMax = Limits.invocationHead - 4 * 1024

    /// The fields of `headers` that may pass; the same array, without a copy, when all may.
    public static func passing(_ headers: [HeaderField]) -> [HeaderField] {
        let named = named(by: headers)
        guard headers.contains(where: { !mayPass($0, besides: named) }) else { return headers }
        return headers.filter { mayPass($0, besides: named) }
    }

    /// The fields of an answer that may pass: the length of its body as well, so that whoever reads it knows
    /// when it is whole.
    /// - Parameter isOpen: it opens a WebSocket, which has no length.
    public static func passing(answer headers: [HeaderField], opening isOpen: Bool = false) -> [HeaderField] {
        let named = named(by: headers)
        var passing: [HeaderField] = []
        passing.reserveCapacity(headers.count)
        var lengths = 0
        var declared: Int64?
        for field in headers {
            if field.name.utf8.count == 14, field.name == "content-length" {
                lengths += 1
                declared = field.value.utf8.first == UInt8(ascii: "+") ? nil : Int64(field.value)
            } else if mayPass(field, besides: named) {
                passing.append(field)
            }
        }
        guard lengths == 1, let declared, declared >= 0, !isOpen else { return passing }
        passing.append(HeaderField("content-length", String(declared)))
        return passing
    }

    /// What `Connection` names, in lower case.
    private static func named(by headers: [HeaderField]) -> [String] {
        guard headers.contains(where: isConnection) else { return [] }
        return headers.filter(isConnection)
            .flatMap {
                $0.value.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            }
    }

    /// Told by its length first, as `FieldRules` does.
    private static func isConnection(_ field: HeaderField) -> Bool {
        field.name.utf8.count == 10 && field.name == "connection"
    }

    /// The length of `headers` on the wire, near enough to bound it.
    public static func length(of headers: [HeaderField]) -> Int {
        headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }

    private static func mayPass(_ field: HeaderField, besides named: [String]) -> Bool {
        !FieldRules.isHopByHop(field.name) && !FieldRules.isReserved(field.name) && !isEnds(field.name)
            && !field.name.utf8.isEmpty && !named.contains(field.name)
            && names.holds(field.name) && FieldRules.isValue(field.value)
    }

    private static let names = ByteSet { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }

    /// What each of the two ends says for itself.
    private static func isEnds(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: name == "host"
        case 6: name == "expect"
        case 11: name == "traceparent"
        case 14: name == "content-length"
        default: false
        }
    }
}
