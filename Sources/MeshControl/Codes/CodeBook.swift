import MeshBase

/// What each refusal code means: why it is said, which values are compared, and the one command that would
/// change it.
///
/// `comity explain CODE` prints an entry; `Docs/Codes.md` is `page`. Each of the three parts is one
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
        /// Which values are compared.
        public var compared: String
        /// The one command that would change it, with words in capitals to be filled in; nil when none would.
        public var next: String?
    }

    /// What is known about `code`.
    public static func entry(for code: RefusalCode) -> Entry {
        Entry(code: code, cause: cause(of: code), compared: comparison(of: code), next: next(after: code))
    }

    private static let nothingToDo = "nothing to do here; it passes, or is for the other side to change."

    /// `Docs/Codes.md`, whole.
    public static var page: String {
        let entries = RefusalCode.allCases.map { code in
            let entry = entry(for: code)
            return """
                ## \(code.rawValue)

                \(entry.cause).

                - Compared: \(entry.compared).
                - Next: \(entry.next.map { "`\($0)`" } ?? nothingToDo)

                """
        }
        return """
            # Refusal codes

            Every refusal carries one of these codes, the values that were compared, and the one command that
            would change it. A code is never reused with another meaning, and only new ones are added.
            `comity explain CODE` prints the same. This page is made from `CodeBook` in
            `Sources/MeshControl/Codes`; a test holds the two together.

            """ + "\n" + entries.joined(separator: "\n")
    }
}
