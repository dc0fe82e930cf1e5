import MeshBase

/// The house agreement of this node's domain: how it comes, how it spreads, and what the evaluator is told.
extension AgreementBook {
    /// The newest house agreement of this node's own domain; nil when it is in none, or none has come yet.
    public var house: HouseDocument? { memberships[me].flatMap { houses.document(of: $0.domain) } }

    /// What credentials prove of `node` now.
    public func membership(of node: NodeID) -> Membership? { memberships[node] }

    /// A membership began, changed or ended: whoever shares a domain now is told what is held here.
    mutating func change(
        _ membership: Membership?, of node: NodeID, at now: WallTime, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        memberships[node] = membership
        for peer in node == me ? files.keys : [node] {
            nameHouse(to: peer, at: now, using: suite, into: &effects)
        }
        effects.post(.changed(node))
    }

    /// Says to `peer` which house agreement is held here, if both are members of one domain.
    func nameHouse(
        to peer: NodeID, at now: WallTime, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        guard let domain = sharedDomain(with: peer, at: now) else { return }
        let held = houses.document(of: domain)?.agreement.contentID(using: suite)
        effects.post(.send(peer, .houseHeld(held)))
    }

    /// Makes the first house agreement of the anchor's domain, or the next where two thirds of the one that
    /// is held are over; nothing while one is being signed.
    mutating func makeHouse(
        by anchor: PublicKey, at now: WallTime, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        let isUnderWay = errands.values.contains { errand in
            if case .house = errand { return true }
            return false
        }
        let domain = DomainID(suite.pin(of: anchor).digest)
        let held = houses.document(of: domain)?.body
        guard !isUnderWay, held.map({ !Self.isFresh($0, at: now) }) ?? true,
            held?.version ?? 0 < AgreementLimits.versionMax
        else { return }
        let body = HouseAgreement(
            domain: domain, version: (held?.version ?? 0) + 1, issued: now,
            until: now + AgreementLimits.houseLife)
        let payload = Octets(suite.encoded(body))
        order(.house(body, anchor: anchor, payload: payload), over: payload, into: &effects)
    }

    /// One that was made while the anchor's clock ran ahead is none that members take: another is due then.
    private static func isFresh(_ house: HouseAgreement, at now: WallTime) -> Bool {
        house.issued <= now + Limits.clockSkewRefused
            && now < house.issued + (house.until - house.issued) * 2 / 3
    }

    /// A house agreement that this node made, or was given with its enrolment.
    mutating func adopt(
        _ document: HouseDocument, from peer: NodeID, at now: Moment, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        let body = document.body
        func note(_ action: AgreementAction, _ refusals: [Refusal] = []) {
            effects.post(
                .record(AgreementNotice(peer: peer, action: action, house: document, refusals, using: suite)))
        }
        switch houses.take(document, at: now.wall, using: suite) {
        case .known: break
        case .early(let refusal), .invalid(let refusal): note(.houseReceived, [refusal])
        case .adopted(let before):
            effects.post(.persistHouse(document))
            note(before == nil ? .houseReceived : .houseReplaced)
            for other in files.keys
            where other != peer && sharedDomain(with: other, at: now.wall) == body.domain {
                effects.post(.send(other, .house(document)))
            }
            effects.post(.changed(me))
        }
    }

    /// A peer says which house agreement it holds, or sends its own. Whoever holds the newer one sends it,
    /// and who holds none asks for it, whichever of them knows last that both are members. Of who is no
    /// member now nothing counts, and nothing is held against it: it may know of a membership that this node
    /// does not know of yet.
    mutating func hearHouse(
        _ message: HouseMessage, from peer: NodeID, at now: Moment, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        guard let domain = sharedDomain(with: peer, at: now.wall) else { return }
        let own = houses.document(of: domain)
        switch message {
        case .held(let contentID):
            guard own?.agreement.contentID(using: suite) != contentID,
                mayAnswerHouse(of: peer, at: now.instant)
            else { return }
            effects.post(.send(peer, own.map { .house($0) } ?? .houseHeld(nil)))
        case .document(let document):
            guard document.body.domain == domain else { return }
            if let own, own.isNewer(than: document, using: suite) {
                guard mayAnswerHouse(of: peer, at: now.instant) else { return }
                return effects.post(.send(peer, .house(own)))
            }
            guard own != document, takesCheck(of: peer, at: now.instant) else { return }
            adopt(document, from: peer, at: now, using: suite, into: &effects)
        }
    }

    /// What a peer says about the house agreement.
    enum HouseMessage {
        case held(Digest?)
        case document(HouseDocument)
    }

    /// The domain in which both are members at `wall`; nil when there is none, or `peer` is not trusted.
    private func sharedDomain(with peer: NodeID, at wall: WallTime) -> DomainID? {
        guard files[peer]?.key != nil, let mine = memberships[me],
            mine.isShared(with: memberships[peer], at: wall)
        else { return nil }
        return mine.domain
    }

    /// Takes leave to send a peer the whole document because it asks.
    private mutating func mayAnswerHouse(of peer: NodeID, at now: Instant) -> Bool {
        files.update(peer) { file in
            file.houseAnswers.take(
                of: AgreementLimits.houseAnswersAtOnce, every: AgreementLimits.houseAnswerInterval, at: now)
        } ?? false
    }
}
