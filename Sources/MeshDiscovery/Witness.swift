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

    /// Whether a person or a proven peer stands behind it, so that strangers cannot flood it.
    public var isVouched: Bool {
        switch self {
        case .mdns: false
        case .staticList, .link, .invite: true
        }
    }

    /// Whether its word that a node is to be expected somewhere is enough to dial that node.
    var makesExpectations: Bool {
        switch self {
        case .staticList, .invite: true
        case .mdns, .link: false
        }
    }

    /// `mdns on eth0`, `static`, `link`, `invite`.
    public var description: String {
        switch self {
        case .mdns(let interface): "mdns on \(interface)"
        case .staticList: "static"
        case .link: "link"
        case .invite: "invite"
        }
    }
}
