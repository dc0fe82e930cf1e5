import CAvahi
import MeshBase

/// What is announced, and where.
public struct AvahiAnnouncement: Equatable, Sendable {
    /// The TCP port, not 0.
    public let port: UInt16
    /// What the service says of itself at first; see `AvahiWitness.update`.
    public let txt: TXTRecord
    /// The names of the interfaces to announce on; nil for all that Avahi uses. One that is not there yet
    /// joins at a renewal.
    public let interfaces: [String]?
    /// The instance's first name; nil for a random one. Set where names are to collide.
    var instance: String?

    public init(port: UInt16, txt: TXTRecord, interfaces: [String]? = nil) {
        precondition(port > 0, "nothing listens on port 0")
        self.port = port
        self.txt = txt
        self.interfaces = interfaces
    }

    /// Avahi's numbers of the interfaces that exist now, in the order given.
    var interfaceIndices: [AvahiIfIndex] {
        guard let interfaces else { return [AvahiIfIndex(AVAHI_IF_UNSPEC)] }
        return interfaces.compactMap { AvahiIfIndex(exactly: if_nametoindex($0)) }.filter { $0 > 0 }
    }
}
