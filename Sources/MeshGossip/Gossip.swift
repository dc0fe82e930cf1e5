import MeshBase

/// Which links live, and what their two ends know of one another's resources (protocol sections 5 and 6).
///
/// Two sub-machines: `LinkBook` (one connection a peer, its signs of life) and, per audience that this node
/// is in, an `AudienceRegistry`: the pair with each trusted peer, and this node's own domain. What is told in
/// a pair stays on its link; what is told to a domain every member that holds it passes on (`Gossip+Relay`).
///
///     (stranger) --peerTrusted--> trusted: links admitted; in the pair's audience, and in the domain's while
///                 |               both are members: heads signed and accepted, records served
///                 |               trusted --membership over, on either side--> out of the domain's audience
///                trusted --peerDropped--> resting: no link, out of every audience, highest positions kept
///                resting --peerTrusted--> trusted
///
/// What ties them: a link that comes up exchanges lists at once; every ping carries one summary of all that
/// the two share; a difference, or a copy in the last quarter of its life, brings lists; a list brings the
/// newer head, a head the records that are missing. In a domain that is too large for lists a difference is
/// found by coded symbols (`Gossip+Symbols`). So a message that is lost is mended by a later ping.
///
/// Callers owe it: `peerTrusted` before a link of that peer, and `offersChanged` after it,
/// `domainOffersChanged` once in any case (no head is made or renewed before); `membershipChanged` at once
/// when one begins, changes or ends, this node's own among them; an answer to every `.sign` (one that stays
/// away is asked for again after half a minute); `timeReached` no earlier than `nextDeadline`. `.persist`
/// comes before the `.send` that makes it visible.
public struct Gossip<Suite: SignatureSuite>: Sendable {
    let me: NodeID
    let ownKey: PublicKey
    let suite: Suite
    let configuration: GossipConfiguration
    /// Nonces are made under it; 32 bytes.
    let nonceSecret: [UInt8]
    var noncesDrawn: UInt64 = 0
    var links: LinkBook
    /// Trusted peers.
    var peers = OrderedTable<NodeID, TrustedPeer>()
    /// Whom others prove to be members of this node's domain, and under which key; never trusted peers.
    var vouched = OrderedTable<NodeID, PublicKey>()
    /// What credentials prove now, this node's own among them.
    var memberships = OrderedTable<NodeID, Membership>() { didSet { membershipRevision += 1 } }
    /// Rises with every change of a membership.
    private(set) var membershipRevision: UInt64 = 0
    /// By audience; that of a peer that is not trusted, or of a domain that was left, rests.
    var registries = OrderedTable<Audience, AudienceRegistry>()
    /// By domain, what is held of it, and what the pings' summaries say of that.
    var heldDigests = OrderedTable<Audience, HeldDigest>()
    /// By peer with a link: how far the two are with what differs in their large domain.
    var comparisons = OrderedTable<NodeID, LinkComparison>()
    /// What this node offers to its domain, whether or not it is in one; nil until it is told.
    var domainOffers: [ResourceDescription]?
    /// To which key calls to this node are sealed; nil until there is one.
    var encryption: EncryptionKey?
    var signatures = OrderedTable<Ticket, AwaitedSignature>()
    var invalid = OrderedTable<NodeID, Int>()
    var deadlines = Deadlines<RegistryAlarm>()
    /// What was said last of who is heard of.
    var reach = GossipReach()
    private var ticketsIssued: UInt64 = 0

    private static var invalidUntilLinkEnds: Int { 3 }
    private static var invalidUntilSuspension: Int { 10 }

    /// - Parameters:
    ///   - heads: what was stored, of this node and of others; what is not for this node is ignored.
    ///   - generator: for nonces; this node's own.
    public init(
        me: NodeID, ownKey: PublicKey, heads: [StoredHead],
        configuration: GossipConfiguration = GossipConfiguration(), suite: Suite, generator: SeededGenerator
    ) {
        precondition(configuration.problems().isEmpty, "\(configuration.problems())")
        self.me = me
        self.ownKey = ownKey
        self.suite = suite
        self.configuration = configuration
        var generator = generator
        nonceSecret = generator.bytes(32)
        links = LinkBook(me: me)
        for head in heads {
            let audience = head.head.body.audience
            if case .pair(let pair) = audience, pair.other(than: me) == nil { continue }
            edit(audience, at: .zero) { $0.restore(head, using: suite) }
        }
    }

    /// When `timeReached` is due; nil when nothing waits for time.
    public var nextDeadline: Instant? { [links.nextDeadline, deadlines.next].compactMap { $0 }.min() }

    /// The one entrance.
    public mutating func handle(
        _ input: GossipInput, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        switch input {
        case .linkAdmitted(let connection, let terms):
            guard peers[terms.node] != nil else { return effects.post(.close(connection, .peerNotTrusted)) }
            perform(links.admit(connection, terms, at: now.instant), at: now, into: &effects)
        case .heard(let connection): perform(links.hear(connection, at: now.instant), at: now, into: &effects)
        case .ponged(let connection, let roundTrip):
            perform(
                links.hearPong(connection, after: roundTrip, at: now.instant), at: now, into: &effects)
        case .pinged(let connection, let summary):
            perform(links.hearPing(connection, at: now.instant), at: now, into: &effects)
            guard let node = links.node(on: connection) else { return }
            compare(summary, with: node, at: now, into: &effects)
        case .connectionClosed(let connection): perform(links.close(connection), at: now, into: &effects)
        case .linkAtRest(let node): perform(links.rest(node), at: now, into: &effects)
        case .messageInvalid(let node, let refusal): convict(node, refusal, into: &effects)
        case .peerDropped(let node): drop(node, at: now, into: &effects)
        case .peerTrusted(let node, let key): trust(node, key, at: now, into: &effects)
        case .memberVouched(let node, let key, let membership):
            vouch(for: node, key, membership, at: now, into: &effects)
        case .membershipChanged(let node, let membership):
            memberships[node] = membership
            for peer in node == me ? peers.keys + vouched.keys : [node] {
                place(peer, at: now, into: &effects)
            }
        case .offersChanged(let node, let resources):
            guard peers[node] != nil else { return }
            replace(with: resources, in: .pair(me, node), at: now, into: &effects)
        case .domainOffersChanged(let resources):
            domainOffers = resources
            guard let domain = memberships[me]?.domain else { return }
            replace(with: resources, in: .domain(domain), at: now, into: &effects)
        case .encryptionKeyChanged(let key):
            guard key != encryption else { return }
            encryption = key
            for audience in registries.keys { renew(audience, at: now, into: &effects) }
        case .messageArrived(let node, let message):
            receive(message, from: node, at: now, into: &effects)
            if !message.isRequest { noteWord(of: node, at: now, into: &effects) }
        case .relayed(let push, let node, let isLast):
            receive(relayed: push, from: node, at: now, into: &effects)
            if isLast { noteWord(of: node, at: now, into: &effects) }
        case .signed(let ticket, let signature): receive(signature, ticket, at: now, into: &effects)
        case .timeReached:
            perform(links.reach(now.instant), at: now, into: &effects)
            while let alarm = deadlines.takeDue(at: now.instant) {
                ring(alarm, at: now, into: &effects)
            }
        }
    }

    /// What the peer offers this node now, to it alone or to the domain of both; each name once. Nothing that
    /// is expired, nothing of who is not trusted.
    public func resources(of node: NodeID, at wall: WallTime) -> [ResourceDescription] {
        var found = OrderedTable<ResourceName, ResourceDescription>()
        for audience in audiences(with: node, at: wall) {
            for record in registries[audience]?.present[node]?.theirs.served(at: wall) ?? []
            where found[record.key] == nil { found[record.key] = record.resource }
        }
        return found.values
    }

    /// What the peer offers to the domain of both now, by name.
    public func resourcesOfferedToDomain(by node: NodeID, at wall: WallTime) -> [ResourceName] {
        guard let domain = sharedDomain(with: node, at: wall) else { return [] }
        return registries[domain]?.present[node]?.theirs.served(at: wall).map(\.key) ?? []
    }

    /// To which key calls to `node` are sealed now: what its newest head says that is in force, in whatever
    /// audience; nil: nothing.
    public func encryptionKey(of node: NodeID, at wall: WallTime) -> EncryptionKey? {
        var newest: Head?
        for audience in audiences(with: node, at: wall) {
            guard let theirs = registries[audience]?.present[node]?.theirs, theirs.isCurrent(at: wall),
                let head = theirs.whole?.head.body
            else { continue }
            if newest.map({ $0.issued < head.issued }) ?? true { newest = head }
        }
        return newest?.encryption
    }

    /// The link with `node`; nil without one.
    public func link(with node: NodeID) -> LinkStatus? {
        links.links[node].map {
            LinkStatus(
                connection: $0.connection, remote: $0.terms.remote, address: $0.terms.address,
                relay: $0.terms.distance.relay, since: $0.since, condition: $0.condition,
                roundTrip: $0.roundTrip, skew: $0.terms.skew,
                certificateExpires: $0.terms.certificateExpires)
        }
    }

    /// Whether this node holds what `node` offers to it alone, as of now.
    public func isCatalogCurrent(of node: NodeID, at wall: WallTime) -> Bool {
        registries[.pair(me, node)]?.present[node]?.theirs.isCurrent(at: wall) == true
    }

    /// Whether this connection was a peer's link, or nearly, and ends once its calls have.
    public func isDraining(_ connection: ConnectionID) -> Bool { links.isDraining(connection) }

    /// Whose link runs over this connection; nil when none does.
    public func node(on connection: ConnectionID) -> NodeID? { links.node(on: connection) }

    mutating func newTicket() -> Ticket {
        ticketsIssued += 1
        return Ticket(ticketsIssued)
    }

    private mutating func perform(
        _ steps: [LinkBook.Step], at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        for step in steps {
            switch step {
            case .ping(let connection):
                guard let node = links.node(on: connection), peers[node] != nil else { continue }
                keepHeldDigest(sharedWith: node, at: now.wall)
                effects.post(.ping(connection, summary(with: node, at: now.wall)))
                askForRenewals(of: node, at: now, into: &effects)
            case .close(let connection, let code): effects.post(.close(connection, code))
            case .drain(let connection): effects.post(.drain(connection))
            case .up(let node, let connection):
                guard let link = links.links[node] else { continue }
                endComparison(with: node)
                effects.post(.record(.linkUp(node, link.terms.remote, by: link.terms.distance.relay)))
                effects.post(.linkUp(node, connection, link.terms.remote))
                greet(node, over: connection, at: now, into: &effects)
            case .down(let node, let loss):
                endComparison(with: node)
                effects.post(.record(.linkDown(node, loss)))
                effects.post(.linkDown(node, loss))
            case .condition(let node, let condition): effects.post(.linkDegraded(node, condition))
            }
        }
    }

    private mutating func trust(
        _ node: NodeID, _ key: PublicKey, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        guard peers[node] == nil else { return }
        vouched[node] = nil
        peers[node] = TrustedPeer(key: key, at: now.instant)
        enter(node, .pair(me, node), at: now)
        place(node, at: now, into: &effects)
    }

    /// A member of this node's domain that it has not met is proved to be one, or is no more.
    private mutating func vouch(
        for node: NodeID, _ key: PublicKey, _ membership: Membership?, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        guard node != me, peers[node] == nil else { return }
        if membership == nil || vouched[node] != key {
            for audience in domainAudiences { leave(node, audience, into: &effects) }
        }
        memberships[node] = membership
        vouched[node] = membership == nil ? nil : key
        place(node, at: now, into: &effects)
    }

    private mutating func drop(_ node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        perform(links.drop(node), at: now, into: &effects)
        invalid[node] = nil
        guard peers.remove(node) != nil else { return }
        for audience in [.pair(me, node)] + domainAudiences { leave(node, audience, into: &effects) }
    }

    /// Counts what no honest node sends: 3 end the link, 10 the trust (protocol section 6).
    mutating func convict(_ node: NodeID, _ refusal: Refusal, into effects: inout Outbox<GossipEffect>) {
        guard peers[node] != nil else { return }
        let count = (invalid[node] ?? 0) + 1
        invalid[node] = count
        effects.post(.record(.messageInvalid(node, refusal)))
        if count >= Self.invalidUntilSuspension {
            effects.post(
                .contradicted(
                    node,
                    evidence:
                        "\(count) messages that no honest node sends, the last: \(refusal.code.rawValue)"))
        } else if count.isMultiple(of: Self.invalidUntilLinkEnds), let link = links.links[node] {
            effects.post(.close(link.connection, .documentInvalid))
        }
    }
}

/// What is kept of a trusted peer besides what it tells.
struct TrustedPeer: Equatable, Sendable {
    /// Verifies its heads.
    let key: PublicKey
    /// Kibibytes that may be sent because it asks, whatever the audience; a frame counts whole.
    private var answers: TokenBucket
    /// Signatures that may be checked because it sent something.
    private var checks: TokenBucket
    /// Proofs of membership that it may be asked for, so that what it brings may be checked at once.
    private var proofs: TokenBucket
    /// Walks over what is held of a large domain, because it asks.
    private var walks: TokenBucket

    private static var answersPerMinute: Int { Limits.syncBytesPerMinute / 1024 }
    /// Three signatures each, within a second's share of one peer.
    private static var proofsAtOnce: Int { Limits.signatureChecksPerSecond / 3 }

    init(key: PublicKey, at now: Instant) {
        self.key = key
        answers = TokenBucket(
            burst: Self.answersPerMinute, interval: .seconds(60) / Self.answersPerMinute, at: now)
        checks = TokenBucket(
            burst: Limits.signatureChecksPerSecond, interval: .seconds(1) / Limits.signatureChecksPerSecond,
            at: now)
        proofs = TokenBucket(burst: Self.proofsAtOnce, interval: .seconds(1) / Self.proofsAtOnce, at: now)
        walks = TokenBucket(
            burst: Limits.setWalksAtOnce, interval: .seconds(1) / Limits.setWalksPerSecond, at: now)
    }

    /// Whether a set may be walked over once more for it; then that counts as done.
    mutating func mayWalk(at now: Instant) -> Bool { walks.take(at: now) }

    /// Whether it may be asked for one more proof; then it counts as asked for.
    mutating func mayAskForProof(at now: Instant) -> Bool { proofs.take(at: now) }

    /// Whether so many bytes may still be sent to it; then they count as sent.
    mutating func mayAnswer(with bytes: Int, at now: Instant) -> Bool {
        answers.take(bytes / 1024 + 1, at: now)
    }

    /// Whether `count` signatures may still be checked for it; then they count as checked.
    mutating func mayCheck(_ count: Int, at now: Instant) -> Bool { checks.take(count, at: now) }
}

/// A head that the identity key is asked to sign.
struct AwaitedSignature: Equatable, Sendable {
    let audience: Audience
    let head: Head
}

/// What the machine waits for, besides its links.
enum RegistryAlarm: Comparable, Hashable, Sendable {
    /// The head for this audience may be due, or its signature is overdue.
    case renewal(Audience)
    /// What this peer told in this audience may have expired.
    case expiry(Audience, NodeID)
    /// What is new in this audience is to be told.
    case news(Audience)
    /// Who was asked for a head of this audience has had its time.
    case turn(Audience)
    /// Through whom the domain is heard of is to be looked at.
    case hearing
    /// A portion of what differs is due with this peer, or it was silent for too long.
    case comparison(NodeID)
}
