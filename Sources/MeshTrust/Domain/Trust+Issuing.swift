import MeshBase

// Credentials that this node signs: at the founding of its domain, for newcomers, for members whose time runs
// out, and for itself.
extension Trust {
    /// Makes this node the first of a new domain. The anchor's key lies in the home already.
    mutating func found(
        _ ticket: Ticket, _ label: NodeName, anchor: PublicKey, giving roles: RoleList, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        if let home = domains.home {
            let facts = [Fact("domain", home.label), Fact("id", home.domain)]
            return effects.post(.answer(ticket, .refused(Refusal(.domainPresent, facts))))
        }
        domains.anchor = anchor
        guard let own = RoleList([.member, .agree]) else { return }
        let issuance = Issuance(
            recipient: .founder(ticket, label: label), anchor: anchor, node: me.node, key: me.key, roles: own,
            issuer: nil)
        makeAuthority(issuance, giving: roles, at: now, into: &effects)
    }

    /// A token record, signed by the anchor where its key lies here.
    mutating func makeToken(
        _ ticket: Ticket, _ order: TokenOrder, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        let refusal: Refusal? =
            if let home = domains.home {
                domains.anchor == home.chain.anchor
                    ? flaw(of: order)
                    : Refusal(.anchorMissing, [Fact("domain", home.label), Fact("id", home.domain)])
            } else {
                Refusal(.domainMissing, [Fact("domains", 0)])
            }
        if let refusal { return effects.post(.answer(ticket, .refused(refusal))) }
        guard let home = domains.home else { return }
        let record = TokenRecord(
            domain: home.domain, label: home.label, key: order.key, roles: order.roles,
            until: now.wall + order.life, uses: order.uses)
        let payload = Octets(suite.encoded(record))
        let signing = newTicket()
        tokensInTheMaking[signing] = TokenInTheMaking(ticket: ticket, record: record, payload: payload)
        effects.post(
            .sign(SigningRequest(ticket: signing, kind: TokenRecord.kind, payload: payload, hand: .anchor)))
    }

    private func flaw(of order: TokenOrder) -> Refusal? {
        guard (1...Limits.tokenUses).contains(order.uses) else {
            return Refusal(.limitReached, [Fact("uses", order.uses), Fact("limit", Limits.tokenUses)])
        }
        guard order.life > .zero, order.life <= Limits.tokenLifeMax else {
            return Refusal(
                .limitReached,
                [
                    Fact("life in ms", order.life.wholeMilliseconds),
                    Fact("longest in ms", Limits.tokenLifeMax.wholeMilliseconds),
                ])
        }
        return nil
    }

    /// Signs a credential. `authority` is the recipient's own issuer certificate that goes with it.
    mutating func issue(
        to recipient: Issuance.Recipient, _ node: NodeID, _ key: PublicKey, _ roles: RoleList,
        by hand: IssuingHand, authority: Signed<IssuerCertificate>? = nil, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        let issuance = Issuance(
            recipient: recipient, anchor: hand.anchor, node: node, key: key, roles: roles,
            issuer: hand.issuer, authority: authority)
        makeCredential(issuance, at: now, into: &effects)
    }

    /// First of all an issuer certificate by the anchor, then the credential.
    mutating func makeAuthority(
        _ issuance: Issuance, giving roles: RoleList, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        let body = IssuerCertificate(
            domain: DomainID(suite.pin(of: issuance.anchor).digest), node: issuance.node, key: issuance.key,
            roles: roles, issued: now.wall, until: now.wall + Limits.issuerLifeMax)
        let payload = Octets(suite.encoded(body))
        order(issuance, .authority(body, payload), IssuerCertificate.kind, payload, .anchor, into: &effects)
    }

    private mutating func makeCredential(
        _ issuance: Issuance, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        // Never beyond what is above it.
        let most = now.wall + Limits.credentialLife
        let until = issuance.issuer.map { min(most, $0.body.until) } ?? most
        let body = Credential(
            domain: DomainID(suite.pin(of: issuance.anchor).digest), node: issuance.node,
            pin: suite.pin(of: issuance.key), roles: issuance.roles, issued: now.wall, until: until)
        let payload = Octets(suite.encoded(body))
        let hand: SigningHand = issuance.issuer == nil ? .anchor : .identity
        order(issuance, .credential(body, payload), Credential.kind, payload, hand, into: &effects)
    }

    private mutating func order(
        _ issuance: Issuance, _ draft: Issuance.Draft, _ kind: DocumentKind, _ payload: Octets,
        _ hand: SigningHand, into effects: inout Outbox<TrustEffect>
    ) {
        var issuance = issuance
        issuance.draft = draft
        let signing = newTicket()
        issuances[signing] = issuance
        effects.post(.sign(SigningRequest(ticket: signing, kind: kind, payload: payload, hand: hand)))
    }

    /// A signature for one of these came. False when it is for something else.
    mutating func takeIssuingSignature(
        _ ticket: Ticket, _ signature: DocumentSignature, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) -> Bool {
        if let making = tokensInTheMaking.remove(ticket) {
            let record = Signed(body: making.record, payload: making.payload, signatures: [signature])
            let facts = [
                Fact("roles", making.record.roles), Fact("uses", making.record.uses),
                Fact("until", RFC3339.text(making.record.until)),
            ]
            effects.post(.record(.domain(me.node, "join token made", facts)))
            effects.post(
                .answer(making.ticket, .token(JoinToken(record: record, domain: making.record.domain))))
            return true
        }
        guard var issuance = issuances.remove(ticket), let draft = issuance.draft else { return false }
        switch draft {
        case .authority(let body, let payload):
            issuance.authority = Signed(body: body, payload: payload, signatures: [signature])
            makeCredential(issuance, at: now, into: &effects)
        case .credential(let body, let payload):
            let credential = Signed(body: body, payload: payload, signatures: [signature])
            hand(over: issuance.chain(credential), issuance.recipient, at: now, into: &effects)
        }
        return true
    }

    /// What was asked for will not be signed: nobody waits for it any longer, and nothing stands on it.
    mutating func giveUp(_ ticket: Ticket, at now: Moment, into effects: inout Outbox<TrustEffect>) {
        let refusal = Refusal(.proofInvalid, [Fact("signing", "failed")])
        if let making = papersInTheMaking.remove(ticket) {
            return paperNotSigned(making, refusal, at: now, into: &effects)
        }
        if let making = tokensInTheMaking.remove(ticket) {
            return effects.post(.answer(making.ticket, .refused(refusal)))
        }
        var connection = signatures.remove(ticket)
        if let issuance = issuances.remove(ticket) {
            switch issuance.recipient {
            case .founder(let asked, _): effects.post(.answer(asked, .refused(refusal)))
            case .newcomer(let waiting): connection = waiting
            case .member(let node): effects.post(.tell(node, .notRenewed(refusal)))
            case .myself: break
            }
        }
        guard let connection else { return }
        advance(connection, at: now, into: &effects) { handshake, _, _ in handshake.abandon(refusal) }
    }

    private mutating func hand(
        over chain: CredentialChain, _ recipient: Issuance.Recipient, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        switch recipient {
        case .newcomer(let connection):
            advance(connection, at: now, into: &effects) { handshake, ground, suite in
                handshake.enrolled(chain, ground, using: suite)
            }
        case .member(let node): renewed(node, chain, at: now, into: &effects)
        case .founder(let ticket, let label):
            let domain = chain.credential.body.domain
            adopt(HomeDomain(domain: domain, label: label, chain: chain), at: now, into: &effects)
            effects.post(
                .record(.domain(me.node, "domain created", [Fact("domain", label), Fact("id", domain)])))
            effects.post(.answer(ticket, .founded(domain)))
        case .myself:
            guard let home = domains.home else { return }
            adopt(
                HomeDomain(domain: home.domain, label: home.label, chain: chain), at: now, into: &effects)
        }
    }
}

/// What an operator wants of a token.
public struct TokenOrder: Equatable, Sendable {
    /// The public half of the token's key pair, made by the shell.
    public let key: PublicKey
    /// What newcomers become.
    public let roles: RoleList
    /// From now; at most `Limits.tokenLifeMax`.
    public let life: Duration
    /// Keys for each issuer.
    public let uses: Int

    public init(key: PublicKey, roles: RoleList, life: Duration, uses: Int) {
        self.key = key
        self.roles = roles
        self.life = life
        self.uses = uses
    }
}

/// A token record that the anchor is asked to sign.
struct TokenInTheMaking: Equatable, Sendable {
    let ticket: Ticket
    let record: TokenRecord
    let payload: Octets
}
