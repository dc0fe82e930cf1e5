import MeshBase

/// This node offers: by order of its operator, and `echo` by itself.
extension AgreementBook {
    /// Checks an operator's offer and has it signed.
    mutating func offer(
        _ request: OfferRequest, for ticket: Ticket, at now: Moment, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        let asked = request.asking(configuration.approvalsRequired)
        var refusals: [Refusal] = []
        if files[request.peer]?.key == nil {
            refusals.append(Refusal(.peerNotTrusted, [Fact("peer", request.peer)]))
        }
        if let refusal = AgreementLimits.refusal(ofLife: request.life) { refusals.append(refusal) }
        let highest = request.replaces.map { highestVersion(of: $0, with: request.peer) }
        if let replaces = request.replaces, highest == 0 {
            refusals.append(Refusal(.nothingFound, [Fact("agreement", replaces)]))
        }
        if let earlier = request.replaces.flatMap({ latest(of: $0, with: request.peer) }),
            earlier.source != me
        {
            refusals.append(
                Refusal(
                    .partyMismatch, [Fact("provider until now", earlier.source), Fact("this node", me)]))
        }
        if let revocation = request.replaces.flatMap({ self.revocation(of: $0, with: request.peer) }) {
            refusals.append(Refusal(.agreementEnded, revocation.facts))
        }
        let agreement = draft(
            asked, id: request.replaces ?? AgreementID(using: &generator), version: (highest ?? 0) + 1,
            at: now.wall)
        if refusals.isEmpty, !agreement.isWellFormed {
            refusals.append(
                Refusal(
                    .documentInvalid,
                    [
                        Fact("grants", request.grants.count), Fact("grants at most", AgreementLimits.grants),
                        Fact("names in a condition at most", AgreementLimits.namesPerCondition),
                        Fact("calls of a rate at most", AgreementLimits.rateMax),
                        Fact("calls of a quota at most", AgreementLimits.quotaMax),
                        Fact("hops at most", AgreementLimits.hopsMax),
                        Fact("version", agreement.version),
                        Fact("version at most", AgreementLimits.versionMax),
                    ]))
        }
        if refusals.isEmpty, !makeRoom(with: request.peer, at: now.wall, into: &effects) {
            refusals.append(limitRefusal)
        }
        guard refusals.isEmpty else {
            effects.post(.answered(ticket, .refused(refusals)))
            return
        }
        order(agreement, to: request.peer, origin: .byOperator, ticket: ticket, using: suite, into: &effects)
    }

    /// Offers `echo` to a trusted peer unless that is done: once, again when it is over or past two thirds
    /// of its life, never again after the peer said no or either revoked it. That it judged the dates
    /// otherwise, as when a clock here ran ahead, was no such word. A version that the operator put in its
    /// place stands until it is over.
    mutating func offerBuiltIn(
        to peer: NodeID, at now: Moment, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        // Where people approve what this node signs, it offers nothing by itself.
        guard configuration.echoOffer == .trustedPeers, configuration.approvalsRequired.isEmpty,
            let file = files[peer], file.key != nil
        else { return }
        let isUnderWay = errands.values.contains { errand in
            guard case .offer(_, peer, .builtIn, _, _) = errand else { return false }
            return true
        }
        guard !isUnderWay else { return }
        let own = file.records.values.filter { $0.origin == .builtIn }
            .max { $0.agreement.version < $1.agreement.version }
        let last = file.records.values.last { record in
            record.agreement.id == own?.agreement.id && (record.origin == .builtIn || record.isSignedByBoth)
        }
        if let last {
            guard revocation(of: last.agreement.id, with: peer) == nil else { return }
            switch last.state {
            case .ended(.rejected(let refusals)):
                guard !refusals.isEmpty, refusals.allSatisfy(Self.isOfClocks) else { return }
            case .ended(.revoked), .ended(.vetoed): return
            case .ended(.replaced): break
            case .offered, .signed, .active:
                let isBuiltIn = last.origin == .builtIn
                let date = isBuiltIn ? Self.renewal(of: last.agreement) : last.agreement.validUntil
                guard now.wall >= date else { return }
            }
        }
        guard makeRoom(with: peer, at: now.wall, into: &effects) else { return }
        let request = OfferRequest(
            peer: peer, grants: [Grant(resource: .echo, capabilities: nil)], life: AgreementLimits.builtInLife
        )
        let agreement = draft(
            request, id: last?.agreement.id ?? AgreementID(using: &generator),
            version: (last.map { highestVersion(of: $0.agreement.id, with: peer) } ?? 0) + 1, at: now.wall)
        guard agreement.isWellFormed else { return }
        order(agreement, to: peer, origin: .builtIn, ticket: nil, using: suite, into: &effects)
    }

    private static func isOfClocks(_ refusal: Refusal) -> Bool {
        refusal.code == .clockSkew || refusal.code == .agreementExpired
    }

    /// Keeps and sends what is signed now.
    mutating func dispatch(
        _ agreement: Agreement, to peer: NodeID, origin: AgreementOrigin, payload: Octets, ticket: Ticket?,
        signature: DocumentSignature, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        // It may have been revoked while this one was signed.
        if let ended = revocation(of: agreement.id, with: peer) {
            let refusal = Refusal(.agreementEnded, [Fact("agreement", agreement.id)] + ended.facts)
            if let ticket { effects.post(.answered(ticket, .refused([refusal]))) }
            return
        }
        let document = Signed(body: agreement, payload: payload, signatures: [signature])
        let record = AgreementRecord(
            contentID: document.contentID(using: suite), peer: peer, document: document, state: .offered,
            origin: origin)
        settle(record, as: .offered, into: &effects)
        effects.post(.send(peer, .offer(document)))
        if let ticket { effects.post(.answered(ticket, .done(record))) }
    }

    /// Says again what `peer` has not answered and is not over.
    mutating func repeatOffers(
        to peer: NodeID, at now: WallTime, into effects: inout Outbox<AgreementEffect>
    ) {
        guard let file = files[peer], file.key != nil else { return }
        for record in file.records.values where record.isUnanswered(at: now) {
            effects.post(.send(peer, .offer(record.document)))
        }
    }

    /// The highest version of `id` that was ever known with `peer`; 0 when there is none.
    func highestVersion(of id: AgreementID, with peer: NodeID) -> Int64 {
        let damaged = files[peer]?.damaged.values.filter { $0.id == id }.map(\.version).max()
        return max(latest(of: id, with: peer)?.version ?? 0, damaged ?? 0)
    }

    private func latest(of id: AgreementID, with peer: NodeID) -> Agreement? {
        files[peer]?.records.values.last { $0.agreement.id == id }?.agreement
    }

    /// What is said when a peer's records take all the room there is.
    var limitRefusal: Refusal {
        Refusal(.limitReached, [Fact("agreements with one peer at most", Limits.agreementsPerPeer)])
    }

    private func draft(_ request: OfferRequest, id: AgreementID, version: Int64, at now: WallTime)
        -> Agreement
    {
        Agreement(
            id: id, version: version, source: me, target: request.peer, grants: request.grants,
            conditions: request.conditions, approvals: request.approvals,
            commitments: request.commitments, limits: request.limits,
            callsAtEnd: request.callsAtEnd, validFrom: request.validFrom ?? now - Limits.clockSkewRefused,
            validUntil: now + request.life,
            createdBy: me, created: now)
    }

    private mutating func order(
        _ agreement: Agreement, to peer: NodeID, origin: AgreementOrigin, ticket: Ticket?,
        using suite: some SignatureSuite, into effects: inout Outbox<AgreementEffect>
    ) {
        let payload = Octets(suite.encoded(agreement))
        order(
            .offer(agreement, to: peer, origin: origin, payload: payload, operatorTicket: ticket),
            over: payload,
            into: &effects)
    }
}
