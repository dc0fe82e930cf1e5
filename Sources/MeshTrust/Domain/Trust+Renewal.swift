import MeshBase

// Credentials are renewed at two thirds of their life, by any issuer, over trusted links (protocol
// section 3).
extension Trust {
    /// How long between two requests, and between two renewals.
    private static var requestPause: Duration { .seconds(30) }
    private static var renewalPause: Duration { .seconds(600) }

    /// When this node's own credential is due for renewal; nil when it has none.
    public var renewalDue: WallTime? {
        guard let chain = domains.own?.chain else { return nil }
        let credential = chain.credential.body
        let due = credential.issued + (credential.until - credential.issued) * 2 / 3
        guard let authority = chain.authority?.body else { return due }
        return min(due, authority.issued + (authority.until - authority.issued) * 2 / 3)
    }

    /// How long until the next step of a renewal; nil when there is nothing to renew.
    func renewalDelay(at now: Moment) -> Duration? {
        if wantsRenewal(at: now.wall) { return nextRenewal - now.instant }
        return renewalDue.map { $0 - now.wall }
    }

    /// Whether a later credential is wanted now. One that is over, or that a wrong clock dated ahead, is no
    /// ground for a later one, but where the anchor's key lies: its domain would end with it.
    private func wantsRenewal(at wall: WallTime) -> Bool {
        guard let home = domains.home else { return false }
        let isAhead = home.chain.credential.body.issued > wall + Limits.clockSkewRefused
        if domains.anchor == home.chain.anchor, domains.own == nil || isAhead { return true }
        return renewalDue.map { $0 <= wall } ?? false
    }

    /// Renews this node's own credential when it is due: by itself where it is an issuer, else by the next
    /// issuer among its peers.
    mutating func renewIfDue(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        guard wantsRenewal(at: now.wall), let home = domains.home, now.instant >= nextRenewal else { return }
        let credential = home.chain.credential.body
        if domains.anchor == home.chain.anchor, let authority = home.chain.authority?.body {
            nextRenewal = now.instant + Self.requestPause
            let issuance = Issuance(
                recipient: .myself, anchor: home.chain.anchor, node: me.node, key: me.key,
                roles: credential.roles, issuer: nil)
            return makeAuthority(issuance, giving: authority.roles, at: now, into: &effects)
        }
        if isDueOnlyForAuthority(home.chain, at: now) == false,
            case .allowed(let hand) = domains.hand(giving: credential.roles, at: now.wall)
        {
            nextRenewal = now.instant + Self.renewalPause
            return issue(
                to: .myself, me.node, me.key, credential.roles, by: hand, authority: home.chain.authority,
                at: now, into: &effects)
        }
        nextRenewal = now.instant + Self.requestPause
        let issuers = domains.members.filter { node, held in
            held.membership.holds(.issue) && held.membership.domain == home.domain && pins.isTrusted(node)
        }
        guard !issuers.isEmpty else { return }
        let issuer = issuers[issuersAsked % issuers.count].0
        issuersAsked += 1
        effects.post(.tell(issuer, .renewalWanted(home.chain)))
    }

    /// An issuer renews its own credential; only the anchor its certificate.
    private func isDueOnlyForAuthority(_ chain: CredentialChain, at now: Moment) -> Bool {
        let credential = chain.credential.body
        return now.wall < credential.issued + (credential.until - credential.issued) * 2 / 3
    }

    mutating func hear(
        _ message: DomainMessage, from node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard let peer = pins[node], peer.state == .trusted else { return }
        switch message {
        case .shown(let chain):
            guard mayCheck(node, at: now) else { return }
            judge(chain, of: peer, at: now, into: &effects)
        case .named(let tags):
            guard mayCheck(node, at: now) else { return }
            answer(tags, of: node, into: &effects)
        case .renewalWanted(let chain):
            guard mayCheck(node, at: now) else { return }
            renew(chain, of: peer, at: now, into: &effects)
        case .renewed(let chain): take(chain, from: node, at: now, into: &effects)
        case .notRenewed(let refusal):
            effects.post(.record(.domain(node, "credential not renewed", refusal.facts)))
        case .papersHeld(let held): hear(held, from: node, at: now, into: &effects)
        case .paper(let paper): hear(paper, from: node, at: now, into: &effects)
        case .bundleWanted: giveBundle(to: node, at: now, into: &effects)
        case .bundleGiven(let given): take(given, from: peer, at: now, into: &effects)
        case .bundleWithheld(let refusal): bundleWithheld(by: node, refusal, into: &effects)
        }
    }

    /// Checking costs signatures: eight messages of a peer at once are looked at, and one a second after
    /// that.
    private mutating func mayCheck(_ node: NodeID, at now: Moment) -> Bool {
        credentialChecks[node].take(of: 8, every: .seconds(1), at: now.instant)
    }

    /// A member that is trusted here, and that shows a credential which counts, gets a later one with the
    /// same roles.
    private mutating func renew(
        _ chain: CredentialChain, of peer: PeerRecord, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        func answer(_ refusal: Refusal) {
            effects.post(.tell(peer.node, .notRenewed(refusal)))
            effects.post(.record(.credentialRefused(peer.node, refusal)))
        }
        let held: HeldCredential
        switch ruling(on: chain, of: peer, at: now) {
        case .refused(let refusal): return answer(refusal)
        case .allowed(let found): held = found
        }
        guard let home = domains.home, held.membership.domain == home.domain else {
            return answer(Refusal(.domainMissing, [Fact("domain", held.membership.domain)]))
        }
        let roles = chain.credential.body.roles
        switch domains.hand(giving: roles, at: now.wall) {
        case .refused(let refusal): answer(refusal)
        case .allowed(let hand):
            guard let authority = chain.authority, held.membership.holds(.issue),
                domains.anchor == home.chain.anchor
            else {
                return issue(
                    to: .member(peer.node), peer.node, peer.key, roles, by: hand,
                    authority: held.membership.holds(.issue) ? chain.authority : nil, at: now, into: &effects)
            }
            let issuance = Issuance(
                recipient: .member(peer.node), anchor: hand.anchor, node: peer.node, key: peer.key,
                roles: roles, issuer: hand.issuer)
            makeAuthority(issuance, giving: authority.body.roles, at: now, into: &effects)
        }
    }

    /// The later credential is signed; the member may have been revoked meanwhile.
    mutating func renewed(
        _ node: NodeID, _ chain: CredentialChain, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard let peer = pins[node], peer.state == .trusted,
            case .allowed(let held) = ruling(on: chain, of: peer, at: now)
        else { return }
        hold(held, of: node, at: now, into: &effects)
        let until = Fact("until", RFC3339.text(chain.credential.body.until))
        effects.post(.record(.domain(node, "credential renewed", [until])))
        effects.post(.tell(node, .renewed(chain)))
    }

    /// A link came up: an issuer is asked at once when something is due. Who was no member by the handshake
    /// may have become one meanwhile, on either side.
    mutating func greet(_ node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>) {
        if domains.members[node] == nil { present(to: node, into: &effects) }
        guard let membership = domains.members[node]?.membership, membership.holds(.issue),
            membership.domain == domains.home?.domain, let due = renewalDue, due <= now.wall
        else { return }
        nextRenewal = min(nextRenewal, now.instant)
        renewIfDue(at: now, into: &effects)
        scheduleDomains(at: now)
    }

    /// A later credential of this node's own, from whichever issuer.
    private mutating func take(
        _ chain: CredentialChain, from node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard let home = domains.home, mayCheck(node, at: now),
            chain.credential.body.issued > home.chain.credential.body.issued
        else { return }
        let ground = CredentialGround(
            node: me.node, key: me.key, domains: [AcceptedDomain(home.domain)], pins: pins,
            now: now.wall)
        switch chain.ruling(ground, using: suite) {
        case .refused(let refusal): effects.post(.record(.credentialRefused(node, refusal)))
        case .allowed:
            nextRenewal = now.instant + Self.renewalPause
            adopt(
                HomeDomain(domain: home.domain, label: home.label, chain: chain), at: now, into: &effects)
        }
    }
}
