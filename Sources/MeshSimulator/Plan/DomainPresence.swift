import MeshBase

/// Whether some hosts of a run make domains and enrol in them.
public enum DomainPresence: String, Sendable, CaseIterable, Hashable {
    /// One host makes a domain, in larger runs another a second one; others are given tokens.
    case present
    /// All trust is made by invites.
    case absent
    /// Two hosts make a domain each, and their operators exchange bundles, decide about one another, and
    /// change their minds.
    case partners

    /// Whether there are any.
    var isAny: Bool { self != .absent }

    /// Every other seed has domains, and every fourth of these partners, by draws that move no other.
    static func drawn(by seed: UInt64) -> DomainPresence {
        var generator = SeededGenerator(seed: seed ^ 0x646f_6d61_696e)
        guard generator.number(below: 2) == 0 else { return .absent }
        var partners = SeededGenerator(seed: seed ^ 0x7061_7274_6e65_7273)
        return partners.number(below: 4) == 0 ? .partners : .present
    }
}
