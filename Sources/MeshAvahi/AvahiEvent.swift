import MeshBase

/// What the Avahi daemon told us.
public enum AvahiEvent: Equatable, Sendable {
    /// The daemon is there: announcing and browsing have begun (again).
    case running
    /// The daemon cannot be used, with its reason. It is sought again by itself.
    case unavailable(reason: String)
    /// Our service is on the network under this instance name.
    case announced(instance: String)
    /// Another service had our instance name; a new one is drawn and announced.
    case collision(instance: String)
    /// Our service could not be announced, with Avahi's reason. Browsing goes on, and the next renewal tries
    /// again.
    case announcementFailed(reason: String)
    /// There is no browsing until the next renewal, with Avahi's reason.
    case browsingFailed(reason: String)
    /// A service was resolved; repeated at each renewal, and whenever it shows something new at one.
    case sighted(AvahiSighting)
    /// A service said goodbye, or was not there any more at a renewal.
    case withdrawn(AvahiService)
}

/// One service as it shows itself on one interface in one address family.
public struct AvahiService: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The instance name as the stranger chose it: at most 63 bytes, any text.
    public let instance: String
    /// The interface's name (`eth0`), or its number when it has none any more.
    public let interface: String
    /// The address family over which it was seen.
    public let family: AddressFamily

    /// The two families of addresses.
    public enum AddressFamily: String, Comparable, Sendable, CaseIterable {
        case ipv4
        case ipv6

        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    public init(instance: String, interface: String, family: AddressFamily) {
        self.instance = instance
        self.interface = interface
        self.family = family
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.interface, left.instance, left.family) < (right.interface, right.instance, right.family)
    }

    /// `INSTANCE on INTERFACE over FAMILY`.
    public var description: String { "\(instance) on \(interface) over \(family.rawValue)" }
}

/// A service with where it is and what it says of itself. Nothing of it is proven.
public struct AvahiSighting: Equatable, Sendable {
    /// Which service.
    public let service: AvahiService
    /// Where: an address of the service's family, a link-local IPv6 one with `%interface`.
    public let endpoint: Endpoint
    /// What it says of itself.
    public let txt: TXTRecord
    /// Whether it is the service that this very witness announces.
    public let isOwn: Bool
}
