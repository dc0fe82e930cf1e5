import MeshBase

// Who is in which audience. Whatever is told, heard or served passes through `audiences(with:at:)`.
extension Gossip {
    /// The audiences that this node and another share now: the pair with a trusted peer, and their domain
    /// while both are proved to be its members.
    func audiences(with node: NodeID, at wall: WallTime) -> [Audience] {
        guard key(of: node) != nil else { return [] }
        let pair = peers[node] == nil ? [] : [Audience.pair(me, node)]
        return pair + [sharedDomain(with: node, at: wall)].compactMap { $0 }
    }

    /// What verifies the heads of `node`; nil when it is neither trusted nor vouched for.
    func key(of node: NodeID) -> PublicKey? { peers[node]?.key ?? vouched[node] }

    /// The audience of the domain in which both are members at `wall`.
    func sharedDomain(with node: NodeID, at wall: WallTime) -> Audience? {
        guard let mine = memberships[me], mine.isShared(with: memberships[node], at: wall) else { return nil }
        return .domain(mine.domain)
    }

    /// The shared audience that `tag` names; without a tag, the pair. Nil when the two share none of that
    /// name now.
    func audience(_ tag: AudienceTag?, with node: NodeID, at wall: WallTime) -> Audience? {
        guard let tag else { return peers[node] == nil ? nil : .pair(me, node) }
        return audiences(with: node, at: wall).first { self.tag(of: $0, with: node) == tag }
    }

    /// How a message names an audience to `node`.
    func tag(of audience: Audience, with node: NodeID) -> AudienceTag? {
        switch audience {
        case .pair: nil
        case .domain: audience.tag(between: me, and: node, using: suite)
        }
    }

    /// What both sides must agree on: each shared audience, and the digest of what is held in it. A head
    /// whose records are not all here does not count, so that both sides differ while one still gathers.
    func summary(with node: NodeID, at wall: WallTime) -> RegistrySummary {
        var fields = FieldSequence(.audienceTag)
        for audience in audiences(with: node, at: wall) {
            fields.append(audience.description)
            fields.append(heldDigest(in: audience, at: wall))
        }
        return RegistrySummary(digest: suite.digest(fields.bytes))
    }

    /// Whose heads this node serves and passes on in `audience` at `wall`, by rising owner: all that is under
    /// them is here, they are not over, and their owners are proved to be in it.
    public func held(in audience: Audience, at wall: WallTime) -> [HeadPlace] {
        if let kept = heldDigests[audience], isValid(kept, in: audience, at: wall) { return kept.places }
        guard let registry = registries[audience] else { return [] }
        var places: [HeadPlace] = []
        var own = ownPlace(in: registry, at: wall)
        let (owners, kept) = (registry.present.keys, registry.present.values)
        var walk = MembershipWalk(memberships, me: me, at: wall)
        for index in owners.indices {
            // In place: a correspondent is much to copy, and there may be thousands.
            guard let head = kept[index].theirs.standing, head.isCurrent(at: wall) else { continue }
            let owner = owners[index]
            if case .domain(let domain) = audience, walk.domain(of: owner) != domain { continue }
            if let mine = own, mine.owner < owner {
                places.append(mine)
                own = nil
            }
            places.append(head.place)
        }
        return places + [own].compactMap { $0 }
    }

    /// Of these owners, rising, where those stand whose heads are held in `audience` at `wall`.
    func held(
        of owners: some Sequence<NodeID>, in audience: Audience, at wall: WallTime
    ) -> [HeadPlace] {
        owners.compactMap { owner in
            if owner == me { return registries[audience].flatMap { ownPlace(in: $0, at: wall) } }
            guard let head = registries[audience]?.present[owner]?.theirs.standing, head.isCurrent(at: wall)
            else { return nil }
            switch audience {
            case .pair: return head.place
            case .domain: return sharedDomain(with: owner, at: wall) == audience ? head.place : nil
            }
        }
    }

    /// Where this node's own head stands; nil: it has none that may be served at `wall`.
    private func ownPlace(in registry: AudienceRegistry, at wall: WallTime) -> HeadPlace? {
        registry.own.published.flatMap { published in
            wall < published.head.body.expires ? HeadPlace(published.head.body) : nil
        }
    }

    /// Puts a peer, or who is vouched for, into the domains' audiences where it is proved to be now, and out
    /// of all others.
    mutating func place(_ node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        guard key(of: node) != nil else { return }
        let shared = sharedDomain(with: node, at: now.wall)
        for audience in domainAudiences where audience != shared { leave(node, audience, into: &effects) }
        guard let shared, registries[shared]?.present[node] == nil else { return }
        enter(node, shared, at: now)
        watchHearing(at: now.instant)
        if let domainOffers { replace(with: domainOffers, in: shared, at: now, into: &effects) }
        if let connection = links.links[node]?.connection {
            greet(node, over: connection, in: shared, at: now, into: &effects)
        }
        effects.post(.catalogChanged(node))
    }

    /// Whether the clock alone has changed where a peer belongs: a membership ended untold, or one that was
    /// over by a clock that ran ahead counts again.
    func isMisplaced(_ node: NodeID, at wall: WallTime) -> Bool {
        let placed = domainAudiences.filter { registries[$0]?.present[node] != nil }
        return placed != [sharedDomain(with: node, at: wall)].compactMap { $0 }
    }

    /// The domains' audiences that are known here; they stand last.
    var domainAudiences: [Audience] {
        registries.keys.reversed().prefix {
            if case .domain = $0 { return true }
            return false
        }
    }

    /// A node is in the audience from now on.
    mutating func enter(_ node: NodeID, _ audience: Audience, at now: Moment) {
        guard let key = key(of: node) else { return }
        edit(audience, at: now.instant) { $0.enter(node, key: key, at: now) }
        watchExpiry(of: node, in: audience, at: now)
    }

    /// A node is in the audience no more: nothing is told it or served of it from now on.
    mutating func leave(_ node: NodeID, _ audience: Audience, into effects: inout Outbox<GossipEffect>) {
        guard registries.update(audience, { $0.leave(node) }) == true else { return }
        if comparisons[node]?.audience == audience { endComparison(with: node) }
        while let gone = registries.update(audience, { $0.makeRoom() }) ?? nil {
            effects.post(.persist(.headGone(gone, audience)))
        }
        deadlines.cancel(.expiry(audience, node))
        effects.post(.catalogChanged(node))
        guard registries[audience]?.present.isEmpty == true else { return }
        // Nobody is left to be told: the audience rests.
        signatures.removeAll { _, awaited in awaited.audience == audience }
        registries.update(audience) { $0.own.abandonDraft() }
        deadlines.cancel(.renewal(audience))
    }

    /// What this node offers to `audience` from now on.
    mutating func replace(
        with resources: [ResourceDescription], in audience: Audience, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        let suite = suite
        registries.update(audience) { $0.own.replace(with: resources, using: suite) }
        renew(audience, at: now, into: &effects)
    }

    /// Changes the registry of `audience`, made when there is none.
    mutating func edit(_ audience: Audience, at now: Instant, _ change: (inout AudienceRegistry) -> Void) {
        if registries[audience] == nil {
            registries[audience] = AudienceRegistry(audience, owner: me, at: now)
        }
        registries.update(audience, change)
    }
}

/// Who shares this node's domain at one time, asked of ever higher nodes: both are walked once.
private struct MembershipWalk {
    private let nodes: [NodeID]
    private let memberships: [Membership]
    private let mine: Membership?
    private let wall: WallTime
    private var index = 0

    init(_ memberships: OrderedTable<NodeID, Membership>, me: NodeID, at wall: WallTime) {
        nodes = memberships.keys
        self.memberships = memberships.values
        mine = memberships[me]
        self.wall = wall
    }

    /// The domain that is shared with `node`, which is higher than who was asked for before; nil: none.
    mutating func domain(of node: NodeID) -> DomainID? {
        while index < nodes.count, nodes[index] < node { index += 1 }
        guard let mine, index < nodes.count, nodes[index] == node,
            mine.isShared(with: memberships[index], at: wall)
        else { return nil }
        return mine.domain
    }
}
