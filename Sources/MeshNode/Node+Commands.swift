import MeshAgreements
import MeshAudit
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshRouting
import MeshTrust

// What the operator orders.
extension Node {
    mutating func obey(
        _ command: NodeCommand, _ ticket: Ticket, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        switch command {
        case .invite(let secret, let life, let confirmation):
            tell(
                .inviteRequested(ticket, secret: secret, life: life, confirmation: confirmation), at: now,
                into: &effects)
        case .confirm(let name, let pin, let consent):
            tell(.inviteConfirmed(ticket, name, by: pin, consent), at: now, into: &effects)
        case .withdrawInvite(let name): tell(.inviteWithdrawn(ticket, name), at: now, into: &effects)
        case .join(let request):
            // The line says where its node is: a hint like any other, once there is trust.
            let key = SightingKey(witness: .link, source: request.inviter.description)
            let sighting = Sighting(
                key: key, endpoints: request.endpoints, claim: .node(request.inviter),
                life: .seconds(24 * 3600))
            tell(.joinRequested(ticket, request), at: now, into: &effects)
            tell(.sighted(sighting), at: now, into: &effects)
        case .pair(let order): tell(.pairingOrdered(ticket, order), at: now, into: &effects)
        case .createDomain(let label, let anchor, let roles):
            tell(.domainRequested(ticket, label, anchor: anchor, giving: roles), at: now, into: &effects)
        case .makeToken(let order): tell(.tokenRequested(ticket, order), at: now, into: &effects)
        case .partner(let order): tell(.partnerOrdered(ticket, order), at: now, into: &effects)
        case .showBundle(let peer): overLink(with: peer, .showBundle, ticket, at: now, into: &effects)
        case .decide(let node, let decision, let note):
            tell(.decided(ticket, node, decision, note: note), at: now, into: &effects)
        case .addResource(let resource, let offer):
            add(resource, toDomain: offer, ticket, at: now, into: &effects)
        case .removeResource(let name): remove(name, ticket, at: now, into: &effects)
        case .offer(let request): offer(request, ticket, at: now, into: &effects)
        case .offerForDomain(let request): offer(request, ticket, at: now, into: &effects)
        case .accept(let contentID) where domainAgreements.record(contentID) != nil:
            acceptForDomain(contentID, ticket, at: now, into: &effects)
        case .accept(let contentID):
            tell(AgreementInput.acceptanceRequested(ticket, contentID), at: now, into: &effects)
        case .reject(let contentID) where domainAgreements.record(contentID) != nil:
            let order = RevocationOrder(contentID: contentID, orderedBy: .local, reason: "rejected")
            tell(DomainAgreementInput.revocationRequested(ticket, order), at: now, into: &effects)
        case .reject(let contentID):
            tell(AgreementInput.rejectionRequested(ticket, contentID), at: now, into: &effects)
        case .revoke(let order) where domainAgreements.record(order.contentID) != nil:
            tell(DomainAgreementInput.revocationRequested(ticket, order), at: now, into: &effects)
        case .revoke(let order):
            tell(AgreementInput.revocationRequested(ticket, order), at: now, into: &effects)
        case .approve(let word): tell(.approvalGiven(ticket, word), at: now, into: &effects)
        case .vouch(let order): tell(.vouchingRequested(ticket, order), at: now, into: &effects)
        case .endVouching(let name): tell(.vouchingEndRequested(ticket, name), at: now, into: &effects)
        case .route(let resource, let terms): route(resource, terms, ticket, at: now, into: &effects)
        case .leave(let until): leave(until, ticket, at: now, into: &effects)
        case .configure(let configuration):
            tell(.configured(configuration), at: now, into: &effects)
            offeredToDomain[.echo] = configuration.echoOffer.toDomain
            refreshDomainOffers(at: now, into: &effects)
            isViewStale = true
            effects.post(.answer(ticket, .done))
        case .note(let action, let facts):
            noteAdministration(action, facts, at: now, into: &effects)
            effects.post(.answer(ticket, .done))
        case .proveReach(let peer): overLink(with: peer, .proveReach, ticket, at: now, into: &effects)
        case .trace(let correlation, let peer):
            overLink(with: peer, .trace(correlation), ticket, at: now, into: &effects)
        }
    }

    private mutating func add(
        _ resource: LocalResource, toDomain offer: DomainOffer, _ ticket: Ticket, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        if let refusal = refusal(of: resource, toDomain: offer) {
            return effects.post(.answer(ticket, .refused([refusal])))
        }
        let isNew = resources[resource.name] == nil
        resources[resource.name] = resource
        offeredToDomain[resource.name] = offer == .offered ? offer : nil
        effects.post(.persist(.resource(resource, toDomain: offer)))
        noteAdministration(
            isNew ? "resource added" : "resource replaced",
            [Fact("resource", resource.name), Fact("domain", offer.rawValue)], at: now, into: &effects)
        refreshAllOffers(at: now, into: &effects)
        effects.post(.answer(ticket, .done))
    }

    private func refusal(of resource: LocalResource, toDomain offer: DomainOffer) -> Refusal? {
        if CapabilityMatcher.builtIn(resource.name) != nil {
            return Refusal(.nameTaken, [Fact("name", "\(resource.name) is built in")])
        }
        if resources[resource.name] == nil && resources.count >= Limits.localResources {
            return Refusal(
                .limitReached, [Fact("resources", resources.count), Fact("limit", Limits.localResources)])
        }
        // The place of `echo` is kept: its offer comes and goes with the configuration.
        let offered = Set(offeredToDomain.keys).union([.echo, resource.name]).count
        if offer == .offered, offered > Limits.recordsPerHead {
            let facts = [
                Fact("resources offered to the domain", offered), Fact("limit", Limits.recordsPerHead),
            ]
            return Refusal(.limitReached, facts)
        }
        // What a peer would refuse is refused here, before anything depends on it.
        if let flaw = resource.description.flaw(using: suite) { return Refusal(.limitReached, [flaw]) }
        return nil
    }

    private mutating func remove(
        _ name: ResourceName, _ ticket: Ticket, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        guard CapabilityMatcher.builtIn(name) == nil, resources.remove(name) != nil else {
            return effects.post(
                .answer(ticket, .refused([Refusal(.resourceUnknown, [Fact("resource", name)])])))
        }
        offeredToDomain[name] = nil
        effects.post(.persist(.resourceRemoved(name)))
        noteAdministration("resource removed", [Fact("resource", name)], at: now, into: &effects)
        refreshAllOffers(at: now, into: &effects)
        effects.post(.answer(ticket, .done))
    }

    private mutating func offer(
        _ request: OfferRequest, _ ticket: Ticket, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        guard trust.pins.isTrusted(request.peer) else {
            return effects.post(
                .answer(ticket, .refused([Refusal(.peerNotTrusted, [Fact("peer", nameOf(request.peer))])])))
        }
        for grant in request.grants {
            if let refusal = refusal(of: grant) {
                return effects.post(.answer(ticket, .refused([refusal])))
            }
        }
        let offered = resourcesOffered(to: request.peer, at: now.wall)
        let count = offered.count + request.grants.filter { !offered.contains($0.resource) }.count
        guard count <= Limits.recordsPerHead else {
            let facts = [Fact("resources offered to the peer", count), Fact("limit", Limits.recordsPerHead)]
            return effects.post(.answer(ticket, .refused([Refusal(.limitReached, facts)])))
        }
        tell(.offerRequested(ticket, request), at: now, into: &effects)
    }

    /// Why this node cannot grant what is not here; nil when it is.
    func refusal(of grant: Grant) -> Refusal? {
        guard let resource = resources[grant.resource] else {
            let known = resources.keys.map(\.description).joined(separator: ", ")
            return Refusal(
                .resourceUnknown, [Fact("resource", grant.resource), Fact("provided here", known)])
        }
        for capability in grant.capabilities ?? []
        where resource.description.capability(capability) == nil {
            let known = resource.description.capabilities.map(\.name.description).joined(separator: ", ")
            return Refusal(.capabilityUnknown, [Fact("capability", capability), Fact("declared", known)])
        }
        return nil
    }

    private mutating func route(
        _ resource: ResourceName, _ terms: [RouteTerm], _ ticket: Ticket, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        for node in terms.flatMap(\.nodes) where !trust.pins.isTrusted(node) {
            return effects.post(
                .answer(ticket, .refused([Refusal(.peerNotTrusted, [Fact("peer", nameOf(node))])])))
        }
        var rule = routes[resource] ?? RouteRule()
        for term in terms { rule.take(term) }
        routes[resource] = rule.isEmpty ? nil : rule
        isViewStale = true
        effects.post(.persist(.route(resource, rule)))
        noteAdministration(
            "route set", [Fact("resource", resource)] + terms.flatMap(told), at: now, into: &effects)
        effects.post(.answer(ticket, .done))
    }

    /// A fact for each label: together they may be longer than what the audit keeps of one.
    private func told(_ term: RouteTerm) -> [Fact] {
        switch term {
        case .via(let providers):
            let names = providers.map { nameOf($0.node) + ($0.weight == 1 ? "" : ":\($0.weight)") }
            return [Fact("via", names.joined(separator: ", "))]
        case .prefer([]): return [Fact("prefer", "none")]
        case .prefer(let preferences): return preferences.map { Fact("prefer", $0.description) }
        case .preferNode(let node): return [Fact("preferred node", node.map(nameOf) ?? "none")]
        case .order(let order): return [Fact("order", order.rawValue)]
        case .hedge(let time): return [Fact("hedge after", time?.description ?? "off")]
        }
    }

    private mutating func refreshAllOffers(at now: Moment, into effects: inout Outbox<NodeEffect>) {
        isViewStale = true
        for peer in trust.pins.peers.values where peer.state == .trusted {
            refreshOffers(to: peer.node, at: now, into: &effects)
        }
        refreshDomainOffers(at: now, into: &effects)
    }

    private mutating func noteAdministration(
        _ action: String, _ facts: [Fact], at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        record(words.administration(action, facts), at: now, into: &effects)
    }
}

extension RouteTerm {
    /// The peers that it names.
    fileprivate var nodes: [NodeID] {
        switch self {
        case .via(let providers): providers.map(\.node)
        case .preferNode(let node): node.map { [$0] } ?? []
        case .prefer, .order, .hedge: []
        }
    }
}
