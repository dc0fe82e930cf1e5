import MeshAgreements
import MeshBase

// May this node ask that one, and that one this node? One place where the evaluator is asked about calls.
extension CallView {
    /// Whether this node may send a request of this form to `peer`, over a link that `relay` carries, if one
    /// does.
    func permits(
        calling peer: NodeID, _ resource: ResourceName, _ capability: Capability, method: String,
        as principal: Principal, for purpose: Purpose?, through relay: NodeID?, _ meters: MeterBook,
        at now: Moment
    ) -> Verdict {
        let wall = now.wall
        let known = peers[peer]
        let question = PolicyQuestion(
            side: .consumer, caller: me, callee: peer, resource: resource, capability: capability.name,
            safety: capability.safety, method: method, principal: principal, purpose: purpose,
            callerRoles: domain?.membership.roles(shownTo: known?.membership?.domain, at: wall),
            callerMembership: domain?.membership, calleeMembership: known?.membership,
            payload: known?.encryption == nil ? .clear : .sealed, relays: relay == nil ? 0 : 1,
            now: wall)
        let verdict = PolicyEvaluator.decide(
            question, over: agreements[peer] ?? [], domains: domainAgreements,
            meters: MeterGlance(meters, at: now), house: house(calling: peer, resource))
        return explained(verdict, with: peer)
    }

    /// Whether this node serves `peer` a request of this form.
    /// - Parameter origin: the connection on which it came; nil where none came: as the peer's link is.
    func permits(
        callBy peer: NodeID, _ resource: ResourceName, _ capability: Capability, method: String,
        as principal: Principal, for purpose: Purpose?, over origin: LinkOrigin? = nil,
        payload: PolicyQuestion.PayloadForm, _ meters: MeterBook, at now: Moment
    ) -> Verdict {
        let wall = now.wall
        let known = peers[peer]
        let origin = origin ?? known?.origin
        let roles = known?.membership?.roles(shownTo: domain?.membership.domain, at: wall)
        let question = PolicyQuestion(
            side: .provider, caller: peer, callee: me, resource: resource, capability: capability.name,
            safety: capability.safety, method: method, principal: principal, purpose: purpose,
            callerRoles: roles, callerMembership: known?.membership,
            calleeMembership: domain?.membership, callerAddress: origin?.address, payload: payload,
            relays: origin?.relays ?? 0, now: wall)
        let verdict = PolicyEvaluator.decide(
            question, over: agreements[peer] ?? [], domains: domainAgreements,
            meters: MeterGlance(meters, at: now), house: house(calledBy: peer, resource, at: wall))
        return explained(verdict, with: peer)
    }

    /// Whether an agreement of domains, over or not, grants `peer` this node's resource of this name.
    func isGranted(_ name: ResourceName, to peer: NodeID, at wall: WallTime) -> Bool {
        domainAgreements.grants(
            name, of: me, domain?.membership, to: peer, peers[peer]?.membership, at: wall)
    }

    /// To which key the payload of a call to `peer` is sealed that this agreement permits; nil: to none. The
    /// provider may find another one that permits the call, so it is sealed where any wants that.
    func sealing(
        under agreement: Digest?, for resource: ResourceName, to peer: NodeID
    ) -> EncryptionKey? {
        guard !sealed.isEmpty, let agreement,
            sealed.contains(agreement) || sealedGrants[peer]?.contains(resource) == true
        else { return nil }
        return peers[peer]?.encryption
    }

    /// A refusal, and what of the store could not be weighed because it is not as it was signed.
    private func explained(_ verdict: Verdict, with peer: NodeID) -> Verdict {
        guard !damaged.isEmpty, case .refused(let reasons) = verdict, let unread = damaged[peer] else {
            return verdict
        }
        return .refused(Array((reasons + unread).prefix(PolicyEvaluator.refusalsMax)))
    }

    /// What the credential of `peer` is worth here.
    func roles(ofCaller peer: NodeID, at wall: WallTime) -> [DomainRole]? {
        peers[peer]?.membership?.roles(shownTo: domain?.membership.domain, at: wall)
    }

    /// What the event of a call of `peer` says of the question that was asked about it.
    func facts(
        onCallBy peer: NodeID, over origin: LinkOrigin?, method: String, _ safety: Safety, at wall: WallTime
    ) -> [Fact] {
        PastCall.facts(
            method: method, safety,
            PastCall.Caller(
                address: (origin ?? peers[peer]?.origin)?.addressText,
                roles: roles(ofCaller: peer, at: wall)))
    }

    /// Why nothing passes between this node and `peer`; nil when it is trusted.
    func trustRefusal(_ peer: NodeID) -> Refusal? {
        guard let known = peers[peer] else { return Refusal(.peerNotFound, [Fact("node", peer)]) }
        let code: RefusalCode
        switch known.trust {
        case .trusted: return nil
        case .untrusted: code = .peerNotTrusted
        case .suspended: code = .peerSuspended
        case .revoked: code = .peerRevoked
        }
        return Refusal(code, [Fact("peer", known.name), Fact("trust", known.trust.rawValue)])
    }

    /// Why no agreement on `resource` of `peer` holds now, whatever of it is asked: what is agreed no more is
    /// described no more either, and the end of an agreement says more than that.
    func whyWithdrawn(_ resource: ResourceName, by peer: NodeID, at wall: WallTime) -> [Refusal] {
        let question = PolicyQuestion(
            side: .consumer, caller: me, callee: peer, resource: resource, capability: resource,
            safety: .safe, method: "GET", principal: .local, callerMembership: domain?.membership,
            calleeMembership: peers[peer]?.membership, now: wall)
        let verdict = PolicyEvaluator.decide(
            question, over: agreements[peer] ?? [], domains: domainAgreements)
        guard case .refused(let reasons) = verdict else { return [] }
        return reasons.filter { reason in
            switch reason.code {
            case .agreementEnded, .agreementExpired, .agreementPending, .agreementNotYetValid,
                .approvalMissing:
                true
            default: false
            }
        }
    }
}

extension Membership {
    /// What these roles are worth to a provider in `domain`: a domain gives roles among its own members, and
    /// an issuer of a partner none that an agreement here asks for. Both sides of a call judge by this.
    fileprivate func roles(shownTo domain: DomainID?, at wall: WallTime) -> [DomainRole]? {
        self.domain == domain ? roles(at: wall) : nil
    }
}
