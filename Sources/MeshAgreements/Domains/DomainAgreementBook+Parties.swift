import MeshBase

// Who belongs to a party, who signs for it, and who may know of what it agreed.
extension DomainAgreementBook {
    /// Whether `node` is one of a party now.
    func belongs(_ node: NodeID, to party: AgreementParty, at now: WallTime) -> Bool {
        party.includes(node, memberships[node], until: now)
    }

    /// Whether `node` may sign for a party now.
    func maySign(_ node: NodeID, for party: AgreementParty, at now: WallTime) -> Bool {
        guard belongs(node, to: party, at: now) else { return false }
        return party.domain == nil || memberships[node]?.holds(.agree) == true
    }

    /// The parties of `agreement` to which `node` belongs now, the provider first.
    func sides(of node: NodeID, in agreement: Agreement, at now: WallTime) -> [AgreementParty] {
        [agreement.source, agreement.target].filter { belongs(node, to: $0, at: now) }
    }

    /// The party with which this node has it: the provider where it belongs to both, or to neither.
    func otherParty(in agreement: Agreement, at now: WallTime) -> AgreementParty {
        belongs(me, to: agreement.source, at: now) ? agreement.target : agreement.source
    }

    /// Whether `peer` may be told of a record: an offer is between those who may sign it, all else concerns
    /// every member of either party. Who is not trusted, or not proved a member now, is told nothing.
    func mayKnow(_ peer: NodeID, of record: DomainAgreementRecord<Chain>, at now: WallTime) -> Bool {
        guard peers[peer] != nil else { return false }
        let parties = [record.agreement.source, record.agreement.target]
        guard parties.contains(where: { belongs(me, to: $0, at: now) }) else { return false }
        return parties.contains { party in
            record.content.stage.isSignedByBoth
                ? belongs(peer, to: party, at: now) : maySign(peer, for: party, at: now)
        }
    }

    /// Why this node may not sign for the party that it is, or belongs to; nil when it may.
    func objection(toSigningFor party: AgreementParty, at now: WallTime) -> Refusal? {
        guard !maySign(me, for: party, at: now) else { return nil }
        guard belongs(me, to: party, at: now) else {
            return Refusal(.partyMismatch, [Fact("party", party), Fact("this node", me)])
        }
        let roles = memberships[me]?.roles.map(\.description).joined(separator: ", ") ?? "none"
        return Refusal(
            .agreeRoleMissing,
            [Fact("node", me), Fact("party", party), Fact("roles", roles), Fact("wanted", DomainRole.agree)])
    }

    /// Takes leave to check the signatures of what `peer` shows; false when its share is used up, and it is
    /// asked again soon.
    mutating func takesChecks(_ count: Int, of peer: NodeID, at now: Instant) -> Bool {
        let perSecond = Limits.signatureChecksPerSecond
        let mayCheck =
            peers.update(peer) { file in
                file.checks.take(count, of: perSecond, every: .seconds(1) / perSecond, at: now)
            } ?? false
        if !mayCheck { reminders.set(peer, at: now + AgreementLimits.domainAgreementsPause) }
        return mayCheck
    }

    /// Takes leave to answer a list of `peer`.
    mutating func mayAnswer(_ peer: NodeID, at now: Instant) -> Bool {
        peers.update(peer) { file in
            file.lists.take(
                of: AgreementLimits.domainListsAtOnce, every: AgreementLimits.domainListInterval, at: now)
        } ?? false
    }

    /// The agreements of which a version that is held may still count, by its date. Of all others none needs
    /// to be told, and all versions may be forgotten together; while one lives, those that are over keep it
    /// in its place.
    func living(at now: WallTime) -> Set<MeterKey> {
        Set(
            held.values.map(\.agreement).filter { $0.validUntil + Limits.clockSkewRefused >= now }
                .map(MeterKey.init))
    }

    /// Makes room for one more with `party`, where a bound is met, by what relieves that bound: agreements of
    /// which every version is over and offers that came to nothing, of the same party where the bound is the
    /// party's. A no is forgotten last, one whose time still runs behind all else. Nil when there is room,
    /// else why not.
    mutating func makeRoom(
        for agreement: Agreement, stage: DomainAgreementStage, at now: WallTime,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) -> Refusal? {
        let party = otherParty(in: agreement, at: now)
        let living = living(at: now)
        /// What is held under the tightest bound that is met; nil: none is.
        func crowd() -> [DomainAgreementRecord<Chain>]? {
            let ofParty = held.values.filter { otherParty(in: $0.agreement, at: now) == party }
            let offers = ofParty.filter { !$0.content.stage.isSignedByBoth }
            if !stage.isSignedByBoth, offers.count >= AgreementLimits.domainOffersPerParty { return offers }
            if ofParty.count >= AgreementLimits.domainAgreementsPerParty { return ofParty }
            return held.count >= AgreementLimits.domainAgreements ? held.values : nil
        }
        var crowded = crowd()
        while let records = crowded {
            let over = records.filter { !living.contains(MeterKey($0.agreement)) }
            let needless =
                over.first { $0.content.stage != .ended } ?? over.first
                ?? records.first { $0.content.stage == .withdrawn }
            guard let needless else { break }
            held.remove(needless.contentID)
            isStale = true
            effects.post(.forget(needless.contentID))
            crowded = crowd()
        }
        guard crowded != nil else { return nil }
        return Refusal(
            .limitReached,
            [
                Fact("party", party), Fact("agreements of domains", held.count),
                Fact("at most", AgreementLimits.domainAgreements),
                Fact("with one party at most", AgreementLimits.domainAgreementsPerParty),
                Fact("offers of one party at most", AgreementLimits.domainOffersPerParty),
            ])
    }
}
