import MeshBase

/// What this node holds of one peer with which it has begun to make trust.
public struct PeerRecord: Equatable, Sendable {
    /// The peer's lasting name.
    public let node: NodeID
    /// The identity key that it proved.
    public let key: PublicKey
    /// SHA-256 of that key: what is compared.
    public let pin: Pin
    /// The beginning of its identity log, as it was when trust was made.
    public let inception: Signed<Inception>
    /// How it is called here: what it called itself, with `-2` and so on where that name was taken.
    public var name: NodeName
    /// How far trust in it goes.
    public internal(set) var state: TrustState
    /// When it came to this state.
    public internal(set) var since: WallTime
    /// Why it came to this state.
    public internal(set) var evidence: TrustEvidence
    /// The highest run of it that was accepted; nil before its first link.
    public internal(set) var boot: BootID?
    /// The domain under which trust was made, so that it ends with the credential; nil: two operators made
    /// it.
    public internal(set) var domain: DomainID?

    public init(
        node: NodeID, key: PublicKey, pin: Pin, inception: Signed<Inception>, name: NodeName,
        state: TrustState, since: WallTime, evidence: TrustEvidence, boot: BootID?, domain: DomainID? = nil
    ) {
        self.node = node
        self.key = key
        self.pin = pin
        self.inception = inception
        self.name = name
        self.state = state
        self.since = since
        self.evidence = evidence
        self.boot = boot
        self.domain = domain
    }
}

/// How far trust in a peer goes. *Seen* is not here: a hint from discovery is no record.
///
///     pending --handshake--> verified --both grants--> trusted <--operator, alarm--> suspended
///                               ^-----credential over-----'
///        any --operator--> revoked, final for that key
public enum TrustState: String, Sendable, Codable, CaseIterable, Hashable {
    /// It proved the invite's secret and its key; the operator has not said yes.
    case pending
    /// Its key is proved, and nothing that counts now makes it trusted: its credential is over.
    case verified
    /// Both sides granted trust in one transcript.
    case trusted
    /// Trusted, but not now.
    case suspended
    /// Never again with this key.
    case revoked
}

/// Why a peer is in its state.
public struct TrustEvidence: Equatable, Sendable, Codable {
    /// What kind of evidence it is.
    public let kind: Kind
    /// The transcript that both signed; nil for a decision of the operator or an alarm.
    public let transcript: Digest?
    /// In words for people: which invite, whose decision, which alarm.
    public let note: String

    /// The kinds of evidence.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// A handshake under an invite.
        case invite
        /// A handshake whose words two people compared.
        case words
        /// A handshake with a credential of a trusted domain, or that credential's end.
        case domain
        /// A decision of this node's operator.
        case `operator`
        /// A contradiction that the peer produced.
        case alarm
        /// The peer's own word, which can only lower it.
        case peer
    }

    public init(kind: Kind, transcript: Digest?, note: String) {
        self.kind = kind
        self.transcript = transcript
        self.note = note
    }
}

/// Whom this node knows, by which key, and how far it trusts them. Bounded by `Limits.peers`.
///
/// Upward moves need fresh evidence and are made by `Trust` only; downward moves take effect at once. The pin
/// of a revoked key is kept for ever, even when the peer is forgotten, so that nothing but a new key brings
/// it back.
public struct PinBook: Equatable, Sendable {
    /// The peers, by node ID.
    public private(set) var peers = OrderedTable<NodeID, PeerRecord>()
    /// Pins that are revoked here, for ever.
    public private(set) var revokedPins = OrderedTable<Pin, NodeID>()
    private var names = OrderedTable<NodeName, NodeID>()

    public init() {}

    /// The book as it was stored.
    public init(peers restored: [PeerRecord], revokedPins pins: [(Pin, NodeID)]) {
        for peer in restored {
            peers[peer.node] = peer
            names[peer.name] = peer.node
        }
        for (pin, node) in pins { revokedPins[pin] = node }
    }

    /// The record of `node`.
    public subscript(node: NodeID) -> PeerRecord? { peers[node] }

    /// The peer that is called `name` here.
    public func node(named name: NodeName) -> NodeID? { names[name] }

    /// Whether `node` is trusted now.
    public func isTrusted(_ node: NodeID) -> Bool { peers[node]?.state == .trusted }

    /// `name`, or the first of `name-2`, `name-3` … that no other peer has; nil when a thousand are taken.
    func freeName(like name: NodeName, for node: NodeID) -> NodeName? {
        let isFree = { (candidate: NodeName) in names[candidate] == nil || names[candidate] == node }
        if isFree(name) { return name }
        return (2...1_000).lazy.map(name.numbered).first(where: isFree)
    }

    /// Why a peer with this hello gets no link on `comity/1`; nil when it is trusted under this very key and
    /// inception.
    func refusal(of hello: Hello) -> Refusal? {
        guard let peer = peers[hello.node] else { return Refusal(.peerUnknown, [Fact("node", hello.node)]) }
        if let refusal = mismatch(of: peer, under: hello.identityKey, hello.inception) { return refusal }
        switch peer.state {
        case .trusted: return nil
        case .suspended:
            return Refusal(.peerSuspended, [Fact("peer", peer.name), Fact("because", peer.evidence.note)])
        case .revoked:
            return Refusal(.peerRevoked, [Fact("peer", peer.name), Fact("because", peer.evidence.note)])
        case .pending, .verified:
            return Refusal(.peerUnknown, [Fact("peer", peer.name), Fact("state", peer.state.rawValue)])
        }
    }

    /// Why trust cannot be made with who sent this hello, whatever it proves; nil when it can.
    func refusal(toTrust hello: Hello) -> Refusal? {
        refusal(toTrust: hello.node, under: hello.identityKey, hello.inception)
    }

    /// Why trust cannot be made with a peer under this key and inception, whatever it proves; nil when it
    /// can.
    func refusal(
        toTrust node: NodeID, under key: PublicKey, _ inception: Signed<Inception>
    ) -> Refusal? {
        guard let peer = peers[node] else {
            guard peers.count >= Limits.peers else { return nil }
            return Refusal(.limitReached, [Fact("peers", peers.count), Fact("limit", Limits.peers)])
        }
        switch peer.state {
        case .trusted, .pending, .verified: break
        case .suspended:
            return Refusal(.peerSuspended, [Fact("peer", peer.name), Fact("because", peer.evidence.note)])
        case .revoked:
            return Refusal(.peerRevoked, [Fact("peer", peer.name), Fact("because", peer.evidence.note)])
        }
        return mismatch(of: peer, under: key, inception)
    }

    /// Why a node of another domain than `home`, which is not in the book, gets no place in it; nil when it
    /// does. Who is trusted by a partner's word alone never takes the places of members and friends.
    func refusal(ofPartner node: NodeID, beside home: DomainID) -> Refusal? {
        guard peers[node] == nil else { return nil }
        let count = peers.values.count { $0.domain != nil && $0.domain != home }
        guard count >= Limits.partnerPeers else { return nil }
        return Refusal(.limitReached, [Fact("peers", count), Fact("limit", Limits.partnerPeers)])
    }

    /// What a peer shows that is not what is pinned for it; nil when all of it is.
    private func mismatch(
        of peer: PeerRecord, under key: PublicKey, _ inception: Signed<Inception>
    ) -> Refusal? {
        guard peer.key == key else {
            return Refusal(.pinMismatch, [Fact("peer", peer.name), Fact("pinned", peer.pin)])
        }
        guard peer.inception.payload == inception.payload else {
            return Refusal(
                .inceptionInvalid, [Fact("peer", peer.name), Fact("problem", "another inception is pinned")])
        }
        return nil
    }

    /// Whether this key is revoked here, whatever else is known of it.
    func revocation(of pin: Pin) -> Refusal? {
        revokedPins[pin].map { Refusal(.peerRevoked, [Fact("node", $0), Fact("pin", pin)]) }
    }

    /// Writes a record; a revoked one's pin stays for ever.
    mutating func write(_ peer: PeerRecord) {
        if let old = peers[peer.node] { names[old.name] = nil }
        peers[peer.node] = peer
        names[peer.name] = peer.node
        if peer.state == .revoked { revokedPins[peer.pin] = peer.node }
    }

    /// Takes a peer out; the pin of a revoked key stays.
    mutating func forget(_ node: NodeID) -> PeerRecord? {
        guard let peer = peers.remove(node) else { return nil }
        names[peer.name] = nil
        return peer
    }
}
