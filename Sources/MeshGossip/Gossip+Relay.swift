import MeshBase

// A domain's heads at members that are not their owners: stored, served, and passed on.
//
//     owner --head--> who has a link with it --places--> others --ask--> heads, proofs --> whole: served
//                                                                                           │ new here
//     a link comes up, summaries differ --list with places--> ask ...    places to a few <──┘
//
// An owner's push reaches its own links. Whoever holds something new tells a few others where that owner
// stands, for most of them have it already; who lacks it asks. What was missed, by a partition, a restart or
// somebody who withholds, the pings' summaries show, and lists mend: one honest path is enough. Above
// `HeadPage.most` owners symbols tell what differs (`Gossip+Symbols`), or, as the last resort, the list comes
// in pages, each asked for by who read the one before, so a long absence is made up in steps that each stand
// by themselves.
//
// What is passed on is worth what its owner's signature is worth, under the key that the domain vouches for:
// the proof travels beside the head to whoever says that it lacks it, and is judged before the head is looked
// at (`memberVouched`). So nobody is met here, and nobody becomes a peer: what is known of an owner without a
// link is its place in the domain and what it offers there.
//
// Blame: a member answers for what only it can have done. A head under a key that is not the owner's here, of
// an owner that is not proved here, late, early, too often, or made by other rules than ours, may come from
// an honest member that knows other things; it is dropped. A false signature under the owner's own key, and
// leaves or records that do not fit the head, can only be of who sent them. Two heads for one place convict
// their owner, and both travel on as evidence. Source: protocol section 6.
extension Gossip {
    private static var newsDelay: Duration { .milliseconds(20) }
    /// As many as are told of news at once: the next in the circle of node IDs on either side, so that the
    /// mesh hangs together, and three that each piece of news draws anew.
    private static var drawnForNews: Int { 3 }
    private static var bytesPerAnswer: Int { 1024 * 1024 }
    /// A proof of membership is asked for again when it ends within this time.
    private static var proofLeft: Duration { .seconds(24 * 3600) }

    // MARK: News

    /// A head that is whole here now and was not before is told to others soon.
    mutating func noteNews(of owner: NodeID, from sender: NodeID, in audience: Audience, at now: Moment) {
        guard case .domain = audience else { return }
        registries.update(audience) { $0.noteNews(of: owner, from: sender) }
        if deadlines[.news(audience)] == nil {
            deadlines.set(.news(audience), at: now.instant + Self.newsDelay)
        }
    }

    /// Tells a few others where the owners stand whose heads are new here.
    mutating func tellNews(
        in audience: Audience, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        guard let news = registries.update(audience, { $0.takeNews() }), !news.isEmpty else { return }
        let places = held(of: news.keys, in: audience, at: now.wall)
        guard let salt = places.first?.root else { return }
        for node in hearers(in: audience, drawnBy: salt, at: now.wall) {
            guard let tag = tag(of: audience, with: node) else { continue }
            let told = places.filter { $0.owner != node && news[$0.owner] != node }.prefix(HeadPage.most)
            guard !told.isEmpty else { continue }
            let page = HeadPage(places: Array(told), span: nil)
            effects.post(.send(node, .places(HeadPlaces(audience: tag, page: page))))
        }
    }

    /// Members with a link, in the audience now.
    func linked(in audience: Audience, at wall: WallTime) -> [NodeID] {
        links.links.keys.filter {
            registries[audience]?.present[$0] != nil && sharedDomain(with: $0, at: wall) == audience
        }
    }

    private func hearers(in audience: Audience, drawnBy salt: Digest, at wall: WallTime) -> [NodeID] {
        let linked = linked(in: audience, at: wall)
        guard linked.count > Self.drawnForNews + 2 else { return linked }
        let next = linked.first { $0 > me } ?? linked[0]
        let last = linked.last { $0 < me } ?? linked[linked.count - 1]
        let drawn = linked.filter { $0 != next && $0 != last }.map { node in
            var fields = FieldSequence(.audienceTag)
            fields.append(salt)
            fields.append(me.digest)
            fields.append(node.digest)
            return (suite.digest(fields.bytes), node)
        }
        return [next, last] + drawn.sorted { $0 < $1 }.prefix(Self.drawnForNews).map(\.1)
    }

    // MARK: Pages

    /// What this node holds of others behind `after`, as far as it fits one page.
    func page(
        for node: NodeID, in audience: Audience, after: NodeID? = nil, at wall: WallTime
    ) -> HeadPage {
        let span = OwnerSpan(after: after, through: nil)
        let others = held(in: audience, at: wall).filter {
            $0.owner != me && $0.owner != node && span.contains($0.owner)
        }
        let places = Array(others.prefix(configuration.listMost))
        let through = places.count < others.count ? places.last?.owner : nil
        return HeadPage(places: places, span: OwnerSpan(after: after, through: through))
    }

    /// Asks for what is missing here, and for the page behind; tells what is missing there.
    mutating func receive(
        _ page: HeadPage, from node: NodeID, in audience: Audience, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        guard let correspondent = registries[audience]?.present[node],
            let tag = tag(of: audience, with: node)
        else { return }
        let (asked, isAll) = note(page, of: node, correspondent, in: audience, at: now)
        if !asked.isEmpty { noteNovelty(of: node) }
        if isAll, let span = page.span {
            registries.update(audience) { $0.update(node) { $0.noteRead(span) } }
        }
        // What was read before, on a link before this perhaps, is not asked for again.
        let reached = registries[audience]?.present[node]?.pageReached
        let after = isAll ? page.span?.through.map { max($0, reached ?? $0) } : nil
        if !asked.isEmpty || after != nil {
            effects.post(.send(node, .ask(HeadRequest(audience: tag, wanted: asked, after: after))))
            scheduleTurn(in: audience)
        }
        guard let span = page.span, comparisons[node]?.isUnderWay != true,
            correspondent.mayList(at: now.instant, every: correspondent.listPause),
            holdsMore(than: page, in: span, for: node, audience, at: now.wall),
            mayAnswer(node, at: now, into: &effects)
        else { return }
        registries.update(audience) { $0.update(node) { $0.fruitless += 1 } }
        tellMore(than: page, to: node, in: audience, at: now, into: &effects)
    }

    /// Who told of which head. What `node` is asked for now, and whether that is all that it would be: as
    /// many proofs as may be checked, and its next list asks for more, and for further pages.
    private mutating func note(
        _ page: HeadPage, of node: NodeID, _ correspondent: Correspondent, in audience: Audience,
        at now: Moment
    ) -> (asked: [WantedHead], isAll: Bool) {
        var asked: [WantedHead] = []
        var isAll = true
        for place in page.places {
            let owner = place.owner
            // The registry is not held while it is changed, or all of it were copied.
            let seen = registries[audience].map { registry in
                let isLacking =
                    lacks(place, in: registry) && correspondent.mayAsk(for: owner, at: now.instant)
                let isNext = isLacking && registry.wouldAsk(node, of: owner)
                return (isLacking, isNext ? want(owner, in: registry, at: now.wall) : nil)
            }
            guard let (isLacking, wanted) = seen, isLacking else { continue }
            guard let wanted else {
                registries.update(audience) { $0.noteBehind(node, of: owner) }
                continue
            }
            guard wanted.isProved || peers.update(node, { $0.mayAskForProof(at: now.instant) }) == true else {
                isAll = false
                registries.update(audience) { $0.noteBehind(node, of: owner) }
                continue
            }
            if registries.update(audience, { $0.noteTeller(node, of: owner, at: now.instant) }) == true {
                asked.append(wanted)
            }
        }
        return (asked, isAll)
    }

    /// The page lacks something. To who holds far less, or sends pages for what symbols came to, pages.
    private mutating func tellMore(
        than page: HeadPage, to node: NodeID, in audience: Audience, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        let own = held(in: audience, at: now.wall).count
        let isNew = page.isWhole && !AskedSession.isWorthwhile(own, page.places.count)
        if isNew || !isLarge(audience, at: now.wall) || doSymbolsRest(with: node, in: audience, at: now) {
            sendList(to: node, in: audience, isPaged: true, at: now, into: &effects)
        } else {
            seekDifference(with: node, in: audience, at: now, into: &effects)
        }
    }

    private func lacks(_ place: HeadPlace, in registry: AudienceRegistry) -> Bool {
        guard place.owner != me else { return false }
        guard let theirs = registry.present[place.owner]?.theirs, let newest = theirs.newest?.body else {
            return true
        }
        guard place.position == newest.position else { return place.position > newest.position }
        return place.root != newest.root || !theirs.isComplete
    }

    func want(
        _ owner: NodeID, in registry: AudienceRegistry, above: HeadPosition? = nil, at wall: WallTime
    ) -> WantedHead {
        WantedHead(owner: owner, isProved: isProved(owner, in: registry, at: wall), above: above)
    }

    /// Asks for heads that near their end: a renewal may have been missed, and leaves all summaries equal.
    mutating func askForRenewalsOfOthers(
        of node: NodeID, in audience: Audience, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        guard let registry = registries[audience], let tag = tag(of: audience, with: node) else { return }
        let late = registry.present.filter { owner, correspondent in
            owner != node && correspondent.theirs.isCurrent(at: now.wall)
                && correspondent.theirs.lacksRenewal(at: now.wall)
        }
        let wanted = late.prefix(HeadPage.most).map { owner, correspondent in
            want(owner, in: registry, above: correspondent.theirs.newest?.body.position, at: now.wall)
        }
        guard !wanted.isEmpty else { return }
        registries.update(audience) { $0.update(node) { $0.renewalsAsked = now.instant } }
        effects.post(.send(node, .ask(HeadRequest(audience: tag, wanted: wanted, after: nil))))
    }

    private func isProved(_ owner: NodeID, in registry: AudienceRegistry, at wall: WallTime) -> Bool {
        guard registry.present[owner] != nil, let membership = memberships[owner] else { return false }
        return wall + Self.proofLeft < membership.until
    }

    private func holdsMore(
        than page: HeadPage, in span: OwnerSpan, for node: NodeID, _ audience: Audience, at wall: WallTime
    ) -> Bool {
        var told = OrderedTable<NodeID, HeadPosition>()
        for place in page.places { told[place.owner] = place.position }
        return held(in: audience, at: wall).contains { place in
            place.owner != me && place.owner != node && span.contains(place.owner)
                && place.position > told[place.owner] ?? HeadPosition.none
        }
    }

    // MARK: Answering

    /// Whether what `owner` tells the audience may be given to others in it now.
    func isServed(_ owner: NodeID, in audience: Audience, at wall: WallTime) -> Bool {
        guard owner != me else { return true }
        return registries[audience]?.present[owner]?.theirs.isCurrent(at: wall) == true
            && audiences(with: owner, at: wall).contains(audience)
    }

    mutating func answer(
        _ request: HeadRequest, of node: NodeID, in audience: Audience, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        pass(request.wanted, of: audience, to: node, at: now, into: &effects)
        guard let after = request.after, let tag = tag(of: audience, with: node),
            mayAnswer(node, at: now, into: &effects)
        else { return }
        let page = page(for: node, in: audience, after: after, at: now.wall)
        effects.post(.send(node, .places(HeadPlaces(audience: tag, page: page))))
    }

    /// Passes on what is held of these, as far as one answer goes. How many, the last of them, did not go for
    /// want of room.
    @discardableResult
    mutating func pass(
        _ asked: [WantedHead], of audience: Audience, to node: NodeID, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) -> Int {
        var (room, left) = (Self.bytesPerAnswer, 0)
        var heads: [RelayedHead] = []
        for (place, wanted) in asked.enumerated() where isServed(wanted.owner, in: audience, at: now.wall) {
            guard let push = registries[audience]?.push(of: wanted.owner, using: suite),
                push.head.body.position > wanted.above ?? HeadPosition.none
            else { continue }
            let bytes = suite.encoded(push).count + (wanted.isProved ? 0 : AudienceRegistry.proofBytes)
            room -= bytes
            guard room >= 0, mayAnswer(node, with: bytes, at: now, into: &effects) else {
                left = asked.count - place
                break
            }
            heads.append(RelayedHead(push: push, isProved: wanted.isProved))
        }
        if !heads.isEmpty { effects.post(.relay(node, heads)) }
        return left
    }

    // MARK: Heads of others

    /// A head came from who does not own it.
    mutating func receive(
        relayed push: HeadPush, from node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        let head = push.head.body
        guard peers[node] != nil, head.owner != me else { return }
        // What two others share no honest node has, to pass it on.
        guard case .domain = head.audience else {
            let refusal = Refusal(.documentInvalid, [Fact("audience", head.audience)])
            return convict(node, refusal, into: &effects)
        }
        guard head.audience == sharedDomain(with: node, at: now.wall) else { return }
        guard head.owner != node else {
            return hear(push, of: node, from: node, in: head.audience, at: now, into: &effects)
        }
        guard let theirs = registries[head.audience]?.present[head.owner]?.theirs,
            sharedDomain(with: head.owner, at: now.wall) == head.audience
        else {
            // Of who was not asked for it, it is news: worth asking for the proof.
            guard registries[head.audience]?.asked[head.owner]?.tellers.first == node else {
                let news = HeadPage(places: [HeadPlace(head)], span: nil)
                return receive(news, from: node, in: head.audience, at: now, into: &effects)
            }
            registries.update(head.audience) {
                $0.update(node) {
                    $0.decline(head.owner, at: now.instant)
                }
            }
            askNext(of: [head.owner], in: head.audience, at: now, into: &effects)
            return
        }
        let pin = suite.pin(of: theirs.key)
        guard push.head.signatures.contains(where: { $0.signer == pin }) else {
            let facts = [Fact("head of", head.owner), Fact("signed by another key than", pin)]
            return effects.post(.record(.messageDropped(node, Refusal(.documentInvalid, facts))))
        }
        guard hasRoom(for: push, from: node, in: head.audience, into: &effects) else { return }
        hear(push, of: head.owner, from: node, in: head.audience, at: now, into: &effects)
    }

    /// What others own and one peer brought takes no more than its share of memory.
    private func hasRoom(
        for push: HeadPush, from node: NodeID, in audience: Audience,
        into effects: inout Outbox<GossipEffect>
    ) -> Bool {
        guard let registry = registries[audience] else { return false }
        let taken = registry.bytesBrought(by: node, beside: push.head.body.owner)
        let coming = push.leaves.count * Limits.recordBody
        guard taken + min(coming, Limits.recordBody * Limits.recordsPerHead) <= Limits.memoryPerPeer else {
            let facts = [Fact("bytes brought", taken), Fact("limit", Limits.memoryPerPeer)]
            effects.post(.record(.messageDropped(node, Refusal(.limitReached, facts))))
            return false
        }
        return true
    }
}
