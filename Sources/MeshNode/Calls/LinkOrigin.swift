import MeshBase

/// Over what a connection with a peer runs. A call that comes is held against the connection on which it
/// comes, and one that leaves against the one over which it leaves: what the view says of the peer's link is
/// of a moment before or after, when that may have been another.
public struct LinkOrigin: Sendable, Equatable {
    /// Where it comes from; nil where that is no address, and where a relay carries it.
    public let address: IPAddress?
    /// The same for the audit: each call tells it.
    let addressText: String?
    /// Who carries it; nil: nobody does.
    public let relay: NodeID?

    public init(address: IPAddress?, relay: NodeID?) {
        self.address = address
        addressText = address?.description
        self.relay = relay
    }

    /// How many nodes carry it.
    var relays: Int64 { relay == nil ? 0 : 1 }
}
