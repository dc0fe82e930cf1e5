import MeshBase

/// How it stands with the token that a node was given, until it has a credential.
public struct Enrolment: Equatable, Sendable {
    /// The token.
    public let token: JoinToken
    /// Why no issuer has enrolled this node yet, as far as is known; nil: nothing stood in its way.
    public internal(set) var obstacle: Refusal?
    /// Who said so; nil: this node itself, which then does nothing by the token.
    public internal(set) var remote: Endpoint?

    /// Whether nobody is asked, because all would refuse it.
    public var isHopeless: Bool { obstacle != nil && remote == nil }
}

// Newcomers under a join token, on both sides; and trust made by credentials.
extension Trust {
    /// This node holds a token. It does nothing by it while it has a credential that counts.
    mutating func orderEnrolment(
        _ token: JoinToken, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard domains.own == nil else { return }
        let flaw = flaw(of: token, at: now)
        enrolment = Enrolment(token: token, obstacle: flaw)
        if let flaw { return effects.post(.record(.enrolmentRefused(flaw))) }
        seek(at: now, into: &effects)
    }

    /// Somebody who was asked to enrol this node is not, or did not.
    mutating func enrolmentFailed(_ handshake: Handshake, _ refusal: Refusal) {
        guard handshake.intent?.token != nil, enrolment?.isHopeless == false else { return }
        enrolment?.obstacle = refusal
        enrolment?.remote = handshake.connection.remote
    }

    private func flaw(of token: JoinToken, at now: Moment) -> Refusal? {
        let record = token.record.body
        if let home = domains.home, home.domain != token.domain {
            return Refusal(.domainPresent, [Fact("domain", home.label), Fact("id", home.domain)])
        }
        guard record.domain == token.domain else {
            return Refusal(
                .tokenForeign, [Fact("token's", record.domain), Fact("this node's", token.domain)])
        }
        guard now.wall < record.until else {
            return Refusal(
                .tokenExpired,
                [Fact("until", RFC3339.text(record.until)), Fact("now", RFC3339.text(now.wall))])
        }
        return nil
    }

    /// A newcomer proved a token: its use is durable before anything is signed for it.
    mutating func enrol(
        _ record: TokenRecord, _ node: NodeID, _ key: PublicKey, on connection: ConnectionID, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        func refuse(_ refusal: Refusal) {
            advance(connection, at: now, into: &effects) { handshake, _, _ in handshake.abandon(refusal) }
        }
        let given = record.roles.roles.filter { $0 != .issue } + [.member]
        guard let roles = RoleList(given) else {
            return refuse(Refusal(.roleNotGiven, [Fact("roles", record.roles)]))
        }
        let hand: IssuingHand
        switch domains.hand(giving: roles, at: now.wall) {
        case .allowed(let found): hand = found
        case .refused(let refusal):
            guard refusal.code == .issuerMissing else { return refuse(refusal) }
            return refer(connection, at: now, into: &effects)
        }
        let makesIssuer = record.roles.contains(.issue)
        guard !makesIssuer || domains.anchor == hand.anchor else {
            let may = hand.issuer?.body.roles.description ?? "none"
            return refuse(
                Refusal(.roleNotGiven, [Fact("roles", DomainRole.issue), Fact("the issuer may give", may)]))
        }
        if let gone = domains.makeRoom(for: suite.pin(of: record.key), at: now.wall) {
            effects.post(.persist(.tokenForgotten(gone)))
        }
        switch domains.use(of: record, by: suite.pin(of: key), using: suite) {
        case .refused(let refusal): return refuse(refusal)
        case .allowed(let use):
            if domains.tokens[use.token] != use {
                domains.tokens[use.token] = use
                effects.post(.persist(.tokenUse(use)))
            }
        }
        guard makesIssuer else {
            return issue(to: .newcomer(connection), node, key, roles, by: hand, at: now, into: &effects)
        }
        let issuance = Issuance(
            recipient: .newcomer(connection), anchor: hand.anchor, node: node, key: key, roles: roles,
            issuer: hand.issuer)
        makeAuthority(issuance, giving: roles, at: now, into: &effects)
    }

    /// This member may not issue: it says who may.
    private mutating func refer(
        _ connection: ConnectionID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        let issuers = domains.members.filter { node, held in
            held.membership.holds(.issue) && held.membership.domain == domains.home?.domain
                && pins.isTrusted(node)
        }
        end(connection)
        effects.post(.refer(connection, to: issuers.map(\.0)))
    }

    /// A newcomer and its issuer made trust, or two members who met for the first time.
    func domainRecord(
        _ establishment: Establishment, _ held: HeldCredential, at now: Moment
    ) -> Ruling<PeerRecord> {
        let node = establishment.node
        if let refusal = pins.refusal(toTrust: node, under: establishment.key, establishment.inception) {
            return .refused(refusal)
        }
        if let refusal = refusal(ofConvicted: node) { return .refused(refusal) }
        if let home = domains.home, held.membership.domain != home.domain,
            let refusal = pins.refusal(ofPartner: node, beside: home.domain)
        {
            return .refused(refusal)
        }
        guard let name = pins[node]?.name ?? pins.freeName(like: establishment.name, for: node) else {
            return .refused(Refusal(.nameTaken, [Fact("name", establishment.name)]))
        }
        return .allowed(
            PeerRecord(
                node: node, key: establishment.key, pin: suite.pin(of: establishment.key),
                inception: establishment.inception, name: name, state: .trusted, since: now.wall,
                evidence: TrustEvidence(
                    kind: .domain, transcript: establishment.transcript, note: note(of: held)),
                boot: pins[node]?.boot, domain: held.membership.domain))
    }

    /// What a credential that was shown in a handshake proves at its end.
    mutating func judgeAgain(
        _ establishment: Establishment, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) -> (held: HeldCredential?, refusal: Refusal?) {
        guard let chain = establishment.shown else { return (nil, nil) }
        switch ruling(on: chain, of: establishment.node, establishment.key, at: now) {
        case .allowed(let held): return (held, nil)
        case .refused(let refusal):
            if establishment.credential != nil {
                effects.post(.record(.credentialRefused(establishment.node, refusal)))
            }
            dropEarlier(than: chain, of: establishment.node, because: refusal, at: now, into: &effects)
            return (nil, refusal)
        }
    }

    /// Trust by a credential, written before anything rests on it. Nil when it could not be made.
    mutating func trustMember(
        _ establishment: Establishment, _ held: HeldCredential, _ connection: ConnectionID, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) -> PeerRecord? {
        switch domainRecord(establishment, held, at: now) {
        case .refused(let refusal):
            effects.post(.close(connection, refusal.code))
            return nil
        case .allowed(let peer):
            let old = pins[peer.node]?.state
            pins.write(peer)
            effects.post(.persist(.peer(peer)))
            effects.post(.proved(connection, peer.node))
            effects.post(
                .record(.stateChanged(peer.node, name: peer.name, from: old, to: .trusted, peer.evidence)))
            unvouch(peer.node, into: &effects)
            effects.post(.standingChanged(peer.node, .trusted))
            let known = domains.members[peer.node]?.membership
            hold(held, of: peer.node, at: now, into: &effects)
            // Held since before trust began, as at a start, it was told to nobody.
            if known != nil, known == domains.members[peer.node]?.membership {
                effects.post(.membershipChanged(peer.node, known))
            }
            return peer
        }
    }

    /// M4 is there: the newcomer has its credential, both have trust, and the connection has done its work.
    mutating func finishEnrolment(
        _ establishment: Establishment, _ connection: ConnectionID, _ handshake: Handshake, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard let granted = establishment.granted, let held = establishment.credential else {
            preconditionFailure("\(connection): enrolled without a credential")
        }
        if let token = handshake.intent?.token {
            let home = HomeDomain(
                domain: token.domain, label: token.record.body.label, chain: granted)
            effects.post(
                .record(
                    .domain(me.node, "enrolled", [Fact("domain", home.label), Fact("id", home.domain)])))
            adopt(home, at: now, into: &effects)
        } else {
            effects.post(
                .record(
                    .domain(
                        establishment.node, "newcomer enrolled",
                        [Fact("roles", granted.credential.body.roles)])))
        }
        switch ruling(on: held.chain, of: establishment.node, establishment.key, at: now) {
        case .refused(let refusal):
            effects.post(.record(.credentialRefused(establishment.node, refusal)))
            effects.post(.close(connection, refusal.code))
        case .allowed(let held):
            guard trustMember(establishment, held, connection, at: now, into: &effects) != nil else { return }
            effects.post(.close(connection, nil))
        }
    }
}
