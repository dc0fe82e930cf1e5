import MeshBase
import MeshGossip

/// How the hosts of a run compare what they hold of a domain.
public enum AudienceSize: String, Sendable, CaseIterable, Hashable {
    /// By lists, as members of a small domain do.
    case small
    /// By coded symbols and by pages, as members of a large one do: limits are lowered so that these few
    /// hosts walk the same paths.
    case large

    /// Every third seed has large ones, by a draw that moves no other.
    static func drawn(by seed: UInt64) -> AudienceSize {
        var generator = SeededGenerator(seed: seed ^ 0x6175_6469_656e_6365)
        return generator.number(below: 3) == 0 ? .large : .small
    }

    /// How nodes are set.
    var configuration: GossipConfiguration {
        var configuration = GossipConfiguration()
        if self == .large { configuration.listMost = 2 }
        return configuration
    }
}
