import MeshBase

// What credentials say now, and the trust that rests on them. When a credential ends, so does that trust, in
// the same turn.
extension Trust {
    /// Judges what was stored, at start.
    mutating func startDomains(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        assessOwn(at: now, into: &effects)
        if let home = domains.home {
            domains.partners.restore(domains.storedPartners, home: home, using: suite)
            // The process may have ended between a decision and the end of what it forgot, or before the
            // decision about a bundle.
            for bundle in domains.storedPartners.bundles
            where domains.partners.bundles[bundle.body.domain] == nil {
                effects.post(.persist(.bundleGone(bundle.body.domain)))
            }
            domains.storedPartners = StoredPartners()
            keepBundle(at: now, into: &effects)
            schedulePapers(at: now)
        }
        let stored = domains.stored
        domains.stored = []
        for credential in stored {
            guard let peer = pins[credential.node] else { continue }
            if case .allowed(let held) = ruling(on: credential.chain, of: peer, at: now) {
                domains.members[peer.node] = held
                if peer.state == .trusted {
                    effects.post(.membershipChanged(peer.node, held.membership))
                }
            }
        }
        for peer in pins.peers.values where peer.state == .trusted && peer.domain != nil {
            guard domains.members[peer.node] == nil else { continue }
            lapse(peer, because: "its credential is over", at: now, into: &effects)
        }
        scheduleDomains(at: now)
        seek(at: now, into: &effects)
    }

    /// This node's own credential is this from now on.
    mutating func adopt(_ home: HomeDomain, at now: Moment, into effects: inout Outbox<TrustEffect>) {
        domains.home = home
        enrolment = nil
        effects.post(.persist(.home(home)))
        assessOwn(at: now, into: &effects)
        for peer in pins.peers.values where peer.state == .trusted { present(to: peer.node, into: &effects) }
        scheduleDomains(at: now)
        seek(at: now, into: &effects)
        keepBundle(at: now, into: &effects)
        schedulePapers(at: now)
    }

    /// Shows this node's credential to a member of its domain, or of a partner: what it accepts would end
    /// with the one before. Whoever is trusted and not known as a member is told the tag of this node's
    /// domain, and of no other: who accepts that one answers with its own credential.
    func present(to node: NodeID, into effects: inout Outbox<TrustEffect>) {
        guard let own = domains.own else { return }
        if domains.members[node] != nil { return effects.post(.tell(node, .shown(own.chain))) }
        let tag = AnchorTag.tag(of: own.membership.domain, from: me.node, to: node, using: suite)
        effects.post(.tell(node, .named(DomainTags(tags: [tag]))))
    }

    /// A trusted peer names its domain by a tag: who accepts that domain shows its own credential.
    func answer(_ named: DomainTags, of node: NodeID, into effects: inout Outbox<TrustEffect>) {
        guard let own = domains.own else { return }
        let isAccepted = domains.accepted(using: suite).contains { domain in
            !domain.keys.isEmpty
                && named.tags.holds(
                    tag: AnchorTag.tag(of: domain.domain, from: node, to: me.node, using: suite))
        }
        if isAccepted { effects.post(.tell(node, .shown(own.chain))) }
    }

    /// A peer showed a credential that counts: kept when it is a later one than what is held.
    mutating func hold(
        _ held: HeldCredential, of node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        let old = domains.members[node]
        if let old, old.chain.credential.body.issued > held.chain.credential.body.issued { return }
        moveTrust(in: node, to: held, into: &effects)
        guard old?.chain != held.chain else { return }
        domains.members[node] = held
        effects.post(.persist(.credential(StoredCredential(node: node, chain: held.chain))))
        if old?.membership != held.membership, pins.isTrusted(node) {
            effects.post(.membershipChanged(node, held.membership))
            namePapers(to: node, at: now, into: &effects)
        }
        scheduleDomains(at: now)
    }

    /// Trust that was made under a credential of another domain rests on this one from now on, and ends with
    /// it: the node left that domain, or was put back to before it joined.
    private mutating func moveTrust(
        in node: NodeID, to held: HeldCredential, into effects: inout Outbox<TrustEffect>
    ) {
        guard var peer = pins[node], peer.state == .trusted, let old = peer.domain,
            old != held.membership.domain
        else { return }
        peer.domain = held.membership.domain
        peer.evidence = TrustEvidence(
            kind: .domain, transcript: peer.evidence.transcript, note: note(of: held))
        pins.write(peer)
        effects.post(.persist(.peer(peer)))
        effects.post(
            .record(.stateChanged(node, name: peer.name, from: .trusted, to: .trusted, peer.evidence)))
    }

    /// What trust rests on, for people.
    func note(of held: HeldCredential) -> String {
        let signer = held.chain.issuer?.body.node.brief ?? "the anchor"
        let domain = held.membership.domain
        let label = domains.label(of: domain)?.description ?? domain.brief
        return "member of \(label) by a credential of \(signer)"
    }

    /// What a chain proves of a peer now.
    func ruling(on chain: CredentialChain, of peer: PeerRecord, at now: Moment) -> Ruling<HeldCredential> {
        ruling(on: chain, of: peer.node, peer.key, at: now)
    }

    func ruling(
        on chain: CredentialChain, of node: NodeID, _ key: PublicKey, at now: Moment
    ) -> Ruling<HeldCredential> {
        let ground = CredentialGround(
            node: node, key: key, domains: domains.accepted(using: suite), pins: pins, now: now.wall)
        return chain.ruling(ground, using: suite)
    }

    /// A trusted peer showed this over its link. One that is dated ahead of this clock, which may be wrong,
    /// is judged again with time: its holder does not show it twice.
    mutating func judge(
        _ chain: CredentialChain, of peer: PeerRecord, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        let node = peer.node
        let early = earlyCredentials.remove(node)
        switch ruling(on: chain, of: peer, at: now) {
        case .allowed(let held): learn(held, of: node, at: now, into: &effects)
        case .refused(let refusal):
            if refusal.code == .credentialNotYetValid { earlyCredentials[node] = chain }
            if early != chain { effects.post(.record(.credentialRefused(node, refusal))) }
            dropEarlier(than: chain, of: node, because: refusal, at: now, into: &effects)
        }
    }

    /// A trusted peer is a member of a domain that counts here, as its credential says. It may not know yet
    /// that this node is one, too: shown that first, it answers what else is told to members.
    mutating func learn(
        _ held: HeldCredential, of node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        let old = domains.members[node]
        // Somebody may pass on a head with what its owner was before it went to another domain (seed 952).
        let isLater = old.map { $0.chain.credential.body.issued <= held.chain.credential.body.issued } ?? true
        let isNews = isLater && old?.membership.domain != held.membership.domain
        if isNews, let own = domains.own { effects.post(.tell(node, .shown(own.chain))) }
        hold(held, of: node, at: now, into: &effects)
    }

    /// Looks again at credentials whose time has come; with `all`, at every one: a key was revoked.
    mutating func reassess(all: Bool = false, at now: Moment, into effects: inout Outbox<TrustEffect>) {
        for (node, held) in domains.members where all || now.wall >= held.nextEnd {
            guard let peer = pins[node] else { continue }
            switch ruling(on: held.chain, of: peer, at: now) {
            case .allowed(let current):
                domains.members[node] = current
                if current.membership != held.membership, peer.state == .trusted {
                    effects.post(.membershipChanged(node, current.membership))
                }
            case .refused(let refusal):
                dropCredential(of: peer, because: refusal.code.rawValue, at: now, into: &effects)
            }
        }
        reassessVouched(all: all, at: now, into: &effects)
        // One that was over counts again when it was a clock that ran ahead.
        if domains.own.map({ all || now.wall >= $0.nextEnd }) ?? (domains.home != nil) {
            assessOwn(at: now, into: &effects)
        }
        for (node, chain) in earlyCredentials {
            if let peer = pins[node], peer.state == .trusted {
                judge(chain, of: peer, at: now, into: &effects)
            } else {
                earlyCredentials[node] = nil
            }
        }
        scheduleDomains(at: now)
        seek(at: now, into: &effects)
    }

    /// What a domain says last of its member is not enough here: what was enough before counts no more. Roles
    /// are looked at last, so `chain` is the node's, by its domain's word.
    mutating func dropEarlier(
        than chain: CredentialChain, of node: NodeID, because refusal: Refusal, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard refusal.code == .partnerRoleMissing, let peer = pins[node], let held = domains.members[node],
            held.membership.domain == chain.credential.body.domain,
            held.chain.credential.body.issued < chain.credential.body.issued
        else { return }
        dropCredential(of: peer, because: refusal.code.rawValue, at: now, into: &effects)
    }

    /// A peer's credential counts no more; trust that rests on it ends.
    mutating func dropCredential(
        of peer: PeerRecord, because why: String, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard domains.members.remove(peer.node) != nil else { return }
        effects.post(.persist(.credentialGone(peer.node)))
        guard peer.state == .trusted else { return }
        effects.post(.membershipChanged(peer.node, nil))
        if peer.domain != nil { lapse(peer, because: why, at: now, into: &effects) }
    }

    /// Back to what is proved without a credential: its key. The next credential makes trust again.
    private mutating func lapse(
        _ peer: PeerRecord, because why: String, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        let evidence = TrustEvidence(kind: .domain, transcript: nil, note: "credential: \(why)")
        move(peer, to: .verified, evidence, telling: nil, at: now, into: &effects)
    }

    private mutating func assessOwn(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        let old = domains.own?.membership
        if let home = domains.home {
            let ground = CredentialGround(
                node: me.node, key: me.key, domains: [AcceptedDomain(home.domain)], pins: pins, now: now.wall)
            switch home.chain.ruling(ground, using: suite) {
            case .allowed(let held): domains.own = held
            case .refused(let refusal):
                if domains.own != nil {
                    effects.post(.record(.domain(me.node, "own credential is over", refusal.facts)))
                }
                domains.own = nil
            }
        }
        guard domains.own?.membership != old else { return }
        effects.post(.membershipChanged(me.node, domains.own?.membership))
        if domains.own?.membership.domain != old?.domain { unvouchAll(into: &effects) }
        effects.post(.pairing(pairingWindow(at: now)))
    }

    /// Wall clocks jump, so the alarm looks again at least once a minute.
    mutating func scheduleDomains(at now: Moment) {
        guard domains.home != nil || !domains.members.isEmpty else { return deadlines.cancel(.domain) }
        let held = domains.members.values + domains.vouched.values.map(\.held)
        let ends = (held + [domains.own].compactMap { $0 }).map(\.nextEnd)
        let waits = ends.map { $0 - now.wall } + [renewalDelay(at: now)].compactMap { $0 }
        let delay = max(.milliseconds(1), min(waits.min() ?? .seconds(60), .seconds(60)))
        deadlines.set(.domain, at: now.instant + delay)
    }

    /// Whom this node looks for among strangers, when that has changed.
    mutating func seek(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        let wanted: Seeking =
            if domains.own != nil { .members } else if enrolment?.isHopeless == false { .issuer } else {
                .nobody
            }
        guard wanted != seeking else { return }
        seeking = wanted
        effects.post(.seek(wanted))
    }

    /// Whom this node accepts when it dials somebody whom it does not know; nil: nobody.
    public var intentTowardStrangers: DialIntent? {
        switch seeking {
        case .nobody: nil
        case .members: .member
        case .issuer: (enrolment?.token).map(DialIntent.init(token:))
        }
    }
}
