import MeshBase

/// Which links live, and what their two ends know of one another's resources (protocol sections 5 and 6).
///
/// Two sub-machines: `LinkBook` (one connection a peer, its signs of life) and, per trusted peer, a `PairRegistry`. What ties them: a
/// link that comes up exchanges lists at once; every ping carries the pair's summary; a difference brings a list; a list brings the
/// newer head. A push that is lost is mended by the next ping.
///
/// Callers owe it: `peerTrusted` before a link of that peer, the answer to every `.sign`, `timeReached` no earlier than
/// `nextDeadline`. `.persist` comes before the `.send` that makes it visible.
public struct Gossip<Suite: SignatureSuite>: Sendable {
    private let me: NodeID
    private let ownKey: PublicKey
    private let suite: Suite
    private var links: LinkBook
    private var pairs = OrderedTable<NodeID, PairRegistry>()
    private var stored: OrderedTable<NodeID, [StoredHead]>
    private var signatures = OrderedTable<Ticket, NodeID>()
    private var invalid = OrderedTable<NodeID, Int>()
    private var deadlines = Deadlines<RegistryAlarm>()
    private var ticketsIssued: UInt64 = 0

    private static var listInterval: Duration { .seconds(2) }
    private static var invalidUntilLinkEnds: Int { 3 }
    private static var invalidUntilSuspension: Int { 10 }

    /// - Parameter heads: what was stored, of this node and of others.
    public init(me: NodeID, ownKey: PublicKey, heads: [StoredHead], suite: Suite) {
        self.me = me
        self.ownKey = ownKey
        self.suite = suite
        links = LinkBook(me: me)
        stored = OrderedTable()
        for head in heads {
            let audience = head.head.body.audience
            let peer = audience.first == me ? audience.second : audience.first
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
            links.measure(connection, roundTrip)
            perform(links.hear(connection, at: now.instant), at: now, into: &effects)
        case .pinged(let connection, let summary):
            perform(links.hear(connection, at: now.instant), at: now, into: &effects)
            guard let node = links.node(on: connection) else { return }
            compare(summary, with: node, at: now, into: &effects)
        case .connectionClosed(let connection): perform(links.close(connection), at: now, into: &effects)
        case .messageInvalid(let node, let refusal): convict(node, refusal, into: &effects)
        case .peerDropped(let node): drop(node, at: now, into: &effects)
        case .peerTrusted(let node, let key): trust(node, key, at: now)
        case .offersChanged(let node, let resources):
            pairs.update(node) { _ = $0.own.replace(with: resources) }
            renew(node, at: now, into: &effects)
        case .messageArrived(let node, let message): receive(message, from: node, at: now, into: &effects)
        case .signed(let ticket, let signature): receive(signature, ticket, at: now, into: &effects)
        case .timeReached:
            perform(links.reach(now.instant), at: now, into: &effects)
            while let alarm = deadlines.takeDue(at: now.instant) {
                switch alarm {
                case .renewal(let node): renew(node, at: now, into: &effects)
                case .expiry(let node): effects.post(.catalogChanged(node))
                }
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
                roundTrip: $0.roundTrip, skew: $0.terms.skew)
        }
    }

    /// Whose link runs over this connection; nil when none does.
    public func node(on connection: ConnectionID) -> NodeID? { links.node(on: connection) }

    private mutating func perform(
        _ steps: [LinkBook.Step], at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        for step in steps {
            switch step {
            case .ping(let connection):
                guard let node = links.node(on: connection), let pair = pairs[node] else { continue }
                effects.post(.ping(connection, pair.summary(using: suite)))
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
        var pair = PairRegistry(me: me, peer: node, key: key, at: now.instant)
        for head in stored.remove(node) ?? [] {
            if head.head.body.owner == me {
                pair.own.restore(head, using: suite)
            } else {
                pair.theirs.restore(head)
            }
        }
        pairs[node] = pair
    }

    private mutating func drop(_ node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        perform(links.drop(node), at: now, into: &effects)
        guard let pair = pairs.remove(node) else { return }
        // Kept aside: trust may return, and the highest heads must not be forgotten meanwhile.
        stored[node] = [
            pair.own.head.map { StoredHead(head: $0, records: pair.own.records.values) }, pair.theirs.whole,
        ]
        .compactMap { $0 }
        deadlines.cancel(.renewal(node))
        deadlines.cancel(.expiry(node))
        effects.post(.catalogChanged(node))
    }
}

/// How a link is, for those who look.
public struct LinkStatus: Equatable, Sendable {
    public let connection: ConnectionID
    public let remote: Endpoint
    public let since: Instant
    public let condition: LinkCondition
    /// Nil until the first ping was answered.
    public let roundTrip: Duration?
    /// The peer's clock less ours, at the handshake.
    public let skew: Duration
}

private enum RegistryAlarm: Comparable, Sendable {
    case renewal(NodeID)
    case expiry(NodeID)
}

// MARK: - Registry

extension Gossip {
    /// Signs a new head when one is due; else sets the alarm for when it will be.
    private mutating func renew(_ node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        let suite = suite
        guard let next = pairs.update(node, { $0.own.next(at: now.wall, using: suite) }) else { return }
        switch next {
        case .sign(let head):
            ticketsIssued += 1
            let ticket = Ticket(ticketsIssued)
            signatures[ticket] = node
            effects.post(
                .sign(SigningRequest(ticket: ticket, kind: .head, payload: Octets(suite.encoded(head)))))
        case .wait(let delay): deadlines.set(.renewal(node), at: now.instant + delay)
        case .nothing:
            guard let renewal = pairs[node]?.own.renewal else { return }
            deadlines.set(
                .renewal(node), at: now.instant + max(.seconds(1), min(renewal - now.wall, .seconds(60))))
        }
    }

    private mutating func receive(
        _ signature: DocumentSignature, _ ticket: Ticket, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        let suite = suite
        guard let node = signatures.remove(ticket), let head = pairs[node]?.own.signing else { return }
        let signed = Signed(body: head, payload: Octets(suite.encoded(head)), signatures: [signature])
        pairs.update(node) { $0.own.sign(signed) }
        guard let pair = pairs[node] else { return }
        effects.post(.persist(.head(StoredHead(head: signed, records: pair.own.records.values))))
        if links.links[node] != nil, let push = pair.push(using: suite) {
            effects.post(.send(node, .head(push)))
        }
        renew(node, at: now, into: &effects)
    }

    private mutating func sendList(to node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>)
    {
        guard let pair = pairs[node] else { return }
        pairs.update(node) { $0.listSent = now.instant }
        effects.post(.send(node, .list(pair.list)))
    }

    private mutating func compare(
        _ summary: RegistrySummary, with node: NodeID, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        guard let pair = pairs[node], summary != pair.summary(using: suite) else { return }
        if let sent = pair.listSent, now.instant - sent < Self.listInterval { return }
        sendList(to: node, at: now, into: &effects)
    }

    private mutating func receive(
        _ message: GossipMessage, from node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        let suite = suite
        guard let pair = pairs[node] else { return }
        switch message {
        case .head(let push):
            guard let reception = pairs.update(node, { $0.theirs.receive(push, at: now, using: suite) })
            else { return }
            settle(reception, from: node, at: now, into: &effects)
        case .records(let batch):
            guard let reception = pairs.update(node, { $0.theirs.receive(batch, using: suite) }) else {
                return
            }
            settle(reception, from: node, at: now, into: &effects)
        case .want(let request):
            guard let batch = pair.records(for: request, using: suite), !batch.records.isEmpty else { return }
            effects.post(.send(node, .records(batch)))
        case .list(let list): receive(list, from: node, pair, at: now, into: &effects)
        }
    }

    private mutating func receive(
        _ list: RegistryList, from node: NodeID, _ pair: PairRegistry, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        if let held = list.yours, held.body.owner == me, held.body.audience == pair.audience,
            pair.own.highest.map({ $0 < held.body.position }) ?? true, isMine(held)
        {
            pairs.update(node) { _ = $0.own.recover(held.body.position) }
            effects.post(.record(.ownHeadRecovered(from: node, sequence: held.body.sequence)))
            renew(node, at: now, into: &effects)
        } else if let own = pair.own.head, list.yours?.body.position != own.body.position || !list.isComplete,
            let push = pair.push(using: suite)
        {
            effects.post(.send(node, .head(push)))
        }
        // The peer has a newer head than this side holds: say so, and it will push.
        guard let theirs = list.mine, pair.theirs.newest.map({ $0.body.position < theirs }) ?? true else {
            return
        }
        if let sent = pair.listSent, now.instant - sent < .milliseconds(200) { return }
        sendList(to: node, at: now, into: &effects)
    }

    /// Whether this node signed it: only its own key counts, whoever shows it.
    private func isMine(_ head: Signed<Head>) -> Bool { head.isSigned(by: ownKey, using: suite) }

    private mutating func settle(
        _ reception: PeerRecords.Reception, from node: NodeID, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        switch reception {
        case .known, .dropped: break
        case .incomplete(let position, let missing):
            effects.post(
                .send(node, .want(RecordRequest(position: position, keys: Array(missing.prefix(64))))))
        case .whole(let stored):
            effects.post(.persist(.head(stored)))
            let left = stored.head.body.expires - now.wall
            deadlines.set(.expiry(node), at: now.instant + left)
            effects.post(.catalogChanged(node))
        case .contradiction(let evidence): effects.post(.contradicted(node, evidence: evidence))
        case .invalid(let refusal): convict(node, refusal, into: &effects)
        }
    }

    /// Counts what no honest node sends: 3 end the link, 10 the trust (protocol section 6).
    private mutating func convict(
        _ node: NodeID, _ refusal: Refusal, into effects: inout Outbox<GossipEffect>
    ) {
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
