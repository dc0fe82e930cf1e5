import MeshBase

/// A capability as it is declared: `NAME=METHODS PATH [safe|idempotent|unsafe]` (protocol section 8).
public enum CapabilityDeclaration {
    /// Reads one declaration of at most 1 KiB. Unless it says so, GET, HEAD and OPTIONS alone make it safe,
    /// PUT and DELETE with these idempotent, anything else unsafe.
    /// - Throws: a usage failure that names the part at fault.
    public static func parse(_ text: String) throws(ControlFailure) -> Capability {
        guard text.utf8.count <= 1_024, text.isPlain else {
            throw wrong("declaration", "longer than 1 KiB, or not plain text")
        }
        guard let sign = text.firstIndex(of: "=") else { throw wrong("declaration", text) }
        guard let name = ResourceName(text[..<sign]) else { throw wrong("name", String(text[..<sign])) }
        let words = text[text.index(after: sign)...].split(separator: " ").map(String.init)
        guard (2...3).contains(words.count) else { throw wrong("declaration", text) }
        let methods = words[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard methods.count <= 16, Set(methods).count == methods.count, methods.allSatisfy(isMethod) else {
            throw wrong("methods", words[0])
        }
        guard isPath(words[1]) else { throw wrong("path", words[1]) }
        guard words.count == 3 else {
            return Capability(name: name, methods: methods, path: words[1], safety: usualSafety(of: methods))
        }
        guard let safety = Safety(rawValue: words[2]) else { throw wrong("safety", words[2]) }
        return Capability(name: name, methods: methods, path: words[1], safety: safety)
    }

    /// What a resource that declares nothing can do: `read` (GET, HEAD, OPTIONS) and `write` (the rest), at
    /// its URL.
    public static let usual: [Capability] = [
        ("read", ["GET", "HEAD", "OPTIONS"]), ("write", ["POST", "PUT", "PATCH", "DELETE"]),
    ]
    .compactMap { name, methods in
        ResourceName(name).map {
            Capability(name: $0, methods: methods, path: "/", safety: usualSafety(of: methods))
        }
    }

    private static func usualSafety(of methods: [String]) -> Safety {
        let safe = ["GET", "HEAD", "OPTIONS"]
        if methods.allSatisfy(safe.contains) { return .safe }
        return methods.allSatisfy { (safe + ["PUT", "DELETE"]).contains($0) } ? .idempotent : .unsafe
    }

    private static func isMethod(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    }

    /// Absolute and normalised: no empty, `.` or `..` segment, nothing that two readers could read
    /// differently.
    private static func isPath(_ text: String) -> Bool {
        if text == "/" { return true }
        guard text.utf8.count <= 256, text.hasPrefix("/") else { return false }
        return text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            segment in
            !segment.isEmpty && segment != "." && segment != ".."
                && segment.utf8.allSatisfy { byte in
                    (0x21...0x7e).contains(byte) && !"%?#\\\"".utf8.contains(byte)
                }
        }
    }

    private static func wrong(_ part: String, _ found: String) -> ControlFailure {
        ControlFailure(
            .usage, code: "request-malformed",
            message: "a capability is declared 'NAME=METHODS PATH [safety]'",
            facts: [Fact(part, found), Fact("example", "'list=GET /list safe'")])
    }
}
