import MeshBase

// What this node tells its peers, and what they tell it.
extension Gossip {
    private static var listInterval: Duration { .seconds(2) }
    private static var listBack: Duration { .milliseconds(200) }
    private static var renewalListInterval: Duration { .seconds(30) }
    private static var keysPerRequest: Int { 64 }
    private static var signaturePatience: Duration { .seconds(30) }
    /// Wall clocks jump: whatever a date says, it is compared again within this time.
    private static var dateCheck: Duration { .seconds(60) }

    // MARK: Own head

    /// Signs a new head when one is due; else sets the alarm for when it may be.
    mutating func renew(_ node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        let suite = suite
        guard let next = pairs.update(node, { $0.own.next(at: now, using: suite) }) else { return }
        switch next {
        case .sign(let head):
            let ticket = newTicket()
            signatures[ticket] = AwaitedSignature(node: node, head: head)
            deadlines.set(.renewal(node), at: now.instant + Self.signaturePatience)
            effects.post(
                .sign(SigningRequest(ticket: ticket, kind: .head, payload: Octets(suite.encoded(head)))))
        case .wait(let delay): deadlines.set(.renewal(node), at: now.instant + min(delay, Self.dateCheck))
        case .nothing:
            guard let own = pairs[node]?.own, own.draft == nil, let renewal = own.renewal else { return }
            let left = max(.seconds(1), renewal - now.wall)
            deadlines.set(.renewal(node), at: now.instant + min(left, Self.dateCheck))
        }
    }

    mutating func receive(
        _ signature: DocumentSignature, _ ticket: Ticket, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        guard let (node, head) = signatures.remove(ticket).map({ ($0.node, $0.head) }) else { return }
        let signed = Signed(body: head, payload: Octets(suite.encoded(head)), signatures: [signature])
        let before = pairs[node]?.own.published?.head.body
        if pairs.update(node, { $0.own.sign(signed, at: now) }) == true, let pair = pairs[node],
            let published = pair.own.published
        {
            let stored = StoredHead(head: signed, records: published.set.records.values)
            effects.post(.persist(.head(stored)))
            noteEpoch(of: head, after: before, into: &effects)
            if links.links[node] != nil, let push = pair.push(using: suite) {
                effects.post(.send(node, .head(push)))
            }
        }
        renew(node, at: now, into: &effects)
    }

    /// An alarm rang.
    mutating func ring(_ alarm: RegistryAlarm, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        switch alarm {
        case .renewal(let node):
            signatures.removeAll { _, awaited in awaited.node == node }
            pairs.update(node) { $0.own.abandonDraft() }
            renew(node, at: now, into: &effects)
        case .expiry(let node):
            showExpiry(of: node, at: now, into: &effects)
            watchExpiry(of: node, at: now)
        }
    }

    // MARK: Comparing

    mutating func sendList(to node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        guard let pair = pairs[node] else { return }
        pairs.update(node) { $0.listSent = now.instant }
        effects.post(.send(node, .list(pair.list)))
    }

    mutating func compare(
        _ summary: RegistrySummary, with node: NodeID, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        guard let pair = pairs[node] else { return }
        guard summary != pair.summary(using: suite) else {
            return askForRenewal(of: node, at: now, into: &effects)
        }
        guard pair.mayList(at: now.instant, every: Self.listInterval) else { return }
        sendList(to: node, at: now, into: &effects)
    }

    /// A renewal leaves the summaries equal: who lost one says so while there is a quarter of the time left.
    mutating func askForRenewal(
        of node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        guard let pair = pairs[node], pair.theirs.lacksRenewal(at: now.wall),
            pair.mayList(at: now.instant, every: Self.renewalListInterval)
        else { return }
        sendList(to: node, at: now, into: &effects)
    }

    // MARK: Receiving

    mutating func receive(
        _ message: GossipMessage, from node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        let suite = suite
        guard let pair = pairs[node] else { return }
        switch message {
        case .head(let push):
            let reception = pairs.update(node) { $0.theirs.receive(push, at: now, using: suite) }
            settle(reception ?? .known, from: node, after: pair.theirs, at: now, into: &effects)
        case .records(let batch):
            let reception = pairs.update(node) { $0.theirs.receive(batch, using: suite) }
            settle(reception ?? .known, from: node, after: pair.theirs, at: now, into: &effects)
        case .want(let request):
            // Leave first: making an answer costs more than asking for it.
            guard pair.covers(request), mayAnswer(node, at: now, into: &effects),
                let batch = pair.records(for: request, using: suite)
            else { return }
            effects.post(.send(node, .records(batch)))
        case .list(let list): receive(list, from: node, pair, at: now, into: &effects)
        }
    }

    private mutating func receive(
        _ list: RegistryList, from node: NodeID, _ pair: PairRegistry, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        if let held = list.yours, held.body.position > pair.own.highest ?? HeadPosition.none {
            guard held.body.owner == me, held.body.audience == pair.audience,
                held.isSigned(by: ownKey, using: suite)
            else {
                let refusal = Refusal(.documentInvalid, [Fact("head", "shown as ours, and not ours")])
                return convict(node, refusal, into: &effects)
            }
            pairs.update(node) { _ = $0.own.recover(held.body) }
            effects.post(.record(.ownHeadRecovered(from: node, sequence: held.body.sequence)))
            renew(node, at: now, into: &effects)
        } else if let own = pair.own.published?.head.body,
            list.yours?.body.position != own.position || !list.isComplete,
            mayAnswer(node, at: now, into: &effects), let push = pair.push(using: suite)
        {
            effects.post(.send(node, .head(push)))
        }
        // The peer has a newer head than this side holds: say so, and it will push.
        guard let theirs = list.mine, pair.theirs.newest?.body.position ?? HeadPosition.none < theirs,
            pair.mayList(at: now.instant, every: Self.listBack)
        else { return }
        sendList(to: node, at: now, into: &effects)
    }

    /// What a peer may make this node send in a minute is bounded; beyond it the peer must come again later.
    private mutating func mayAnswer(
        _ node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) -> Bool {
        guard pairs.update(node, { $0.mayAnswer(at: now.instant) }) != true else { return true }
        let limit = Fact("bytes of reconciliation a minute", Limits.syncBytesPerMinute)
        effects.post(.record(.answerWithheld(node, Refusal(.limitReached, [limit]))))
        return false
    }

    private mutating func settle(
        _ reception: PeerRecords.Reception, from node: NodeID, after before: PeerRecords, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        switch reception {
        case .known, .dropped: break
        case .incomplete(let news, let missing):
            if let news { effects.post(.persist(.head(news))) }
            guard let position = pairs[node]?.theirs.newest?.body.position else { return }
            let keys = Array(missing.prefix(Self.keysPerRequest))
            effects.post(.send(node, .want(RecordRequest(position: position, keys: keys))))
        case .whole(let stored):
            effects.post(.persist(.head(stored)))
            pairs.update(node) { $0.isServed = $0.theirs.isCurrent(at: now.wall) }
            watchExpiry(of: node, at: now)
            effects.post(.catalogChanged(node))
        case .contradiction(let evidence): effects.post(.contradicted(node, evidence: evidence))
        case .invalid(let refusal): convict(node, refusal, into: &effects)
        }
        if let head = pairs[node]?.theirs.newest?.body {
            noteEpoch(of: head, after: before.newest?.body, into: &effects)
        }
    }

    private func noteEpoch(of head: Head, after before: Head?, into effects: inout Outbox<GossipEffect>) {
        guard let before, head.epoch > before.epoch else { return }
        effects.post(
            .record(.epochBegan(of: head.owner, epoch: head.epoch, givenUp: head.givenUp ?? before.sequence)))
    }

    // MARK: Expiry

    /// Sets the alarm for when what the peer told may end, or count again after a clock that jumped.
    mutating func watchExpiry(of node: NodeID, at now: Moment) {
        guard let expires = pairs[node]?.theirs.whole?.head.body.expires else { return }
        let left = expires - now.wall
        let delay = left > .zero ? min(left, Self.dateCheck) : Self.dateCheck
        deadlines.set(.expiry(node), at: now.instant + delay)
    }

    private mutating func showExpiry(
        of node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        guard let pair = pairs[node] else { return }
        let isServed = pair.theirs.isCurrent(at: now.wall)
        guard isServed != pair.isServed else { return }
        pairs.update(node) { $0.isServed = isServed }
        effects.post(.catalogChanged(node))
    }
}

extension HeadPosition {
    /// Below every head.
    static var none: HeadPosition { HeadPosition(epoch: -1, sequence: 0) }
}
