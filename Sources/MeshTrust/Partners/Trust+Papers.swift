import MeshBase

/// Papers travel between those whom they concern: the home's decision and all bundles among its members; with
/// a member of a partner domain the bundles of the two, and nothing else.
///
/// Each says by content id which of them it holds, when a link comes up, when a membership becomes known and
/// every `DomainBundle.refreshHint`; who holds one that is not named sends it. Both say so, so both come to
/// hold the newer one of each, in whatever order it came to them; what is newer goes on at once to all
/// others.
extension Trust {
    /// What this node may show to who is what `membership` says; nothing once that, or its own, is over, even
    /// where a clock has leapt and nobody has been looked at since.
    private func papers(for membership: Membership, at now: Moment) -> [DomainPaper] {
        guard let home = domains.home, let own = domains.own?.membership,
            now.wall < min(membership.until, own.until)
        else {
            return []
        }
        let book = domains.partners
        guard membership.domain != home.domain else {
            // The decision first: a partner's bundle counts for nothing before it.
            return [book.decided].compactMap { $0.map { .partnerships($0) } }
                + book.bundles.values.map { .bundle($0) }
        }
        return [home.domain, membership.domain].compactMap { book.bundles[$0].map { .bundle($0) } }
    }

    /// Says to `node` which papers are held here.
    func namePapers(to node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>) {
        guard pins.isTrusted(node), let membership = domains.members[node]?.membership else { return }
        let held = papers(for: membership, at: now).map { $0.contentID(using: suite) }
        effects.post(.tell(node, .papersHeld(HeldPapers(held))))
    }

    mutating func hear(
        _ held: HeldPapers, from node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard let membership = domains.members[node]?.membership else { return }
        if membership.domain == domains.home?.domain {
            let own = papers(for: membership, at: now).map { $0.contentID(using: suite) }
            papersMissed = held.papers.filter { !own.contains($0) }
        }
        guard mayAnswer(node, at: now) else { return }
        let known = held.papers
        for paper in papers(for: membership, at: now) where !known.contains(paper.contentID(using: suite)) {
            effects.post(.tell(node, .paper(paper)))
        }
    }

    mutating func hear(
        _ paper: DomainPaper, from node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard let home = domains.home, let membership = domains.members[node]?.membership,
            mayCheckPaper(of: node, at: now)
        else { return }
        let isMember = membership.domain == home.domain
        if isMember {
            let came = paper.contentID(using: suite)
            papersMissed?.removeAll { $0 == came }
        }
        switch paper {
        case .partnerships(let decision):
            guard isMember else { return }
            adopt(decision, from: node, at: now, into: &effects)
        case .bundle(let bundle):
            guard isMember || [home.domain, membership.domain].contains(bundle.body.domain),
                mayTake(bundle, at: now)
            else { return }
            adopt(bundle, from: node, at: now, into: &effects)
        }
    }

    // MARK: What is newer

    /// A decision of the home domain, made here or brought by a member. `confirmed`: the bundle that it was
    /// made about. That is kept first, for the process may end between the two: the order is then not done,
    /// and nothing is in force by a bundle that nobody holds.
    @discardableResult
    mutating func adopt(
        _ decision: Signed<Partnerships>, confirming confirmed: Signed<DomainBundle>? = nil,
        from node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) -> PartnerBook.Reception {
        guard let home = domains.home else { return .known }
        let bundlesBefore = domains.partners.bundles.keys
        let before = domains.partners.partners
        recordTwin(of: decision, from: node, home, into: &effects)
        let reception = domains.partners.take(decision, home: home, at: now.wall, using: suite)
        switch reception {
        case .known: break
        case .refused(let refusal): effects.post(.record(.paperRefused(node, refusal)))
        case .adopted:
            let taken = confirmed.map { domains.partners.take($0, home: home, using: suite) }
            if let confirmed, case .adopted = taken { effects.post(.persist(.bundle(confirmed))) }
            effects.post(.persist(.partnerships(decision)))
            for domain in bundlesBefore where domains.partners.bundles[domain] == nil {
                effects.post(.persist(.bundleGone(domain)))
            }
            for event in changes(from: before, to: decision.body.partners) {
                effects.post(.record(.domain(node, event.what, event.facts)))
            }
            bundleTakes.removeAll { domain, _ in decision.body.partner(domain) == nil }
            pass(.partnerships(decision), except: node, at: now, into: &effects)
            if let confirmed, case .adopted(let replaced) = taken {
                tellOf(confirmed, replacing: replaced, from: node, at: now, into: &effects)
            }
            acceptedDomainsChanged(at: now, into: &effects)
            // A bundle that came before its decision counted for nothing: whoever brought this holds it.
            if decision.body.partners.contains(where: { domains.partners.bundles[$0.domain] == nil }) {
                namePapers(to: node, at: now, into: &effects)
            }
        }
        return reception
    }

    /// The anchor signed two decisions of one number, as in a home that was put back: people should know that
    /// one of them is lost.
    private func recordTwin(
        of decision: Signed<Partnerships>, from node: NodeID, _ home: HomeDomain,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard let held = domains.partners.decided, held.body.sequence == decision.body.sequence,
            held.payload != decision.payload, decision.body.domain == home.domain,
            decision.isSigned(by: home.chain.anchor, using: suite)
        else { return }
        let facts = [
            Fact("domain", home.label), Fact("sequence", decision.body.sequence),
            Fact("content", decision.contentID(using: suite)), Fact("held", held.contentID(using: suite)),
        ]
        effects.post(.record(.domain(node, "two decisions of one number", facts)))
    }

    /// Why nothing is decided here yet: this home was put back from a backup, and may have lost what it
    /// decided since. A member knows; a domain without others has none to ask.
    func unheard(in home: HomeDomain) -> Refusal? {
        let others = pins.peers.values.filter { peer in
            [.trusted, .verified].contains(peer.state)
                && (peer.domain ?? domains.members[peer.node]?.membership.domain) == home.domain
        }
        guard origin == .backup, papersMissed != [], !others.isEmpty else { return nil }
        let names = others.prefix(8).map(\.name.description).joined(separator: ", ")
        return Refusal(
            .domainUnheard,
            [Fact("domain", home.label), Fact("members", names), Fact("missing", papersMissed?.count ?? 0)])
    }

    /// A bundle of the home or of a partner, made here, imported or brought by a peer.
    mutating func adopt(
        _ bundle: Signed<DomainBundle>, from node: NodeID, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard let home = domains.home else { return }
        let before = domains.accepted(using: suite)
        switch domains.partners.take(bundle, home: home, using: suite) {
        case .known: break
        case .refused(let refusal) where refusal.code == .bundleOlder && node != me.node:
            giveLater(than: bundle, to: node, at: now, into: &effects)
        case .refused(let refusal):
            effects.post(.record(.paperRefused(node, refusal)))
            // The anchor signed this number before, in a home that was put back: it goes on above both.
            if refusal.code == .bundleConflict, bundle.body.domain == home.domain {
                keepBundle(above: bundle.body.sequence, at: now, into: &effects)
            }
        case .adopted(let replaced):
            effects.post(.persist(.bundle(bundle)))
            tellOf(bundle, replacing: replaced, from: node, at: now, into: &effects)
            if domains.accepted(using: suite) != before { acceptedDomainsChanged(at: now, into: &effects) }
        }
    }

    /// A bundle is held from now on.
    private func tellOf(
        _ bundle: Signed<DomainBundle>, replacing replaced: Int64?, from node: NodeID, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        let facts = [
            Fact("domain", bundle.body.label), Fact("id", bundle.body.domain),
            Fact("sequence", bundle.body.sequence), Fact("before", replaced ?? 0),
            Fact("keys", bundle.body.keys.count),
        ]
        effects.post(.record(.domain(node, "bundle taken", facts)))
        pass(.bundle(bundle), except: node, at: now, into: &effects)
    }

    /// Who was away brings in good faith what has been followed since: that is no attack, and what followed
    /// is the answer.
    private mutating func giveLater(
        than bundle: Signed<DomainBundle>, to node: NodeID, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard let membership = domains.members[node]?.membership,
            let held = domains.partners.bundles[bundle.body.domain],
            papers(for: membership, at: now).contains(.bundle(held)), mayAnswer(node, at: now)
        else { return }
        effects.post(.tell(node, .paper(.bundle(held))))
    }

    /// What became of each partner, for the audit.
    private func changes(from old: [Partner], to new: [Partner]) -> [(what: String, facts: [Fact])] {
        func facts(_ partner: Partner) -> [Fact] {
            [
                Fact("domain", partner.label), Fact("id", partner.domain),
                Fact("roles", partner.roles?.description ?? "all members"),
                Fact("sequence", partner.sequence),
            ]
        }
        let kept = new.compactMap { partner -> (String, [Fact])? in
            guard let before = old.first(where: { $0.domain == partner.domain }) else {
                return ("partner domain accepted", facts(partner))
            }
            return before == partner ? nil : ("partner domain changed", facts(partner))
        }
        let gone = old.filter { partner in !new.contains { $0.domain == partner.domain } }
        return kept + gone.map { ("partner domain forgotten", facts($0)) }
    }

    /// Sends a paper on to everyone but `node` who may see it.
    private func pass(
        _ paper: DomainPaper, except node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        for (other, held) in domains.members where other != node && pins.isTrusted(other) {
            guard papers(for: held.membership, at: now).contains(paper) else { continue }
            effects.post(.tell(other, .paper(paper)))
        }
    }

    /// Whose credentials count has changed: what no longer counts ends in this turn, and strangers that were
    /// refused, or refused this node, are worth another dial.
    private mutating func acceptedDomainsChanged(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        reassess(all: true, at: now, into: &effects)
        // Who was trusted before may be a member of what is accepted now.
        for peer in pins.peers.values where peer.state == .trusted && domains.members[peer.node] == nil {
            present(to: peer.node, into: &effects)
        }
        if seeking == .members { effects.post(.seek(seeking)) }
    }

    /// Who had proved to be of a partner domain refused this node: perhaps its domain has not decided yet.
    mutating func noteDecline(_ handshake: Handshake, _ denial: Denial, at now: Moment) {
        guard let node = handshake.provedNode, let domain = handshake.provedDomain,
            domain != domains.home?.domain
        else { return }
        domains.partners.declined[domain] = PartnerRefusal(node: node, code: denial.code, time: now.wall)
    }

    // MARK: Time and limits

    /// Sets the next round, unless one is due already.
    mutating func schedulePapers(at now: Moment) {
        guard domains.home != nil, deadlines[.papers] == nil else { return }
        deadlines.set(.papers, at: now.instant + DomainBundle.refreshHint)
    }

    mutating func repeatPapers(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        keepBundle(at: now, into: &effects)
        for node in domains.members.keys { namePapers(to: node, at: now, into: &effects) }
        schedulePapers(at: now)
    }

    /// Checking costs signatures: all papers that a member can hold at once, and one a second after that.
    private mutating func mayCheckPaper(of node: NodeID, at now: Moment) -> Bool {
        take(from: \.paperChecks, of: node, burst: HeldPapers.most, every: .seconds(1), at: now)
    }

    /// A later bundle goes on to all members: of each partner two at once, and one each ten seconds after
    /// that. What comes beside is asked for again in the next round.
    private mutating func mayTake(_ bundle: Signed<DomainBundle>, at now: Moment) -> Bool {
        let domain = bundle.body.domain
        guard domains.partners.partners.contains(where: { $0.domain == domain }),
            domains.partners.bundles[domain]?.payload != bundle.payload
        else { return true }
        return bundleTakes[domain].take(of: 2, every: .seconds(10), at: now.instant)
    }

    /// Answers may be long: so many at once, and one each pause after that.
    mutating func mayAnswer(_ node: NodeID, at now: Moment) -> Bool {
        take(
            from: \.paperAnswers, of: node, burst: Self.answersAtOnce, every: Self.answerPause, at: now)
    }

    static var answersAtOnce: Int { 8 }
    static var answerPause: Duration { .seconds(10) }

    private mutating func take(
        from buckets: WritableKeyPath<Self, OrderedTable<NodeID, TokenBucket>>, of node: NodeID, burst: Int,
        every interval: Duration, at now: Moment
    ) -> Bool {
        self[keyPath: buckets][node].take(of: burst, every: interval, at: now.instant)
    }
}
