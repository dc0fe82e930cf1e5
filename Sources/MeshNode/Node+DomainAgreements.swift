import MeshAgreements
import MeshBase
import MeshTrust

// Agreements in which a domain is a party: the book knows the documents, trust the chains of who signed.
extension Node {
    mutating func tell(
        _ input: DomainAgreementInput<CredentialChain>, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        var outbox = Outbox<DomainAgreementEffect<CredentialChain>>()
        domainAgreements.handle(
            input, at: now, judging: ChainJudge(trust: trust, suite: suite), using: suite, into: &outbox)
        for effect in outbox.drain() { perform(effect, at: now, into: &effects) }
    }

    private mutating func perform(
        _ effect: DomainAgreementEffect<CredentialChain>, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        switch effect {
        case .sign(let request): sign(request, for: .domainAgreements(request.ticket), into: &effects)
        case .persist(let record): effects.post(.persist(.domainAgreement(record)))
        case .forget(let contentID): effects.post(.persist(.domainAgreementForgotten(contentID)))
        // An offer waits for one of few, and what came of it for who signed first; all else comes by whatever
        // links there are, from member to member.
        case .send(let node, .shown(let content))
        where !content.stage.isSignedByBoth || content.isSigned(by: node, using: suite):
            sendSurely(.domainAgreement(.shown(content)), to: node, at: now, into: &effects)
        case .send(let node, let message): send(.domainAgreement(message), to: node, into: &effects)
        case .changed:
            isViewStale = true
            for peer in trust.pins.peers.values where peer.state == .trusted {
                refreshOffers(to: peer.node, at: now, into: &effects)
            }
        case .record(let notice): tell(notice, at: now, into: &effects)
        case .answered(let ticket, .done(let record)):
            effects.post(.answer(ticket, .domainAgreed(record)))
        case .answered(let ticket, .refused(let refusals)): effects.post(.answer(ticket, .refused(refusals)))
        }
    }

    /// What the store gives back is taken up where it is as it was signed; what is not is told, and honoured
    /// never. Members show again what was lost so.
    mutating func takeUp(
        _ records: [DomainAgreementRecord<CredentialChain>], unreadable: [Digest], at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        for contentID in unreadable {
            let problem = Refusal(.documentInvalid, [Fact("problem", "the store's row cannot be read")])
            tell(.setAside(contentID, at: me.node, problem), at: now, into: &effects)
        }
        let judge = ChainJudge(trust: trust, suite: suite)
        var sound: [DomainAgreementRecord<CredentialChain>] = []
        for record in records {
            guard let refusal = record.damage(judging: judge, using: suite) else {
                sound.append(record)
                continue
            }
            tell(.setAside(record.contentID, at: me.node, refusal), at: now, into: &effects)
        }
        tell(.restored(sound), at: now, into: &effects)
    }

    /// The operator offers where a party is a domain. Of a node's own resource it is known what it is; what
    /// other members of the domain call so, they know.
    mutating func offer(
        _ request: DomainOfferRequest, _ ticket: Ticket, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        if let refusal = refusal(of: request) {
            return effects.post(.answer(ticket, .refused([refusal])))
        }
        tell(.offerRequested(ticket, request), at: now, into: &effects)
    }

    private func refusal(of request: DomainOfferRequest) -> Refusal? {
        if let refusal = approvalRefusal { return refusal }
        if case .node(let peer) = request.consumer, !trust.pins.isTrusted(peer) {
            return Refusal(.peerNotTrusted, [Fact("peer", nameOf(peer))])
        }
        if request.provider == me.node {
            for grant in request.grants {
                if let refusal = refusal(of: grant) { return refusal }
            }
        }
        if let domain = request.consumer.domain, !trust.accepts(domain) {
            return Refusal(.partnerUnknown, [Fact("domain", domain)])
        }
        return nil
    }

    /// The operator accepts an offer made to its domain.
    mutating func acceptForDomain(
        _ contentID: Digest, _ ticket: Ticket, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        if let refusal = approvalRefusal { return effects.post(.answer(ticket, .refused([refusal]))) }
        tell(DomainAgreementInput.acceptanceRequested(ticket, contentID), at: now, into: &effects)
    }

    /// An agreement of a domain asks for no approvals, so whose operator wants them signs none.
    private var approvalRefusal: Refusal? {
        let wanted = agreements.configuration.approvalsRequired
        guard !wanted.isEmpty else { return nil }
        return Refusal(
            .approvalMissing,
            [
                Fact("required here", wanted.map(\.rawValue).joined(separator: ", ")),
                Fact("agreements of domains", "ask for no approvals"),
            ])
    }
}

extension DomainAgreement {
    /// Whether one of those who signed it is `node`, by the key that it began with.
    fileprivate func isSigned(by node: NodeID, using suite: some SignatureSuite) -> Bool {
        signatories.contains { NodeID(suite.pin(of: $0.key).digest) == node }
    }
}

/// Judges who signs for a domain, by what counts here.
struct ChainJudge<Suite: SignatureSuite>: SignatoryJudge {
    let trust: Trust<Suite>
    let suite: Suite

    var own: Signatory<CredentialChain> { Signatory(key: trust.me.key, chain: trust.ownChain) }

    func standing(
        of signatory: Signatory<CredentialChain>, since made: WallTime, at now: WallTime
    ) -> Ruling<SignatoryStanding> {
        guard let chain = signatory.chain else { return .allowed(alone(signatory.key)) }
        return ruling(trust.signing(signatory.key, chain, since: made, at: now), signatory.key)
    }

    func claim(of signatory: Signatory<CredentialChain>) -> Ruling<SignatoryStanding> {
        guard let chain = signatory.chain else { return .allowed(alone(signatory.key)) }
        return ruling(trust.claim(signatory.key, chain), signatory.key)
    }

    func renewed(_ signatory: Signatory<CredentialChain>) -> Signatory<CredentialChain> {
        guard signatory.chain != nil, let newest = trust.newestChain(of: signatory.key),
            newest.credential.body.domain == signatory.chain?.credential.body.domain
        else { return signatory }
        return Signatory(key: signatory.key, chain: newest)
    }

    private func alone(_ key: PublicKey) -> SignatoryStanding {
        let node = NodeID(suite.pin(of: key).digest)
        return SignatoryStanding(
            node: node, party: .node(node), authority: trust.isRevoked(key) ? .once : .now)
    }

    private func ruling(_ right: Ruling<SigningRight>, _ key: PublicKey) -> Ruling<SignatoryStanding> {
        switch right {
        case .refused(let refusal): .refused(refusal)
        case .allowed(let right):
            .allowed(
                SignatoryStanding(
                    node: NodeID(suite.pin(of: key).digest), party: .domain(right.domain),
                    authority: right.isPresent ? .now : .once))
        }
    }
}
