import MeshBase

// What this node tells its peers, and what they tell it.
extension Gossip {
    private static var listBack: Duration { .milliseconds(200) }
    private static var keysPerRequest: Int { 64 }
    private static var signaturePatience: Duration { .seconds(30) }
    /// Wall clocks jump: whatever a date says, it is compared again within this time.
    private static var dateCheck: Duration { .seconds(60) }

    // MARK: Own head

    /// Signs a new head when one is due and somebody is there to be told; else sets the alarm for when it may
    /// be.
    mutating func renew(_ audience: Audience, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        let (suite, encryption) = (suite, encryption)
        guard let registry = registries[audience], !registry.present.isEmpty,
            let next = registries.update(
                audience, { $0.own.next(at: now, announcing: encryption, using: suite) })
        else { return }
        switch next {
        case .sign(let head):
            let ticket = newTicket()
            signatures[ticket] = AwaitedSignature(audience: audience, head: head)
            deadlines.set(.renewal(audience), at: now.instant + Self.signaturePatience)
            effects.post(
                .sign(SigningRequest(ticket: ticket, kind: .head, payload: Octets(suite.encoded(head)))))
        case .wait(let delay):
            deadlines.set(.renewal(audience), at: now.instant + min(delay, Self.dateCheck))
        case .nothing:
            guard registry.own.draft == nil, let renewal = registry.own.renewal else { return }
            let left = max(.seconds(1), renewal - now.wall)
            deadlines.set(.renewal(audience), at: now.instant + min(left, Self.dateCheck))
        }
    }

    mutating func receive(
        _ signature: DocumentSignature, _ ticket: Ticket, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        guard let (audience, head) = signatures.remove(ticket).map({ ($0.audience, $0.head) }) else { return }
        let signed = Signed(body: head, payload: Octets(suite.encoded(head)), signatures: [signature])
        let before = registries[audience]?.own.published?.head.body
        if registries.update(audience, { $0.own.sign(signed, at: now) }) == true,
            let registry = registries[audience], let published = registry.own.published
        {
            let stored = StoredHead(head: signed, records: published.set.records.values)
            effects.post(.persist(.head(stored)))
            noteEpoch(of: head, after: before, into: &effects)
            registries.update(audience) { $0.noteNews() }
            spread(registry, at: now, into: &effects)
        }
        renew(audience, at: now, into: &effects)
    }

    /// Tells the newest head to everybody in the audience with whom there is a link.
    private func spread(
        _ registry: AudienceRegistry, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        let linked = registry.present.keys.filter {
            links.links[$0] != nil && isShared(registry.audience, with: $0, at: now.wall)
        }
        guard !linked.isEmpty, let push = registry.push(using: suite) else { return }
        for node in linked { effects.post(.send(node, .head(push))) }
    }

    private func isShared(_ audience: Audience, with node: NodeID, at wall: WallTime) -> Bool {
        audiences(with: node, at: wall).contains(audience)
    }

    /// An alarm rang.
    mutating func ring(_ alarm: RegistryAlarm, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        switch alarm {
        case .renewal(let audience):
            signatures.removeAll { _, awaited in awaited.audience == audience }
            registries.update(audience) { $0.own.abandonDraft() }
            renew(audience, at: now, into: &effects)
        case .expiry(let audience, let node):
            showExpiry(of: node, in: audience, at: now, into: &effects)
            watchExpiry(of: node, in: audience, at: now)
        case .news(let audience): tellNews(in: audience, at: now, into: &effects)
        case .turn(let audience): takeTurns(in: audience, at: now, into: &effects)
        case .hearing: checkHearing(at: now, into: &effects)
        case .comparison(let node): goOnComparing(with: node, at: now, into: &effects)
        }
    }

    // MARK: Receiving

    /// Takes what a peer tells. What it says in an audience that the two do not share now is dropped and not
    /// held against it: it may know of a membership that this node does not know of yet, or no more.
    mutating func receive(
        _ message: GossipMessage, from node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        let suite = suite
        switch message {
        case .head(let push):
            guard let audience = audience(of: push.head.body, from: node, at: now.wall) else { return }
            hear(push, of: node, from: node, in: audience, at: now, into: &effects)
        case .records(let batch):
            guard let audience = audience(batch.audience, with: node, at: now.wall) else { return }
            hear(of: batch.owner ?? node, from: node, in: audience, at: now, into: &effects) {
                $0.receive(batch, using: suite)
            }
        case .want(let request):
            // Leave first: making an answer costs more than asking for it.
            guard let audience = audience(request.audience, with: node, at: now.wall),
                let registry = registries[audience],
                isServed(request.owner ?? me, in: audience, at: now.wall)
            else { return }
            let asked = registry.records(askedFor: request)
            guard !asked.isEmpty, mayAnswer(node, at: now, into: &effects) else { return }
            effects.post(.send(node, .records(registry.batch(of: asked, for: request, using: suite))))
        case .list(let list):
            guard let audience = audience(list.audience, with: node, at: now.wall) else { return }
            receive(list, from: node, in: audience, at: now, into: &effects)
            guard list.audience != nil, let held = list.held else { return }
            receive(held, from: node, in: audience, at: now, into: &effects)
        case .places(let told):
            guard let audience = audience(told.audience, with: node, at: now.wall) else { return }
            receive(told.page, from: node, in: audience, at: now, into: &effects)
        case .ask(let request):
            guard let audience = audience(request.audience, with: node, at: now.wall) else { return }
            answer(request, of: node, in: audience, at: now, into: &effects)
        case .symbolsWanted(let request):
            guard let audience = audience(request.audience, with: node, at: now.wall) else { return }
            answer(request, of: node, in: audience, at: now, into: &effects)
        case .symbols(let batch): receive(batch, from: node, at: now, into: &effects)
        case .elementsWanted(let request): answer(request, of: node, at: now, into: &effects)
        case .contradiction(let shown): receive(shown, from: node, at: now, into: &effects)
        }
    }

    /// Where a head that `node` sent belongs. One for two others is taken as told to this node, and then held
    /// against who sent it; one of a domain counts only where both are in it, and from its owner.
    private func audience(of head: Head, from node: NodeID, at wall: WallTime) -> Audience? {
        guard peers[node] != nil else { return nil }
        switch head.audience {
        case .pair: return .pair(me, node)
        case .domain:
            return head.audience == sharedDomain(with: node, at: wall) && head.owner == node
                ? head.audience : nil
        }
    }

    /// Takes a head of `owner` that `sender` brought, unless the sender has had its share of looking.
    mutating func hear(
        _ push: HeadPush, of owner: NodeID, from sender: NodeID, in audience: Audience, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        let suite = suite
        guard let theirs = registries[audience]?.present[owner]?.theirs,
            !theirs.mustCheck(push) || mayCheck(1, of: sender, at: now, into: &effects)
        else { return }
        hear(of: owner, from: sender, in: audience, at: now, into: &effects) {
            $0.receive(push, at: now, using: suite)
        }
    }

    private mutating func hear(
        of owner: NodeID, from sender: NodeID, in audience: Audience, at now: Moment,
        into effects: inout Outbox<GossipEffect>, _ take: (inout PeerRecords) -> PeerRecords.Reception
    ) {
        guard let before = registries[audience]?.present[owner]?.theirs else { return }
        let reception = registries.update(audience) { registry in
            registry.update(owner) { correspondent in
                let reception = take(&correspondent.theirs)
                if before.newest != correspondent.theirs.newest {
                    correspondent.took(from: sender == owner ? nil : sender, at: now)
                }
                return reception
            } ?? .known
        }
        settle(
            reception ?? .known, of: owner, from: sender, in: audience, after: before, at: now,
            into: &effects)
    }

    private mutating func receive(
        _ list: RegistryList, from node: NodeID, in audience: Audience, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        guard let registry = registries[audience], let correspondent = registry.present[node] else { return }
        if let held = list.yours, held.body.position > registry.own.highest ?? HeadPosition.none {
            guard mayCheck(1, of: node, at: now, into: &effects) else { return }
            guard held.body.owner == me, held.body.audience == audience,
                held.isSigned(by: ownKey, using: suite)
            else {
                let refusal = Refusal(.documentInvalid, [Fact("head", "shown as ours, and not ours")])
                return convict(node, refusal, into: &effects)
            }
            registries.update(audience) { _ = $0.own.recover(held.body) }
            effects.post(.record(.ownHeadRecovered(from: node, sequence: held.body.sequence)))
            renew(audience, at: now, into: &effects)
        } else if let own = registry.own.published?.head.body,
            list.yours?.body.position != own.position || !list.isComplete,
            mayAnswer(node, at: now, into: &effects), let push = registry.push(using: suite)
        {
            effects.post(.send(node, .head(push)))
        }
        // The peer has a newer head than this side holds: say so, and it will push.
        guard let theirs = list.mine,
            correspondent.theirs.newest?.body.position ?? HeadPosition.none < theirs,
            correspondent.mayList(at: now.instant, every: Self.listBack)
        else { return }
        sendList(to: node, in: audience, at: now, into: &effects)
    }

    /// What a peer may make this node send in a minute is bounded; beyond it the peer must come again later.
    mutating func mayAnswer(
        _ node: NodeID, with bytes: Int = Limits.framePayload - 1, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) -> Bool {
        guard peers.update(node, { $0.mayAnswer(with: bytes, at: now.instant) }) != true else { return true }
        let limit = Fact("bytes of reconciliation a minute", Limits.syncBytesPerMinute)
        effects.post(.record(.answerWithheld(node, Refusal(.limitReached, [limit]))))
        return false
    }

    /// What a peer may make this node look at in a second is bounded; beyond it what it sent is put away.
    mutating func mayCheck(
        _ count: Int, of node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) -> Bool {
        guard peers.update(node, { $0.mayCheck(count, at: now.instant) }) != true else { return true }
        let limit = Fact("signatures checked a second", Limits.signatureChecksPerSecond)
        effects.post(.record(.messageDropped(node, Refusal(.limitReached, [limit]))))
        return false
    }

    private mutating func settle(
        _ reception: PeerRecords.Reception, of owner: NodeID, from sender: NodeID, in audience: Audience,
        after before: PeerRecords, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        if reception.isNew(after: before) { noteNovelty(of: sender) }
        switch reception {
        case .known, .dropped: break
        case .incomplete(let news, let missing):
            if let news { effects.post(.persist(.head(news))) }
            guard let position = registries[audience]?.present[owner]?.theirs.newest?.body.position else {
                return
            }
            let request = RecordRequest(
                audience: tag(of: audience, with: sender), owner: owner == sender ? nil : owner,
                position: position, keys: Array(missing.prefix(Self.keysPerRequest)))
            effects.post(.send(sender, .want(request)))
        case .whole(let stored):
            effects.post(.persist(.head(stored)))
            registries.update(audience) {
                $0.update(owner) { $0.isServed = $0.theirs.isCurrent(at: now.wall) }
                // A renewal says nothing new: only what does is worth comparing again soon.
                if before.whole?.head.body.root != stored.head.body.root {
                    $0.update(sender) { $0.fruitless = 0 }
                }
            }
            watchExpiry(of: owner, in: audience, at: now)
            effects.post(.catalogChanged(owner))
            noteNews(of: owner, from: sender, in: audience, at: now)
        case .contradiction(let shown): convict(shown, shownBy: nil, at: now, into: &effects)
        case .invalid(let refusal): convict(sender, refusal, into: &effects)
        case .unsound(let refusal) where owner == sender: convict(sender, refusal, into: &effects)
        case .unsound(let refusal): effects.post(.record(.messageDropped(sender, refusal)))
        }
        if let head = registries[audience]?.present[owner]?.theirs.newest?.body {
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
    mutating func watchExpiry(of node: NodeID, in audience: Audience, at now: Moment) {
        guard let expires = registries[audience]?.present[node]?.theirs.whole?.head.body.expires else {
            return
        }
        let left = expires - now.wall
        let delay = left > .zero ? min(left, Self.dateCheck) : Self.dateCheck
        deadlines.set(.expiry(audience, node), at: now.instant + delay)
    }

    private mutating func showExpiry(
        of node: NodeID, in audience: Audience, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        guard let correspondent = registries[audience]?.present[node] else { return }
        let isServed = correspondent.theirs.isCurrent(at: now.wall)
        guard isServed != correspondent.isServed else { return }
        registries.update(audience) { $0.update(node) { $0.isServed = isServed } }
        effects.post(.catalogChanged(node))
    }
}

extension HeadPosition {
    /// Below every head.
    static var none: HeadPosition { HeadPosition(epoch: -1, sequence: 0) }
}
