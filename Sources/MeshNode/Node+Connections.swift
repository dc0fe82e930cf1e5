import MeshAgreements
import MeshAudit
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshTrust

// Connections, and the documents on them.
extension Node {
    mutating func secure(
        _ connection: ConnectionID, _ secured: SecuredConnection, _ distance: LinkDistance, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        if case .probe(let peer)? = connections[connection] {
            return probed(connection, peer, secured, into: &effects)
        }
        // Nobody pairs through a third.
        if distance.relay != nil, secured.purpose == .pairing {
            return effects.post(.close(connection, .pairingClosed))
        }
        distances[connection] = distance
        let intent: DialIntent?
        switch connections[connection] {
        case .dialled(let target)?:
            intent = DialIntent(node: target.node, secret: nil)
            tell(.dialAnswered(target), at: now, into: &effects)
        case .proved(let target)?: intent = DialIntent(node: target.node, secret: nil)
        case .carried(let dial)?: intent = DialIntent(node: dial.peer, secret: nil)
        case .givenUp?: return effects.post(.close(connection, nil))
        case .pairing(let pairing, _)?: intent = pairing
        case .seeking(_, let whom)?: intent = whom
        case .probe?, .accepted?, nil:
            intent = nil
            connections[connection] = .accepted
        }
        tell(.connectionSecured(connection, secured, intent: intent), at: now, into: &effects)
    }

    mutating func close(_ connection: ConnectionID, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        let known = connections.remove(connection)
        if case .probe? = known { return probeClosed(connection, into: &effects) }
        let wasAnswered = distances.remove(connection) != nil
        repeats.cancel(connection)
        let wasLink = gossip.node(on: connection) != nil
        tell(TrustInput.connectionClosed(connection), at: now, into: &effects)
        tell(GossipInput.connectionClosed(connection), at: now, into: &effects)
        if case .seeking(let endpoint, _)? = known, !wasLink {
            let why: StrangerFailure = wasAnswered ? .refused : .unanswered
            tell(.strangerFailed(endpoint, why), at: now, into: &effects)
        }
        switch known {
        case .dialled(let target)?, .givenUp(let target)?:
            tell(.dialFailed(target), at: now, into: &effects)
        case .carried(let dial)?: circuits.fail(dial, at: now.instant)
        case .proved?, .pairing?, .probe?, .seeking?, .accepted?, nil: break
        }
    }

    /// Ends the dials of `target` that have not come to anything yet.
    mutating func giveUp(_ target: DialTarget, into effects: inout Outbox<NodeEffect>) {
        let losers = connections.filter { $0.1 == .dialled(target) }
        for (connection, _) in losers {
            connections[connection] = .givenUp(target)
            effects.post(.close(connection, nil))
        }
    }

    mutating func receive(
        _ document: LinkDocument, on connection: ConnectionID, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        if case .givenUp? = connections[connection] { return }
        if case .handshake(let message) = document {
            return tell(.messageArrived(connection, message), at: now, into: &effects)
        }
        guard let node = gossip.node(on: connection) else {
            // Nobody may say anything else before the handshake is over; of a link that was replaced, nothing
            // counts any more.
            let problem = "a document that is no part of the handshake"
            return tell(.messageUnreadable(connection, problem: problem), at: now, into: &effects)
        }
        switch document {
        case .handshake: break
        case .domain(let message): tell(.domainMessageArrived(node, message), at: now, into: &effects)
        case .trust(let notice): tell(.noticeArrived(node, notice), at: now, into: &effects)
        case .listening(let notice): learn(notice, from: node, at: now, into: &effects)
        case .need(let notice): tell(OverlayInput.told(node, notice.need), at: now, into: &effects)
        case .goodbye(let goodbye): tell(.left(node, goodbye.until), at: now, into: &effects)
        case .gossip(let message): tell(.messageArrived(node, message), at: now, into: &effects)
        case .relay(let relay): receive(relay, from: node, at: now, into: &effects)
        case .agreement(let message): tell(.messageArrived(from: node, message), at: now, into: &effects)
        case .domainAgreement(let message):
            tell(.messageArrived(from: node, message), at: now, into: &effects)
        case .beliefs(let report): hear(report, from: node, at: now, into: &effects)
        case .reachRequest(let request): hear(request, from: node, at: now, into: &effects)
        case .reachAnswer(let answer): hear(answer, from: node, into: &effects)
        case .traceRequest(let request): lookUp(request, for: node, at: now, into: &effects)
        case .traceAnswer(let answer):
            let ticket = Ticket(UInt64(bitPattern: answer.number))
            guard traces[ticket]?.peer == node else { return }
            traces[ticket] = nil
            // Both took part, or it is no half of theirs.
            let events = answer.events.filter { $0.isVisible(to: me.node) && $0.isVisible(to: node) }
            effects.post(.answer(ticket, .traced(events)))
        }
    }

    /// Peers that have a link hear at once where this node listens now, others when theirs comes up.
    mutating func tellPeers(_ notice: ListeningNotice, into effects: inout Outbox<NodeEffect>) {
        guard listening != notice else { return }
        listening = notice
        for peer in trust.pins.peers.values { send(.listening(notice), to: peer.node, into: &effects) }
    }

    /// A peer says where it listens: a hint for the next dial, which will prove who is there.
    private mutating func learn(
        _ notice: ListeningNotice, from node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        guard let link = gossip.link(with: node), notice.port > 0 else { return }
        // Of a link that another node carries the address is that one's.
        let seen = link.relay == nil ? [Endpoint(host: link.remote.host, port: notice.port)] : []
        let told = seen + notice.advertised.prefix(ListeningNotice.advertisedMax)
        learn(told, of: node, into: &effects)
        let key = SightingKey(witness: .link, source: node.description)
        let sighting = Sighting(key: key, endpoints: told, claim: .node(node), life: nil)
        tell(.sighted(sighting), at: now, into: &effects)
        for endpoint in told { remember(endpoint, of: node, into: &effects) }
    }

    /// Keeps where a peer can be reached, for the next start.
    mutating func remember(_ endpoint: Endpoint, of node: NodeID, into effects: inout Outbox<NodeEffect>) {
        var known = endpoints[node] ?? []
        guard known.last != endpoint else { return }
        if let position = known.firstIndex(of: endpoint) {
            known.remove(at: position)
        } else {
            effects.post(.persist(.endpoint(node, endpoint)))
        }
        known.append(endpoint)
        while known.count > Limits.endpointsPerPeer {
            effects.post(.persist(.endpointForgotten(node, known.removeFirst())))
        }
        endpoints[node] = known
    }

    mutating func receiveUnreadable(
        _ problem: String, on connection: ConnectionID, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        guard let node = gossip.node(on: connection) else {
            return tell(.messageUnreadable(connection, problem: problem), at: now, into: &effects)
        }
        let refusal = Refusal(.documentInvalid, [Fact("problem", problem)])
        tell(.messageInvalid(node, refusal), at: now, into: &effects)
    }

    mutating func receive(
        _ signature: DocumentSignature, _ ticket: Ticket, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        switch signatures.remove(ticket) {
        case .trust(let own)?: tell(TrustInput.signed(own, signature), at: now, into: &effects)
        case .gossip(let own)?: tell(GossipInput.signed(own, signature), at: now, into: &effects)
        case .agreements(let own)?: tell(AgreementInput.signed(own, signature), at: now, into: &effects)
        case .domainAgreements(let own)?:
            tell(DomainAgreementInput.signed(own, signature), at: now, into: &effects)
        case nil: break
        }
    }

    /// A signature will not come. What gossip waits for ends by its own time-outs, and a head's place is
    /// never used again.
    mutating func giveUp(_ ticket: Ticket, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        switch signatures.remove(ticket) {
        case .trust(let own)?: tell(TrustInput.signingFailed(own), at: now, into: &effects)
        case .agreements(let own)?: tell(AgreementInput.signingFailed(own), at: now, into: &effects)
        case .domainAgreements(let own)?:
            tell(DomainAgreementInput.signingFailed(own), at: now, into: &effects)
        case .gossip?, nil: break
        }
    }

    /// Asks the audit for a peer, a few questions at a time: each reads the store.
    private mutating func lookUp(
        _ request: TraceRequest, for node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        let underWay = lookUps[node] ?? 0
        guard underWay < TraceRequest.underWayMax else {
            let facts = [Fact("questions under way", underWay), Fact("limit", TraceRequest.underWayMax)]
            let event = words.event(of: .answerWithheld(node, Refusal(.limitReached, facts)))
            return record(event, at: now, into: &effects)
        }
        lookUps[node] = underWay + 1
        effects.post(.lookUp(LookUp(asker: node, number: request.number, correlation: request.correlation)))
    }

    /// Gives a peer its half: only what it took part in, and no more than one frame carries. How long an
    /// event is, the peer had its part in: it chose the principal, and the agreements that a refusal names.
    mutating func answer(_ lookUp: LookUp, _ found: [AuditEvent], into effects: inout Outbox<NodeEffect>) {
        let underWay = lookUps[lookUp.asker] ?? 0
        lookUps[lookUp.asker] = underWay > 1 ? underWay - 1 : nil
        var room = TraceAnswer.bytesMax
        let halves = found.filter { $0.isVisible(to: lookUp.asker) }.map(\.half)
        let fitting = halves.prefix(TraceAnswer.eventLimit).prefix {
            room -= suite.encoded($0).count + 1
            return room >= 0
        }
        let answer = TraceAnswer(number: lookUp.number, events: Array(fitting))
        send(.traceAnswer(answer), to: lookUp.asker, into: &effects)
    }
}
