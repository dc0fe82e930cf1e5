import MeshBase

/// Whether links may be carried by others in a run.
public enum RelayPresence: String, Sendable, CaseIterable, Hashable {
    /// Nobody offers to.
    case none
    /// The first hosts offer it to all whom they trust, and some pairs of the others cannot connect.
    case offered

    /// Every fourth seed has relays, by a draw that moves no other.
    static func drawn(by seed: UInt64) -> RelayPresence {
        var generator = SeededGenerator(seed: seed ^ 0x7265_6c61_7973_2121)
        return generator.number(below: 4) == 0 ? .offered : .none
    }

    /// How many hosts offer to carry.
    static let relays = 2
}
