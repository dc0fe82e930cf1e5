import MeshBase

/// Whether some hosts of a run make domains and enrol in them.
public enum DomainPresence: String, Sendable, CaseIterable, Hashable {
    /// One host makes a domain, in larger runs another a second one; others are given tokens.
    case present
    /// All trust is made by invites.
    case absent

    /// Every other seed, by a draw that moves no other.
    static func drawn(by seed: UInt64) -> DomainPresence {
        var generator = SeededGenerator(seed: seed ^ 0x646f_6d61_696e)
        return generator.number(below: 2) == 0 ? .present : .absent
    }
}
