import MeshBase

/// One invite that this node gave out.
public struct InviteRecord: Equatable, Sendable {
    /// Its public name.
    public let name: InviteName
    /// Sixteen random bytes; whoever has the line has them.
    public let secret: Octets
    /// When it ends, by this node's clock.
    public let expires: WallTime
    /// Whether the operator confirms the joiner first.
    public let confirmation: InviteConfirmation
    /// The key that it is used by; nil while unused.
    public internal(set) var usedBy: Pin?
    /// Proofs that named it and were wrong, 0 ... `Limits.wrongProofsPerInvite`; at the limit it is over.
    public internal(set) var wrongProofs: Int

    public init(
        name: InviteName, secret: Octets, expires: WallTime, confirmation: InviteConfirmation, usedBy: Pin?,
        wrongProofs: Int
    ) {
        self.name = name
        self.secret = secret
        self.expires = expires
        self.confirmation = confirmation
        self.usedBy = usedBy
        self.wrongProofs = wrongProofs
    }
}

/// Whether an operator says yes to who joins.
public enum InviteConfirmation: String, Sendable, Codable {
    /// The secret is enough.
    case none
    /// The operator is asked, and has not answered.
    case asked
    /// The operator said yes to the key in `usedBy`.
    case given
}

/// The invites of this node: each serves one key, a short time, few wrong guesses (protocol section 3).
/// Bounded by `Limits.openInvites`.
///
///     open --claimed by a key--> used: the same key may repeat until expiry, any other is refused
///     open, used --expiry--> gone;  open --5 wrong proofs--> gone
public struct InviteBook: Equatable, Sendable {
    /// The invites that are not over.
    public private(set) var invites = OrderedTable<InviteName, InviteRecord>()

    public init() {}

    /// The book as it was stored.
    public init(_ restored: [InviteRecord]) { for invite in restored { invites[invite.name] = invite } }

    /// Whether a listener has any reason to offer `comity-pair/1`.
    func isOpen(at wall: WallTime) -> Bool { invites.values.contains { $0.expires > wall } }

    /// When the next invite ends.
    var nextExpiry: WallTime? { invites.values.map(\.expires).min() }

    /// The secret of `name`, when `pin` may still use it.
    func secret(of name: InviteName, for pin: Pin, at wall: WallTime) -> Ruling<Octets> {
        guard let invite = invites[name] else {
            return .refused(Refusal(.inviteUnknown, [Fact("invite", name)]))
        }
        guard wall < invite.expires else {
            return .refused(
                Refusal(
                    .inviteExpired,
                    [Fact("until", RFC3339.text(invite.expires)), Fact("now", RFC3339.text(wall))]))
        }
        if let user = invite.usedBy, user != pin {
            return .refused(Refusal(.inviteUsed, [Fact("invite", name)]))
        }
        return .allowed(invite.secret)
    }

    /// Adds an invite; a refusal when too many are open.
    mutating func open(_ invite: InviteRecord) -> Refusal? {
        guard invites.count < Limits.openInvites else {
            return Refusal(
                .limitReached, [Fact("open invites", invites.count), Fact("limit", Limits.openInvites)])
        }
        invites[invite.name] = invite
        return nil
    }

    /// Writes a changed record.
    mutating func write(_ invite: InviteRecord) { invites[invite.name] = invite }

    /// Ends an invite.
    mutating func remove(_ name: InviteName) { invites[name] = nil }

    /// Takes out what is over.
    mutating func takeExpired(at wall: WallTime) -> [InviteRecord] {
        let over = invites.values.filter { $0.expires <= wall }
        for invite in over { invites[invite.name] = nil }
        return over
    }
}
