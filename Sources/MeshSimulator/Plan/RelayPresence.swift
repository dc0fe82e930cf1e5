/// Whether links may be carried by others in a run.
public enum RelayPresence: String, Sendable, CaseIterable, Hashable {
    /// Nobody offers to.
    case none
    /// The first hosts offer it to all whom they trust, and some pairs of the others cannot connect.
    case offered

    /// How many hosts offer to carry.
    static let relays = 2
}
