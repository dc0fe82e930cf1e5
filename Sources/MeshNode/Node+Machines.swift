import MeshAgreements
import MeshAudit
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshTrust

// One machine's effect becomes another's input here, and nowhere else.
extension Node {
    mutating func tell(_ input: TrustInput, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        var outbox = Outbox<TrustEffect>()
        trust.handle(input, at: now, into: &outbox)
        perform(&outbox, at: now, into: &effects)
    }

    mutating func tell(_ input: DiscoveryInput, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        var outbox = Outbox<DiscoveryEffect>()
        discovery.learnTags(at: now, using: suite)
        discovery.handle(input, at: now, into: &outbox)
        for effect in outbox.drain() {
            switch effect {
            case .dial(let target):
                let connection = newConnection()
                connections[connection] = .dialled(target)
                effects.post(.dial(connection, target.endpoint, .peering))
            case .giveUp(let target): giveUp(target, into: &effects)
            case .dialStranger(let endpoint): dialStranger(endpoint, into: &effects)
            case .sightingsChanged: break
            }
        }
    }

    mutating func tell(_ input: AgreementInput, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        var outbox = Outbox<AgreementEffect>()
        openAgreements = OrderedTable()
        agreements.handle(input, at: now, using: suite, into: &outbox)
        for effect in outbox.drain() { perform(effect, at: now, into: &effects) }
    }

    mutating func tell(_ input: GossipInput, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        var outbox = Outbox<GossipEffect>()
        gossip.handle(input, at: now, into: &outbox)
        for effect in outbox.drain() { perform(effect, at: now, into: &effects) }
    }

    // MARK: Trust's effects

    mutating func perform(
        _ outbox: inout Outbox<TrustEffect>, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        for effect in outbox.drain() {
            switch effect {
            case .send(let connection, let message): effects.post(.send(connection, .handshake(message)))
            case .sign(let request): sign(request, for: .trust(request.ticket), into: &effects)
            case .awaitPeople(let connection): effects.post(.awaitPeople(connection))
            case .close(let connection, let code):
                if code == .isMyself, let endpoint = connections[connection]?.endpoint {
                    tell(.provedMyself(endpoint), at: now, into: &effects)
                }
                effects.post(.close(connection, code))
            case .admit(let connection, let peer): admit(connection, peer, at: now, into: &effects)
            case .notify(let node, let notice):
                // Trust ends with it, and no link is made for that.
                send(.trust(notice), to: node, into: &effects)
            case .dialToPair(let endpoint, let intent, let join):
                let connection = newConnection()
                connections[connection] = .pairing(intent, endpoint)
                trust.dialStarted(connection, join: join)
                effects.post(.dial(connection, endpoint, .pairing))
            case .persist(let change): effects.post(.persist(.trust(change)))
            case .standingChanged(let node, let state): stand(node, state, at: now, into: &effects)
            case .membershipChanged(let node, let membership):
                isViewStale = true
                tell(GossipInput.membershipChanged(node, membership), at: now, into: &effects)
                tell(AgreementInput.membershipChanged(node, membership), at: now, into: &effects)
                tellShares(after: node, at: now, into: &effects)
                tell(DomainAgreementInput.membershipChanged(node, membership), at: now, into: &effects)
                seekUnheard(after: node, at: now, into: &effects)
                if node == me.node { keepHouse(at: now, into: &effects) }
            case .vouched(let node, let key, let membership):
                isViewStale = true
                tell(GossipInput.memberVouched(node, key, membership), at: now, into: &effects)
            case .tell(let node, let message) where message.isForOne:
                sendSurely(.domain(message), to: node, at: now, into: &effects)
            case .tell(let node, let message): send(.domain(message), to: node, into: &effects)
            case .refer(let connection, let issuers): refer(connection, to: issuers, into: &effects)
            case .referred(let endpoints):
                tell(.sighted(Sighting(referredTo: endpoints)), at: now, into: &effects)
            case .proved(let connection, let node): prove(node, on: connection, at: now, into: &effects)
            case .seek(let whom):
                tell(.strangersSought(StrangerSearch(whom)), at: now, into: &effects)
            case .answer(let ticket, let answer): effects.post(.answer(ticket, NodeAnswer(answer)))
            case .confirmationWanted(let name, let pin, let claimed):
                effects.post(.confirmationWanted(name, by: pin, name: claimed))
            case .pairing(let window): effects.post(.pairing(window))
            case .record(let event): record(words.event(of: event), at: now, into: &effects)
            }
        }
    }

    /// A peer's standing changed: everything that rests on it follows, in this turn.
    mutating func stand(
        _ node: NodeID, _ state: TrustState?, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        isViewStale = true
        if state != .trusted {
            drifts.forget(node)
            reach.forget(node)
        }
        switch state {
        case .trusted?:
            guard let peer = trust.pins[node] else { return }
            rememberInviter(node, at: now, into: &effects)
            tell(GossipInput.peerTrusted(node, peer.key), at: now, into: &effects)
            tell(AgreementInput.peerTrusted(node, peer.key), at: now, into: &effects)
            tell(OverlayInput.peerTrusted(node), at: now, into: &effects)
            tellShare(of: node, at: now, into: &effects)
            tell(DomainAgreementInput.peerTrusted(node), at: now, into: &effects)
            refreshOffers(to: node, at: now, into: &effects)
            seekUnheard(node, at: now, into: &effects)
        case .suspended?, .revoked?:
            tell(GossipInput.peerDropped(node), at: now, into: &effects)
            tell(OverlayInput.peerDropped(node), at: now, into: &effects)
            circuits.leave(node)
            tell(AgreementInput.peerLost(node), at: now, into: &effects)
            tell(DomainAgreementInput.peerLost(node), at: now, into: &effects)
            tell(DiscoveryInput.peerBarred(node), at: now, into: &effects)
        // Whose credential is over is a stranger again, who may yet show a later one.
        case .pending?, .verified?, nil:
            tell(GossipInput.peerDropped(node), at: now, into: &effects)
            tell(OverlayInput.peerDropped(node), at: now, into: &effects)
            circuits.leave(node)
            tell(AgreementInput.peerLost(node), at: now, into: &effects)
            tell(DomainAgreementInput.peerLost(node), at: now, into: &effects)
            tell(DiscoveryInput.peerDropped(node), at: now, into: &effects)
        }
        effects.post(.renewSessions)
    }

    /// Where an invite led is kept with the trust that it made: a joiner that dies before its first link
    /// knows where to go on.
    private mutating func rememberInviter(
        _ node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        if case .trusted(node, let endpoint?)? = trust.words.outcome {
            // As a line of an invite would: the side that dialled to pair dials the link, too.
            let key = SightingKey(witness: .link, source: node.description)
            let sighting = Sighting(
                key: key, endpoints: [endpoint], claim: .node(node), life: .seconds(24 * 3600))
            tell(.sighted(sighting), at: now, into: &effects)
            remember(endpoint, of: node, into: &effects)
        }
        for case .pairing(let intent, let endpoint) in connections.values where intent.node == node {
            remember(endpoint, of: node, into: &effects)
        }
    }

    private mutating func admit(
        _ connection: ConnectionID, _ peer: AdmittedPeer, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        let terms = LinkTerms(
            node: peer.node, dialler: peer.role == .initiator ? me.node : peer.node, boot: peer.boot,
            skew: peer.skew, certificateExpires: peer.certificateExpires, remote: peer.remote,
            distance: distances[connection] ?? .remote)
        let origin = LinkOrigin(address: terms.address, relay: terms.distance.relay)
        effects.post(.admit(connection, peer.node, origin))
        if peer.role == .initiator { repeats.set(connection, at: now.instant + Limits.handshakeRepeat) }
        // May order it to drain, and then it is repeated no more.
        tell(.linkAdmitted(connection, terms), at: now, into: &effects)
        // The peer's own dial stays the link, and this one drains.
        if case .dialled(let target)? = connections[connection] {
            connections[connection] = .proved(target)
            tell(.dialFailed(target), at: now, into: &effects)
        }
    }

    // MARK: Gossip's effects

    private mutating func perform(
        _ effect: GossipEffect, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        switch effect {
        case .ping(let connection, let summary):
            let beliefs = gossip.node(on: connection).flatMap { mark(about: $0, at: now.wall) }
            effects.post(.ping(connection, LinkPing(registry: summary, beliefs: beliefs)))
        case .close(let connection, let code): effects.post(.close(connection, code))
        case .linkUp(let node, let connection, _):
            isViewStale = true
            drifts.linkChanged(with: node)
            effects.post(.linkUp(node, connection))
            tell(OverlayInput.linkUp(node), at: now, into: &effects)
            if circuits.linkUp(node) { giveUpCarried(node, but: connection, into: &effects) }
            if gossip.link(with: node)?.relay != nil {
                // It is sought as before, until nobody need carry its link.
                tell(DiscoveryInput.linkDown(node), at: now, into: &effects)
            } else if case .dialled(let target)? = connections[connection] {
                connections[connection] = .proved(target)
                tell(DiscoveryInput.linkUp(node, target.endpoint), at: now, into: &effects)
                remember(target.endpoint, of: node, into: &effects)
            } else if case .seeking(let endpoint, _)? = connections[connection] {
                tell(DiscoveryInput.linkUp(node, endpoint), at: now, into: &effects)
                remember(endpoint, of: node, into: &effects)
            } else {
                tell(DiscoveryInput.linkUp(node, nil), at: now, into: &effects)
            }
            tell(TrustInput.linkCameUp(node), at: now, into: &effects)
            if let listening { send(.listening(listening), to: node, into: &effects) }
            tell(AgreementInput.linkCameUp(node), at: now, into: &effects)
            tell(DomainAgreementInput.linkCameUp(node), at: now, into: &effects)
            askAgain(node, into: &effects)
            runLinkErrands(of: node, at: now, into: &effects)
        case .drain(let connection):
            repeats.cancel(connection)
            effects.post(.drain(connection))
        case .linkDown(let node, let loss):
            isViewStale = true
            reach.linkEnded(with: node)
            drifts.linkChanged(with: node)
            // Of a link that nobody needs calls were told before.
            if loss != .idle { effects.post(.linkDown(node)) }
            tell(OverlayInput.linkDown(node), at: now, into: &effects)
            circuits.linkDown(node, at: now.instant)
            tell(DiscoveryInput.linkDown(node), at: now, into: &effects)
            if loss != .idle { seekUnheard(node, at: now, into: &effects) }
        case .linkDegraded: isViewStale = true
        case .send(let node, let message): send(.gossip(message), to: node, into: &effects)
        case .relay(let node, let heads): relay(heads, to: node, into: &effects)
        case .sign(let request): sign(request, for: .gossip(request.ticket), into: &effects)
        case .persist(let change): effects.post(.persist(.gossip(change)))
        case .catalogChanged: isViewStale = true
        case .reach(let reach):
            tell(.reach(unheard: reach.unheard, bridges: reach.bridges), at: now, into: &effects)
        case .contradicted(let node, let evidence):
            tell(.contradicted(node, evidence: evidence), at: now, into: &effects)
        case .record(let event): record(words.event(of: event), at: now, into: &effects)
        }
    }

    // MARK: Agreements' effects

    private mutating func perform(
        _ effect: AgreementEffect, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        switch effect {
        case .sign(let request): sign(request, for: .agreements(request.ticket), into: &effects)
        case .persist(let agreement): effects.post(.persist(.agreement(agreement)))
        case .persistPerson(let person):
            damagedPeople[person.body.name] = nil
            effects.post(.persist(.person(person)))
        case .forgetPerson(let name): effects.post(.persist(.personForgotten(name)))
        case .persistHouse(let document):
            effects.post(.persist(.houseAgreement(document)))
            nameHouse(at: now, into: &effects)
        case .forget(let contentID): effects.post(.persist(.agreementForgotten(contentID)))
        case .send(let node, let message) where message.isForOne:
            sendSurely(.agreement(message), to: node, at: now, into: &effects)
        case .send(let node, let message): send(.agreement(message), to: node, into: &effects)
        case .changed(let node):
            isViewStale = true
            refreshOffers(to: node, at: now, into: &effects)
        case .record(let notice): tell(notice, at: now, into: &effects)
        case .answered(let ticket, .done(let agreement)): effects.post(.answer(ticket, .agreed(agreement)))
        case .answered(let ticket, .vouched(let person)): effects.post(.answer(ticket, .vouched(person)))
        case .answered(let ticket, .refused(let refusals)): effects.post(.answer(ticket, .refused(refusals)))
        }
    }

    /// What a peer may know of: what is offered to it or agreed with it, and provided here.
    mutating func refreshOffers(to node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        let offered = resourcesOffered(to: node, at: now.wall)
        let described = offered.compactMap { resources[$0]?.description }
        tell(.offersChanged(node, described), at: now, into: &effects)
    }

    /// What the members of this node's domain may know of.
    mutating func refreshDomainOffers(at now: Moment, into effects: inout Outbox<NodeEffect>) {
        let described = offeredToDomain.keys.compactMap { resources[$0]?.description }
        tell(.domainOffersChanged(described), at: now, into: &effects)
    }

    // MARK: What all share

    func send(_ document: LinkDocument, to node: NodeID, into effects: inout Outbox<NodeEffect>) {
        guard let link = gossip.link(with: node) else { return }
        effects.post(.send(link.connection, document))
    }

    mutating func sign(_ request: SigningRequest, for signer: Signer, into effects: inout Outbox<NodeEffect>)
    {
        let ticket = newTicket()
        signatures[ticket] = signer
        effects.post(
            .sign(
                SigningRequest(
                    ticket: ticket, kind: request.kind, payload: request.payload, hand: request.hand)))
    }

    mutating func record(_ event: AuditEvent, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        tell(event.success ? .happened(event) : .refused(event), at: now, into: &effects)
    }

    mutating func tell(_ input: AuditInput, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        var outbox = Outbox<AuditEffect>()
        audit.handle(input, at: now, into: &outbox)
        for case .write(let records, let durability) in outbox.drain() {
            effects.post(.record(records, durability))
        }
    }
}

extension NodeAnswer {
    init(_ answer: TrustAnswer) {
        switch answer {
        case .invited(let name, let secret, let expires):
            self = .invited(name, secret: secret, expires: expires)
        case .joined(let node): self = .joined(node)
        case .founded(let domain): self = .founded(domain)
        case .token(let token): self = .token(token)
        case .bundle(let offer): self = .bundle(offer)
        case .done: self = .done
        case .refused(let refusal): self = .refused([refusal])
        }
    }
}
