import MeshBase

// What the operator decides about other domains, where the anchor's key lies; and the bundle of its own.
extension Trust {
    // MARK: The own bundle

    /// Signs the first bundle of this node's domain where its anchor's key lies, or the next above
    /// `sequence`.
    mutating func keepBundle(
        above sequence: Int64 = 0, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard let home = domains.home, domains.anchor == home.chain.anchor,
            let certificate = domains.anchorCertificate,
            (domains.partners.bundles[home.domain]?.body.sequence ?? 0) <= sequence,
            !papersInTheMaking.values.contains(where: { $0.bundle != nil })
        else { return }
        let body = DomainBundle(
            domain: home.domain, label: home.label, issued: now.wall, sequence: sequence + 1,
            keys: [BundleKey(key: home.chain.anchor, certificate: certificate)])
        order(.bundle(body), DomainBundle.kind, Octets(suite.encoded(body)), into: &effects)
    }

    // MARK: Decisions

    /// One after the other: what is decided stands on what is in force, and never on what may not be signed.
    mutating func decide(
        _ order: PartnerOrder, _ ticket: Ticket, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        partnerOrders.append(PendingPartnerOrder(order: order, ticket: ticket))
        if partnerOrders.count == 1 { decideNext(at: now, into: &effects) }
    }

    /// What was decided while this clock ran ahead no member takes, once clocks are right: the same is signed
    /// once more, above it.
    mutating func redateDecision(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        guard let home = domains.home, domains.anchor == home.chain.anchor, unheard(in: home) == nil,
            let held = domains.partners.decided?.body, held.issued > now.wall + Limits.clockSkewRefused,
            partnerOrders.isEmpty, !papersInTheMaking.values.contains(where: \.isRedated)
        else { return }
        let decision = Partnerships(
            domain: held.domain, sequence: held.sequence + 1, issued: now.wall, partners: held.partners,
            forgotten: held.forgotten)
        order(.redated(decision), Partnerships.kind, Octets(suite.encoded(decision)), into: &effects)
    }

    /// Has the first order's decision signed; answers those before it that need none.
    private mutating func decideNext(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        guard !papersInTheMaking.values.contains(where: \.isRedated) else { return }
        while let next = partnerOrders.first {
            switch draft(of: next.order, at: now) {
            case .refused(let refusal):
                partnerOrders.removeFirst()
                if case .accept = next.order { effects.post(.record(.paperRefused(me.node, refusal))) }
                effects.post(.answer(next.ticket, .refused(refusal)))
            case .allowed(let decision) where decision.partners == domains.partners.partners:
                partnerOrders.removeFirst()
                finish(next.order, next.ticket, at: now, into: &effects)
            case .allowed(let decision):
                let payload = Octets(suite.encoded(decision))
                return order(.decision(decision), Partnerships.kind, payload, into: &effects)
            }
        }
    }

    /// What the anchor is to sign so that `order` is done.
    private func draft(of order: PartnerOrder, at now: Moment) -> Ruling<Partnerships> {
        guard let home = domains.home else { return .refused(Refusal(.domainMissing, [Fact("domains", 0)])) }
        guard domains.anchor == home.chain.anchor else {
            return .refused(
                Refusal(.anchorMissing, [Fact("domain", home.label), Fact("id", home.domain)]))
        }
        if let refusal = unheard(in: home) { return .refused(refusal) }
        var partners = domains.partners.partners
        var forgotten = domains.partners.decided?.body.forgotten ?? []
        switch order {
        case .forget(let domain):
            guard partners.contains(where: { $0.domain == domain }) else {
                let known = partners.map(\.label.description).joined(separator: ", ")
                return .refused(
                    Refusal(.partnerUnknown, [Fact("domain", domain), Fact("partners", known)]))
            }
            for partner in partners where partner.domain == domain {
                let number = domains.partners.sequence(of: partner)
                forgotten.append(ForgottenPartner(domain: domain, sequence: number))
            }
            partners.removeAll { $0.domain == domain }
        case .accept(let offer, let roles):
            let old = partners.first { $0.domain == offer.domain }
            if let refusal = refusal(of: offer, beside: old, home) { return .refused(refusal) }
            guard old != nil || partners.count < Limits.partnerDomains else {
                return .refused(
                    Refusal(
                        .limitReached,
                        [
                            Fact("partner domains", partners.count),
                            Fact("limit", Limits.partnerDomains),
                        ]))
            }
            partners.removeAll { $0.domain == offer.domain }
            partners.append(partner(offer, roles, in: old))
            forgotten.removeAll { $0.domain == offer.domain }
            partners.sort { $0.domain < $1.domain }
        }
        return .allowed(
            Partnerships(
                domain: home.domain, sequence: (domains.partners.decided?.body.sequence ?? 0) + 1,
                issued: now.wall,
                partners: partners,
                forgotten: forgotten.isEmpty ? nil : forgotten.suffix(Limits.partnersForgotten)))
    }

    /// What is decided about who makes an offer. Later bundles are held against its anchor, so a bundle from
    /// which that is gone leaves what was confirmed before, and follows it. Keys that nobody signed say
    /// nothing new of who is a partner; of a domain that was forgotten, they never stand for a bundle before
    /// the last that was known.
    private func partner(_ offer: BundleOffer, _ roles: RoleList?, in old: Partner?) -> Partner {
        guard offer.document != nil else {
            let least = max(offer.sequence, forgottenSequence(of: offer.domain) ?? 0)
            return Partner(
                domain: offer.domain, label: old?.label ?? offer.label, roles: roles,
                sequence: old?.sequence ?? least, bundle: old?.bundle, keys: old?.keys ?? offer.keys)
        }
        let hasAnchor = offer.keys.contains { suite.pin(of: $0).digest == offer.domain.digest }
        let base = hasAnchor ? nil : old
        return Partner(
            domain: offer.domain, label: offer.label, roles: roles,
            sequence: base?.sequence ?? offer.sequence, bundle: base.map(\.bundle) ?? offer.content,
            keys: base?.keys ?? offer.keys)
    }

    private func forgottenSequence(of domain: DomainID) -> Int64? {
        domains.partners.decided?.body.forgotten?.first { $0.domain == domain }?.sequence
    }

    /// Why what is offered makes no partner, or does not follow what is known of it.
    private func refusal(of offer: BundleOffer, beside old: Partner?, _ home: HomeDomain) -> Refusal? {
        guard offer.domain != home.domain else {
            return Refusal(.partnerIsHome, [Fact("domain", home.label), Fact("id", home.domain)])
        }
        guard let document = offer.document else { return nil }
        let known = old.map(domains.partners.everyKey) ?? []
        if let refusal = PartnerBook.flaw(of: document, known: known, using: suite) { return refusal }
        if let last = forgottenSequence(of: offer.domain), offer.sequence < last {
            return Refusal(
                .bundleOlder,
                [Fact("domain", offer.domain), Fact("sequence", offer.sequence), Fact("held", last)])
        }
        return domains.partners.staleness(of: offer.sequence, offer.content, in: offer.domain, using: suite)
    }

    /// The decision is in force: what came with it counts now. Its bundle is held already unless the same was
    /// decided before.
    private mutating func finish(
        _ order: PartnerOrder, _ ticket: Ticket, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        if case .accept(let offer, _) = order {
            if let document = offer.document { adopt(document, from: me.node, at: now, into: &effects) }
            if let member = offer.member, let peer = pins[member.node], peer.state == .trusted,
                case .allowed(let held) = ruling(on: member.chain, of: peer, at: now)
            {
                hold(held, of: member.node, at: now, into: &effects)
                present(to: member.node, into: &effects)
            }
        }
        effects.post(.answer(ticket, .done))
    }

    // MARK: Signatures

    private mutating func order(
        _ making: PaperInTheMaking.What, _ kind: DocumentKind, _ payload: Octets,
        into effects: inout Outbox<TrustEffect>
    ) {
        let signing = newTicket()
        papersInTheMaking[signing] = PaperInTheMaking(what: making, payload: payload)
        effects.post(.sign(SigningRequest(ticket: signing, kind: kind, payload: payload, hand: .anchor)))
    }

    /// A signature for one of these came. False when it is for something else.
    mutating func takePaperSignature(
        _ ticket: Ticket, _ signature: DocumentSignature, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) -> Bool {
        guard let making = papersInTheMaking.remove(ticket) else { return false }
        switch making.what {
        case .bundle(let body):
            let bundle = Signed(body: body, payload: making.payload, signatures: [signature])
            adopt(bundle, from: me.node, at: now, into: &effects)
        case .decision(let body):
            let decision = Signed(body: body, payload: making.payload, signatures: [signature])
            let reception = adopt(
                decision, confirming: partnerOrders.first?.order.document, from: me.node, at: now,
                into: &effects)
            decided(reception, at: now, into: &effects)
        case .redated(let body):
            let decision = Signed(body: body, payload: making.payload, signatures: [signature])
            adopt(decision, from: me.node, at: now, into: &effects)
            decideNext(at: now, into: &effects)
        }
        return true
    }

    /// A paper that was asked for will not be signed. A missing bundle is asked for again with time.
    mutating func paperNotSigned(
        _ making: PaperInTheMaking, _ refusal: Refusal, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        switch making.what {
        case .bundle: break
        case .decision: decided(.refused(refusal), at: now, into: &effects)
        case .redated: decideNext(at: now, into: &effects)
        }
    }

    /// What became of the decision for the order whose turn it is.
    private mutating func decided(
        _ reception: PartnerBook.Reception, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        switch reception {
        // A member brought a later decision meanwhile: the order is decided once more, on top of it.
        case .known: break
        case .adopted:
            let done = partnerOrders.removeFirst()
            finish(done.order, done.ticket, at: now, into: &effects)
        case .refused(let refusal):
            effects.post(.answer(partnerOrders.removeFirst().ticket, .refused(refusal)))
        }
        decideNext(at: now, into: &effects)
    }
}

/// What an operator decides about another domain.
public enum PartnerOrder: Equatable, Sendable {
    /// Trust its members, or with `roles` those that hold one of them; in place of what was decided before.
    case accept(BundleOffer, roles: RoleList?)
    /// Trust none of them.
    case forget(DomainID)

    /// The signed bundle by which it is ordered.
    var document: Signed<DomainBundle>? {
        if case .accept(let offer, _) = self { offer.document } else { nil }
    }
}

/// What an operator was shown of another domain, and may say yes to.
public struct BundleOffer: Equatable, Sendable {
    /// Which domain.
    public let domain: DomainID
    /// How its people call it.
    public let label: NodeName
    /// The bundle's number.
    public let sequence: Int64
    /// The domain's keys.
    public let keys: [PublicKey]
    /// SHA-256 of the bundle's payload, or of the file that nobody signed.
    public let content: Digest
    /// The signed bundle; nil: nobody signed it, and people compared the domain's ID.
    public let document: Signed<DomainBundle>?
    /// The peer that showed it, and its proof that it belongs to the domain; nil: it came in a file.
    public let member: StoredCredential?

    /// A signed bundle.
    public init(
        _ document: Signed<DomainBundle>, from member: StoredCredential? = nil,
        using suite: some SignatureSuite
    ) {
        domain = document.body.domain
        label = document.body.label
        sequence = document.body.sequence
        keys = document.body.keys.map(\.key)
        content = document.contentID(using: suite)
        self.document = document
        self.member = member
    }

    /// One that nobody signed, of which nothing is taken but the key that people named: the anchor, whose
    /// pin is the domain's ID. Its other keys and its number are anybody's word, and come with a signed one.
    public init(
        bare anchor: PublicKey, label: NodeName, content: Digest, using suite: some SignatureSuite
    ) {
        domain = DomainID(suite.pin(of: anchor).digest)
        self.label = label
        sequence = 1
        keys = [anchor]
        self.content = content
        document = nil
        member = nil
    }
}
