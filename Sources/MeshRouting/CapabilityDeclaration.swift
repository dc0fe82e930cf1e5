import MeshBase

/// Reads what an operator declares: `NAME=METHODS PATH [safe|idempotent|unsafe]`, methods separated by
/// commas.
///
/// Unless said, GET, HEAD and OPTIONS alone make it safe, PUT and DELETE with these idempotent, all else
/// neither.
public enum CapabilityDeclaration {
    /// Bytes of one declaration.
    public static let lengthMax = 1024

    /// The capability that `text` declares.
    public static func read(_ text: String) -> Ruling<Capability> {
        guard text.utf8.count <= lengthMax else { return refused("longer than \(lengthMax) bytes", text) }
        guard let equals = text.firstIndex(of: "="), let name = ResourceName(text[..<equals]) else {
            return refused("does not begin with NAME=", text)
        }
        let words = text[text.index(after: equals)...].split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2 || words.count == 3 else {
            return refused("is not NAME=METHODS PATH [safe|idempotent|unsafe]", text)
        }
        let methods = words[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard methods.allSatisfy(CapabilityMatcher.isMethod), Set(methods).count == methods.count else {
            return refused("has methods that are not upper-case words, each once", text)
        }
        let path: String
        switch RequestPath.normalised(String(words[1])) {
        case .refused(let refusal): return .refused(refusal)
        case .allowed(let normal): path = normal
        }
        var safety = standardSafety(of: methods)
        if words.count == 3 {
            guard let declared = Safety(rawValue: String(words[2])) else {
                return refused("says \(words[2].prefix(16)), which is not safe, idempotent or unsafe", text)
            }
            safety = declared
        }
        return .allowed(Capability(name: name, methods: methods, path: path, safety: safety))
    }

    /// What repeating a request with one of `methods` does, unless the operator says otherwise.
    public static func standardSafety(of methods: [String]) -> Safety {
        if methods.allSatisfy(["GET", "HEAD", "OPTIONS"].contains) { return .safe }
        return methods.allSatisfy(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].contains)
            ? .idempotent : .unsafe
    }

    private static func refused(_ reason: String, _ text: String) -> Ruling<Capability> {
        let shown = String(text.prefix(64))
        return .refused(
            Refusal(
                .requestMalformed,
                [Fact("capability", shown.isPlain ? shown : "?"), Fact("because it", reason)]))
    }
}
