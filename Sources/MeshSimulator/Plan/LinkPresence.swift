import MeshBase
import MeshDiscovery

/// Whether the hosts of a run keep links with all whom they trust.
public enum LinkPresence: String, Sendable, CaseIterable, Hashable {
    /// With all of them, as any node of a small mesh does.
    case all
    /// With few, as nodes of a large one do: limits are lowered so that these few hosts walk the same paths,
    /// and links are put to rest after so short a time that calls are still under way on them.
    case few

    /// Every fourth seed has few, by a draw that moves no other.
    static func drawn(by seed: UInt64) -> LinkPresence {
        var generator = SeededGenerator(seed: seed ^ 0x6c69_6e6b_7366_6577)
        return generator.number(below: 4) == 0 ? .few : .all
    }

    /// How nodes are set.
    var configuration: OverlayConfiguration {
        var configuration = OverlayConfiguration()
        guard self == .few else { return configuration }
        configuration.linksToAll = 3
        configuration.gossipLinks = 3
        configuration.nearLinks = 2
        configuration.redraw = .seconds(30)
        configuration.idle = .seconds(4)
        configuration.absence = .seconds(5)
        return configuration
    }
}
