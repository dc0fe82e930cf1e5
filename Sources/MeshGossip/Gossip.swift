import MeshBase

/// Which links live, and what their two ends know of one another's resources (protocol sections 5 and 6).
///
/// Two sub-machines: `LinkBook` (one connection a peer, its signs of life) and, per trusted peer, a
/// `PairRegistry`:
///
///     (stranger) --peerTrusted--> trusted: links admitted, heads signed and accepted, records served
///                trusted --peerDropped--> resting: link closed, nothing served, highest positions kept
///                resting --peerTrusted--> trusted
///
/// What ties them: a link that comes up exchanges lists at once; every ping carries the pair's summary; a
/// difference, or a copy in the last quarter of its life, brings a list; a list brings the newer head, a head
/// the records that are missing. So a message that is lost is mended by a later ping.
///
/// Callers owe it: `peerTrusted` before a link of that peer, and `offersChanged` after it (no head is made or
/// renewed before); an answer to every `.sign` (one that stays away is asked for again after half a minute);
/// `timeReached` no earlier than `nextDeadline`. `.persist` comes before the `.send` that makes it visible.
public struct Gossip<Suite: SignatureSuite>: Sendable {
    let me: NodeID
    let ownKey: PublicKey
    let suite: Suite
    var links: LinkBook
    var pairs = OrderedTable<NodeID, PairRegistry>()
    /// Of peers that are not trusted now: kept aside, for the highest positions must not be forgotten
    /// meanwhile.
    var resting = OrderedTable<NodeID, PairRegistry>()
    /// What was stored for peers that were not trusted yet in this run.
    var stored = OrderedTable<NodeID, [StoredHead]>()
    var signatures = OrderedTable<Ticket, AwaitedSignature>()
    /// Who is in which domain now, this node among them.
    private(set) var memberships = OrderedTable<NodeID, Membership>()
    var invalid = OrderedTable<NodeID, Int>()
    var deadlines = Deadlines<RegistryAlarm>()
    private var ticketsIssued: UInt64 = 0

    private static var invalidUntilLinkEnds: Int { 3 }
    private static var invalidUntilSuspension: Int { 10 }

    /// - Parameter heads: what was stored, of this node and of others; what is not for this node is ignored.
    public init(me: NodeID, ownKey: PublicKey, heads: [StoredHead], suite: Suite) {
        self.me = me
        self.ownKey = ownKey
        self.suite = suite
        links = LinkBook(me: me)
        for head in heads {
            guard let peer = head.head.body.audience.other(than: me) else { continue }
            stored[peer] = (stored[peer] ?? []) + [head]
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
            guard pairs[terms.node] != nil else { return effects.post(.close(connection, .peerNotTrusted)) }
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
        case .messageInvalid(let node, let refusal): convict(node, refusal, into: &effects)
        case .peerDropped(let node): drop(node, at: now, into: &effects)
        case .peerTrusted(let node, let key): trust(node, key, at: now)
        case .membershipChanged(let node, let membership): memberships[node] = membership
        case .offersChanged(let node, let resources):
            let suite = suite
            pairs.update(node) { $0.own.replace(with: resources, using: suite) }
            renew(node, at: now, into: &effects)
        case .messageArrived(let node, let message): receive(message, from: node, at: now, into: &effects)
        case .signed(let ticket, let signature): receive(signature, ticket, at: now, into: &effects)
        case .timeReached:
            perform(links.reach(now.instant), at: now, into: &effects)
            while let alarm = deadlines.takeDue(at: now.instant) {
                ring(alarm, at: now, into: &effects)
            }
        }
    }

    /// What the peer offers this node now: nothing that is expired, nothing of who is not trusted.
    public func resources(of node: NodeID, at wall: WallTime) -> [ResourceDescription] {
        pairs[node]?.theirs.served(at: wall).map(\.resource) ?? []
    }

    /// The link with `node`; nil without one.
    public func link(with node: NodeID) -> LinkStatus? {
        links.links[node].map {
            LinkStatus(
                connection: $0.connection, remote: $0.terms.remote, since: $0.since, condition: $0.condition,
                roundTrip: $0.roundTrip, skew: $0.terms.skew, certificateExpires: $0.terms.certificateExpires)
        }
    }

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
                guard let node = links.node(on: connection), let pair = pairs[node] else { continue }
                effects.post(.ping(connection, pair.summary(using: suite)))
                askForRenewal(of: node, at: now, into: &effects)
            case .close(let connection, let code): effects.post(.close(connection, code))
            case .up(let node, let connection):
                guard let link = links.links[node] else { continue }
                effects.post(.record(.linkUp(node, connection, link.terms.remote)))
                effects.post(.linkUp(node, connection, link.terms.remote))
                sendList(to: node, at: now, into: &effects)
            case .down(let node, let loss):
                effects.post(.record(.linkDown(node, loss)))
                effects.post(.linkDown(node, loss))
            case .condition(let node, let condition): effects.post(.linkDegraded(node, condition))
            }
        }
    }

    private mutating func trust(_ node: NodeID, _ key: PublicKey, at now: Moment) {
        guard pairs[node] == nil else { return }
        var pair = resting.remove(node) ?? PairRegistry(me: me, peer: node, key: key, at: now.instant)
        pair.theirs.key = key
        pair.listSent = nil
        for head in stored.remove(node) ?? [] {
            if head.head.body.owner == me {
                pair.own.restore(head, using: suite)
            } else {
                pair.theirs.restore(head, using: suite)
            }
        }
        pair.isServed = pair.theirs.isCurrent(at: now.wall)
        pairs[node] = pair
        watchExpiry(of: node, at: now)
    }

    private mutating func drop(_ node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        perform(links.drop(node), at: now, into: &effects)
        invalid[node] = nil
        guard var pair = pairs.remove(node) else { return }
        signatures.removeAll { _, awaited in awaited.node == node }
        pair.own.abandonDraft()
        resting[node] = pair
        deadlines.cancel(.renewal(node))
        deadlines.cancel(.expiry(node))
        effects.post(.catalogChanged(node))
    }

    /// Counts what no honest node sends: 3 end the link, 10 the trust (protocol section 6).
    mutating func convict(_ node: NodeID, _ refusal: Refusal, into effects: inout Outbox<GossipEffect>) {
        guard pairs[node] != nil else { return }
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

/// A head that the identity key is asked to sign.
struct AwaitedSignature: Equatable, Sendable {
    let node: NodeID
    let head: Head
}

/// What the machine waits for, besides its links.
enum RegistryAlarm: Comparable, Sendable {
    /// The head for this peer may be due, or its signature is overdue.
    case renewal(NodeID)
    /// What this peer told may have expired.
    case expiry(NodeID)
}
