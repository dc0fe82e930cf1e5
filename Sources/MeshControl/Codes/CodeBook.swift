import MeshBase

/// What each refusal code means: why it is said, what is compared and by which names, and the one command
/// that would change it.
///
/// `comity explain CODE` prints an entry; `Docs/Codes.md` is `page`. Each of the four parts is one
/// exhaustive switch, so that a new code does not compile before it is explained.
public enum CodeBook {
    /// What is known about one code.
    public struct Entry: Codable, Equatable, Sendable {
        /// The version of this form: 1.
        public var version = 1
        /// The code.
        public var code: RefusalCode
        /// Why it is said, in one sentence without a full stop.
        public var cause: String
        /// What is compared with what.
        public var compared: String
        /// The names of the values, as refusals give them; one refusal gives those of them that it compared.
        public var values: [String]
        /// The one command that would change it, with words in capitals to be filled in; nil when none would.
        public var next: String?
    }

    /// What is known about `code`.
    public static func entry(for code: RefusalCode) -> Entry {
        Entry(
            code: code, cause: cause(of: code), compared: comparison(of: code), values: values(of: code),
            next: next(after: code))
    }

    /// Only two codes have no command; what helps is the same.
    private static let sendLess = "no command changes it: send less at once, or in parts."

    /// `Docs/Codes.md`, whole.
    public static var page: String {
        let entries = RefusalCode.allCases.map { code in
            let entry = entry(for: code)
            let values = entry.values.map { "`\($0)`" }.joined(separator: ", ")
            return """
                ## \(code.rawValue)

                \(entry.cause).

                - Compared: \(entry.compared).
                - Values: \(values.isEmpty ? "none" : values).
                - Next: \(entry.next.map { "`\($0)`" } ?? sendLess)

                """
        }
        return """
            # Refusal codes

            Every refusal carries one of these codes, the values that were compared, and the one command that
            would change it. A code is never reused with another meaning, and only new ones are added.
            `comity explain CODE` prints the same. A refusal gives those of the values that it compared, by
            these names. This page is made from `CodeBook` in `Sources/MeshControl/Codes`
            (`COMITY_WRITE_CODES=1 swift test --filter CodeBook` writes it); tests hold it against the book,
            the book against every place that makes a refusal, and each code against a test that provokes it.

            """ + "\n" + entries.joined(separator: "\n")
    }
}
