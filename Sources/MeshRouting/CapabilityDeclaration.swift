import MeshBase

/// Reads what an operator declares: `NAME=METHODS PATH [safe|idempotent|unsafe] [cache TIME|cache range]`,
/// methods separated by commas.
///
/// Unless said, GET, HEAD and OPTIONS alone make it safe, PUT and DELETE with these idempotent, all else
/// neither. Answers may be kept of what is safe and asked by GET and HEAD alone.
public enum CapabilityDeclaration {
    /// Bytes of one declaration.
    public static let lengthMax = 1024

    /// What an operator declared.
    public struct Declared: Equatable, Sendable {
        /// What the resource can do.
        public let capability: Capability
        /// For how long its answers may be kept; nil: not at all.
        public let keep: KeepTime?
    }

    /// What `text` declares.
    public static func read(_ text: String) -> Ruling<Declared> {
        guard text.utf8.count <= lengthMax else { return refused("longer than \(lengthMax) bytes", text) }
        guard let equals = text.firstIndex(of: "="), let name = ResourceName(text[..<equals]) else {
            return refused("does not begin with NAME=", text)
        }
        var words = text[text.index(after: equals)...].split(separator: " ", omittingEmptySubsequences: true)
        var keep: KeepTime?
        if words.count >= 4, words[words.count - 2] == "cache" {
            keep = KeepTime(words[words.count - 1])
            guard keep != nil else {
                let time = words[words.count - 1].prefix(16)
                return refused("keeps answers for \(time), not for 30s, 5m, 2h or range", text)
            }
            words.removeLast(2)
        }
        guard words.count == 2 || words.count == 3 else {
            return refused("is not NAME=METHODS PATH [safe|idempotent|unsafe] [cache TIME]", text)
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
        if keep != nil, safety != .safe || !Set(methods).isSubset(of: ["GET", "HEAD"]) {
            return refused("keeps answers, which only what is safe and asked by GET and HEAD alone may", text)
        }
        let capability = Capability(name: name, methods: methods, path: path, safety: safety)
        return .allowed(Declared(capability: capability, keep: keep))
    }

    /// What repeating a request with one of `methods` does, unless the operator says otherwise.
    public static func standardSafety(of methods: [String]) -> Safety {
        if methods.allSatisfy(["GET", "HEAD", "OPTIONS"].contains) { return .safe }
        return methods.allSatisfy(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].contains)
            ? .idempotent : .unsafe
    }

    private static func refused(_ reason: String, _ text: String) -> Ruling<Declared> {
        let shown = String(text.prefix(64))
        return .refused(
            Refusal(
                .requestMalformed,
                [Fact("capability", shown.isPlain ? shown : "?"), Fact("because it", reason)]))
    }
}
