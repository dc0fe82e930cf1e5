/// Why something was not done: a stable code and the values that were compared, so that `explain` and the
/// audit can say why.
///
/// A refusal is a result, never a thrown error. `Docs/Codes.md` has a page for each code.
public struct Refusal: Equatable, Hashable, Sendable, Codable {
    /// What kind of refusal it is.
    public let code: RefusalCode
    /// What was compared, in the order in which a person would want to read it; values are never secret.
    public let facts: [Fact]

    public init(_ code: RefusalCode, _ facts: [Fact] = []) {
        self.code = code
        self.facts = facts
    }
}

/// One value that a decision compared, with its name: `until = 2026-11-21T10:00:00Z`.
public struct Fact: Equatable, Hashable, Sendable, Codable {
    /// What it is, in lower case: `offered until`, `now`, `skew`.
    public let name: String
    /// Its value as people read it; never a secret.
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// A fact whose value prints itself.
    public init(_ name: String, _ value: some CustomStringConvertible & Sendable) {
        self.init(name, value.description)
    }
}
