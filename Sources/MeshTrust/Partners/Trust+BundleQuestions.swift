import MeshBase

// A peer's own word about its domain: asked over the link, answered with the bundle and the proof that the
// peer belongs there. It moves no trust; the operator decides by it.
extension Trust {
    /// How long a peer may take to show its domain's bundle.
    private static var patience: Duration { .seconds(5) }

    /// Asks a peer which domain it is in.
    mutating func askForBundle(
        _ node: NodeID, _ ticket: Ticket, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard pins.isTrusted(node) else {
            let state = pins[node]?.state.rawValue ?? "unknown"
            return effects.post(
                .answer(ticket, .refused(Refusal(.peerNotTrusted, [Fact("trust", state)]))))
        }
        bundleQuestions[ticket] = node
        deadlines.set(.bundleQuestion(ticket), at: now.instant + Self.patience)
        effects.post(.tell(node, .bundleWanted))
    }

    /// A link came up, or another connection carries it now: what was asked over the one before was lost.
    func askAgain(_ node: NodeID, into effects: inout Outbox<TrustEffect>) {
        for asked in bundleQuestions.values where asked == node { effects.post(.tell(node, .bundleWanted)) }
    }

    mutating func bundleDidNotCome(_ ticket: Ticket, into effects: inout Outbox<TrustEffect>) {
        guard let node = bundleQuestions.remove(ticket) else { return }
        let name = pins[node]?.name.description ?? node.brief
        let facts = [Fact("peer", name), Fact("waited", "\(Self.patience.wholeMilliseconds) ms")]
        effects.post(.answer(ticket, .refused(Refusal(.peerUnreachable, facts))))
    }

    /// Who is trusted and asks gets the bundle of this node's domain, which is public, and this node's proof
    /// that it belongs to it.
    mutating func giveBundle(to node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>) {
        guard mayAnswer(node, at: now) else {
            let facts = [
                Fact("answers at once", Self.answersAtOnce),
                Fact("then one each", "\(Self.answerPause.wholeMilliseconds) ms"),
            ]
            return effects.post(.tell(node, .bundleWithheld(Refusal(.limitReached, facts))))
        }
        guard let home = domains.home, let chain = domains.shown else {
            return effects.post(
                .tell(node, .bundleWithheld(Refusal(.domainMissing, [Fact("domains", 0)]))))
        }
        guard let bundle = domains.partners.bundles[home.domain] else {
            let facts = [Fact("domain", home.label), Fact("id", home.domain)]
            return effects.post(.tell(node, .bundleWithheld(Refusal(.bundleMissing, facts))))
        }
        effects.post(.tell(node, .bundleGiven(BundleAnswer(bundle: bundle, chain: chain))))
    }

    mutating func take(
        _ given: BundleAnswer, from peer: PeerRecord, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard let ticket = takeQuestion(to: peer.node) else { return }
        let body = given.bundle.body
        let known = domains.partners.partners.first { $0.domain == body.domain }
        if let flaw = PartnerBook.flaw(
            of: given.bundle, known: known.map(domains.partners.everyKey) ?? [], using: suite)
        {
            return effects.post(.answer(ticket, .refused(flaw)))
        }
        let named = AcceptedDomain(
            domain: body.domain, keys: body.keys.map { suite.pin(of: $0.key) }, roles: nil)
        let ground = CredentialGround(
            node: peer.node, key: peer.key, domains: [named], pins: pins, now: now.wall)
        switch given.chain.ruling(ground, using: suite) {
        case .refused(let refusal): effects.post(.answer(ticket, .refused(refusal)))
        case .allowed:
            let member = StoredCredential(node: peer.node, chain: given.chain)
            let offer = BundleOffer(given.bundle, from: member, using: suite)
            effects.post(.answer(ticket, .bundle(offer)))
        }
    }

    mutating func bundleWithheld(
        by node: NodeID, _ refusal: Refusal, into effects: inout Outbox<TrustEffect>
    ) {
        guard let ticket = takeQuestion(to: node) else { return }
        effects.post(.answer(ticket, .refused(refusal)))
    }

    private mutating func takeQuestion(to node: NodeID) -> Ticket? {
        guard let (ticket, _) = bundleQuestions.first(where: { $0.1 == node }) else { return nil }
        bundleQuestions[ticket] = nil
        deadlines.cancel(.bundleQuestion(ticket))
        return ticket
    }
}
