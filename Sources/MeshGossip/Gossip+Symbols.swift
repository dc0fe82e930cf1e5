import MeshBase

// Large audiences: what differs is found by coded symbols (`LinkComparison`), whose number grows with what
// differs and not with what is held.
//
//     asking side                     answering side
//     symbols wanted, its nonce  -->
//                                <--  symbols, its nonce          ... until they are decoded
//     elements wanted            -->
//                                <--  those heads                 in portions
//     heads that the other lacks -->
//
// A head that comes so is worth what any head of another owner is worth: its owner's signature. Where the
// owner is not proved at the receiver it counts as news, and is asked for with the proof (`Gossip+Relay`).
//
// What a peer can make this node do: walk over its set (`Limits.setWalksAtOnce`), and send
// (`Limits.syncBytesPerMinute`); at most `Limits.reconciliationsAtOnce` links keep a set at once, each for a
// few minutes at most. Whoever is refused hears nothing, and turns to pages. What nobody can choose: which
// ids meet, see `SessionKey`.
extension Gossip {
    /// Whether what is held in `audience` is more than a list should name.
    func isLarge(_ audience: Audience, at wall: WallTime) -> Bool {
        switch audience {
        case .pair: false
        case .domain: held(in: audience, at: wall).count > configuration.listMost
        }
    }

    // MARK: Asking

    /// Whether nothing is to be begun with this peer now: the two are at it, or this side is with others,
    /// whose answers may be what this one has.
    func waitsForSymbols(with node: NodeID) -> Bool {
        comparisons[node]?.isUnderWay == true
            || comparisons.count { $0.1.isAsking } >= LinkComparison.askingAtOnce
    }

    /// The two hold different things: finds out which.
    mutating func seekDifference(
        with node: NodeID, in audience: Audience, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        guard let tag = tag(of: audience, with: node), !waitsForSymbols(with: node) else { return }
        guard !doSymbolsRest(with: node, in: audience, at: now), hasPlaceForSession(with: node) else {
            return resort(to: node, in: audience, at: now, into: &effects)
        }
        registries.update(audience) { $0.update(node) { $0.listSent = now.instant } }
        let session = AskedSession(salt: newNonce(), at: now.instant)
        edit(node, in: audience) { $0.course = .asking(session) }
        let wanted = 0..<SymbolDecoder.firstBatch
        let request = SymbolRequest(audience: tag, salt: session.salt, wanted: wanted)
        effects.post(.send(node, .symbolsWanted(request)))
    }

    /// Symbols came.
    mutating func receive(
        _ batch: SymbolBatch, from node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        guard let audience = comparisons[node]?.audience,
            case .asking(var session)? = comparisons[node]?.course,
            session.salt == batch.salt, let tag = tag(of: audience, with: node),
            sharedDomain(with: node, at: now.wall) == audience
        else { return }
        // Out of the table, so that what it holds is changed in place.
        edit(node, in: audience) { $0.course = .idle }
        if session.decoding == nil {
            keepHeldDigest(sharedWith: node, at: now.wall)
            let key = key(of: session.salt, batch.nonce, with: node, in: audience)
            let own = ids(in: audience, under: key, at: now.wall)
            guard AskedSession.isWorthwhile(own.count, batch.setSize), let set = SymbolEncoder(own, key: key)
            else { return resort(to: node, in: audience, at: now, into: &effects) }
            session.decoding = .init(nonce: batch.nonce, key: key, decoder: SymbolDecoder(set))
        }
        guard let key = session.decoding?.key,
            let progress = session.decoding?.nonce == batch.nonce
                ? session.decoding?.decoder.receive(batch) : .refused(.outOfOrder)
        else { return }
        switch progress {
        case .wants(let range):
            session.time.goOn(at: now.instant)
            edit(node, in: audience) { $0.course = .asking(session) }
            let request = SymbolRequest(audience: tag, salt: session.salt, wanted: range)
            effects.post(.send(node, .symbolsWanted(request)))
        case .complete(let found):
            registries.update(audience) { $0.update(node) { $0.symbolsRest = nil } }
            let settlement = Settlement(found, salt: session.salt, key: key, at: now.instant)
            edit(node, in: audience) { $0.course = .settling(settlement) }
            settle(with: node, at: now, into: &effects)
        case .refused(let flaw):
            let facts = [Fact("coded symbols", flaw.description)]
            effects.post(.record(.messageDropped(node, Refusal(.documentInvalid, facts))))
            restSymbols(with: node, in: audience, at: now, into: &effects)
        }
    }

    /// Says the next portion of what differs.
    private mutating func settle(
        with node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        guard let audience = comparisons[node]?.audience,
            case .settling(var settlement)? = comparisons[node]?.course
        else { return }
        var pause = Settlement.pause
        if !settlement.theirs.isEmpty {
            let portion = settlement.theirs.prefix(HeadPage.most)
            settlement.theirs = settlement.theirs.dropFirst(portion.count)
            let request = ElementRequest(salt: settlement.salt, ids: portion)
            effects.post(.send(node, .elementsWanted(request)))
        } else {
            let portion = settlement.mine.prefix(HeadPage.most)
            let left = pass(
                portion, to: node, under: settlement.key, in: audience, at: now, into: &effects)
            settlement.mine = left + settlement.mine.dropFirst(portion.count)
            // The minute's bytes are used up: some are back later.
            if !left.isEmpty { pause = LinkComparison.patience }
        }
        settlement.next = now.instant + pause
        edit(node, in: audience) { $0.course = settlement.isOver ? .idle : .settling(settlement) }
    }

    /// Pages: this side's first, and the other's from where they stopped last, also on a link before.
    mutating func resort(
        to node: NodeID, in audience: Audience, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        sendList(to: node, in: audience, isPaged: true, at: now, into: &effects)
        guard let reached = registries[audience]?.present[node]?.pageReached,
            let tag = tag(of: audience, with: node)
        else { return }
        effects.post(.send(node, .ask(HeadRequest(audience: tag, wanted: [], after: reached))))
    }

    /// Symbols came to nothing: pages, for a while.
    private mutating func restSymbols(
        with node: NodeID, in audience: Audience, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        edit(node, in: audience) { $0.course = .idle }
        registries.update(audience) { $0.update(node) { $0.restSymbols(at: now.instant) } }
        resort(to: node, in: audience, at: now, into: &effects)
    }

    /// Whether the two compare by pages for now.
    func doSymbolsRest(with node: NodeID, in audience: Audience, at now: Moment) -> Bool {
        registries[audience]?.present[node]?.symbolsRest.map { now.instant < $0.until } ?? false
    }

    // MARK: Answering

    /// The peer wants a stretch of this side's row.
    mutating func answer(
        _ request: SymbolRequest, of node: NodeID, in audience: Audience, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        if case .asking? = comparisons[node]?.course {
            guard node < me else { return }
            edit(node, in: audience) { $0.course = .idle }
        }
        guard
            var session = session(askedFor: request, by: node, in: audience, at: now, into: &effects),
            request.first <= session.encoder.symbols.count,
            !session.encoder.mustWalk(to: request.wanted.upperBound)
                || mayWalk(over: audience, for: node, at: now, into: &effects),
            mayAnswer(node, with: SymbolBatch.lengthMost(request.count), at: now, into: &effects)
        else { return }
        // Out of the table, so that the row grows in place.
        edit(node, in: audience) { $0.answering = nil }
        let batch = session.encoder.batch(request.wanted, salt: session.salt, nonce: session.nonce)
        session.time.goOn(at: now.instant)
        edit(node, in: audience) { $0.answering = session }
        if !batch.symbols.isEmpty { effects.post(.send(node, .symbols(batch))) }
    }

    /// The session that is open, or one that begins with this; nil when it may not.
    private mutating func session(
        askedFor request: SymbolRequest, by node: NodeID, in audience: Audience, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) -> AnsweredSession? {
        if let open = comparisons[node]?.answering, open.salt == request.salt { return open }
        guard request.first == 0, hasPlaceForSession(with: node),
            mayWalk(over: audience, for: node, at: now, into: &effects)
        else { return nil }
        keepHeldDigest(sharedWith: node, at: now.wall)
        let nonce = newNonce()
        let key = key(of: request.salt, nonce, with: node, in: audience)
        return SymbolEncoder(ids(in: audience, under: key, at: now.wall), key: key).map {
            AnsweredSession(salt: request.salt, nonce: nonce, key: key, $0, at: now.instant)
        }
    }

    /// The peer knows what it lacks.
    mutating func answer(
        _ request: ElementRequest, of node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        guard let audience = comparisons[node]?.audience, let session = comparisons[node]?.answering,
            session.salt == request.salt, sharedDomain(with: node, at: now.wall) == audience,
            mayWalk(over: audience, for: node, at: now, into: &effects)
        else { return }
        edit(node, in: audience) { $0.answering?.time.goOn(at: now.instant) }
        pass(request.ids[...], to: node, under: session.key, in: audience, at: now, into: &effects)
    }

    /// Passes on the heads with these ids that are held still. Which did not go for want of room.
    @discardableResult
    private mutating func pass(
        _ ids: ArraySlice<SaltedID>, to node: NodeID, under key: SessionKey, in audience: Audience,
        at now: Moment, into effects: inout Outbox<GossipEffect>
    ) -> [SaltedID] {
        keepHeldDigest(sharedWith: node, at: now.wall)
        let wanted = held(in: audience, at: now.wall).filter { place in
            place.owner != node && ids.contains(rising: key.id(of: place))
        }
        let portion = wanted.prefix(HeadPage.most)
        let heads = portion.map { WantedHead(owner: $0.owner, isProved: true) }
        let left = pass(heads, of: audience, to: node, at: now, into: &effects)
        return portion.suffix(left).map { key.id(of: $0) }.sorted()
    }

    /// What a peer may make this node walk over what it holds is bounded.
    private mutating func mayWalk(
        over audience: Audience, for node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) -> Bool {
        guard peers.update(node, { $0.mayWalk(at: now.instant) }) != true else { return true }
        let limit = Fact("walks over a set at once", Limits.setWalksAtOnce)
        effects.post(.record(.answerWithheld(node, Refusal(.limitReached, [limit]))))
        return false
    }

    // MARK: Both sides

    private func hasPlaceForSession(with node: NodeID) -> Bool {
        comparisons.count { $0.0 != node && $0.1.isUnderWay } < Limits.reconciliationsAtOnce
    }

    private func key(
        of salt: Octets, _ nonce: Octets, with node: NodeID, in audience: Audience
    ) -> SessionKey {
        SessionKey(
            salt: salt, nonce: nonce, audience: audience, nodes: NodePair(me, node), using: suite)
    }

    private func ids(in audience: Audience, under key: SessionKey, at wall: WallTime) -> [SaltedID] {
        held(in: audience, at: wall).map { key.id(of: $0) }
    }

    /// Drawn for one session alone. Under a secret, since what a generator gave shows what it will give.
    private mutating func newNonce() -> Octets {
        noncesDrawn += 1
        let code = suite.authenticationCode(of: noncesDrawn.bigEndianBytes, under: nonceSecret)
        return Octets(Array(code.bytes.prefix(SessionKey.nonceLength)))
    }

    /// Changes what is kept of a link's comparison, made when there is none, and sets its alarm.
    private mutating func edit(
        _ node: NodeID, in audience: Audience, _ change: (inout LinkComparison) -> Void
    ) {
        if comparisons[node]?.audience != audience { comparisons[node] = LinkComparison(audience) }
        comparisons.update(node, change)
        guard comparisons[node]?.isOver == false else { return endComparison(with: node) }
        if let due = comparisons[node]?.due {
            deadlines.set(.comparison(node), at: due)
        } else {
            deadlines.cancel(.comparison(node))
        }
    }

    /// The link is another, or none; or the two share the audience no more.
    mutating func endComparison(with node: NodeID) {
        comparisons[node] = nil
        deadlines.cancel(.comparison(node))
    }

    /// The alarm of a link's comparison rang.
    mutating func goOnComparing(
        with node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        guard let audience = comparisons[node]?.audience, let course = comparisons[node]?.course else {
            return
        }
        // The clock alone may have ended a membership.
        guard sharedDomain(with: node, at: now.wall) == audience else { return endComparison(with: node) }
        edit(node, in: audience) { comparison in
            if let until = comparison.answering?.time.until, until <= now.instant {
                comparison.answering = nil
            }
        }
        switch course {
        case .idle: break
        case .asking(let session):
            guard session.time.until <= now.instant else { break }
            restSymbols(with: node, in: audience, at: now, into: &effects)
        case .settling(let settlement):
            guard settlement.next <= now.instant else { break }
            settle(with: node, at: now, into: &effects)
        }
    }
}

extension ArraySlice<SaltedID> {
    /// Whether `id` is one of these, which rise.
    fileprivate func contains(rising id: SaltedID) -> Bool {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low < endIndex && self[low] == id
    }
}
