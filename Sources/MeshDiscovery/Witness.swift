import MeshBase

/// Who says that something is there. A witness is never believed, only listened to.
public enum Witness: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Multicast DNS on one interface. Anybody on that network can say anything through it.
    case mdns(interface: String)
    /// The operator's own list.
    case staticList
    /// A live link: the peer said on it where it listens, or an earlier run remembered where it was reached.
    case link
    /// The line of an invite.
    case invite
    /// A Consul server. Whoever may register services there can say anything through it.
    case consul
    /// One domain of unicast DNS. Whoever edits its zone, or answers before its name server does, can say
    /// anything through it.
    case dns(domain: String)

    /// Whether a person or a proven peer stands behind it, so that strangers cannot flood it.
    public var isVouched: Bool {
        switch self {
        case .mdns, .consul, .dns: false
        case .staticList, .link, .invite: true
        }
    }

    /// Whether its word that a node is to be expected somewhere is enough to dial that node.
    var makesExpectations: Bool {
        switch self {
        case .staticList, .invite: true
        case .mdns, .link, .consul, .dns: false
        }
    }

    /// Which way to find others it is: `mdns`, `static`, `link`, `invite`, `consul`, `dns`.
    public var method: String {
        switch self {
        case .mdns: "mdns"
        case .staticList: "static"
        case .link: "link"
        case .invite: "invite"
        case .consul: "consul"
        case .dns: "dns"
        }
    }

    /// Which of several that look in the same way: an interface, a domain; nil where there is but one.
    public var scope: String? {
        switch self {
        case .mdns(let interface): interface
        case .dns(let domain): domain
        case .staticList, .link, .invite, .consul: nil
        }
    }

    /// `mdns on eth0`, `dns in example.org`, else the method.
    public var description: String {
        switch self {
        case .mdns(let interface): "mdns on \(interface)"
        case .dns(let domain): "dns in \(domain)"
        case .staticList, .link, .invite, .consul: method
        }
    }
}
