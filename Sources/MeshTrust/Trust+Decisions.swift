import MeshBase

// What the operator, or an alarm, decides about a peer. Downward moves are felt at once.
extension Trust {
    mutating func decide(
        _ ticket: Ticket, _ node: NodeID, _ decision: PeerDecision, note: String, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard let peer = pins[node] else {
            let answer = decide(decision, ofConvicted: node, into: &effects)
            return effects.post(.answer(ticket, answer))
        }
        let evidence = TrustEvidence(kind: .operator, transcript: nil, note: note)
        switch (decision, peer.state) {
        case (.suspend, .revoked), (.resume, .revoked):
            let facts = [Fact("peer", peer.name), Fact("because", peer.evidence.note)]
            return effects.post(.answer(ticket, .refused(Refusal(.peerRevoked, facts))))
        case (.resume, .pending), (.resume, .verified):
            return effects.post(
                .answer(ticket, .refused(Refusal(.peerNotTrusted, [Fact("trust", peer.state.rawValue)]))))
        case (.suspend, _): suspend(node, evidence, at: now, into: &effects)
        case (.resume, .trusted): break
        case (.resume, .suspended): resume(peer, evidence, at: now, into: &effects)
        case (.revoke, .revoked): break
        case (.revoke, _):
            move(peer, to: .revoked, evidence, telling: .revoke, at: now, into: &effects)
            // What it signed as an issuer counts here no more either.
            reassess(all: true, at: now, into: &effects)
        case (.forget, _):
            if domains.members.remove(node) != nil {
                effects.post(.persist(.credentialGone(node)))
                effects.post(.membershipChanged(node, nil))
            }
            credentialChecks[node] = nil
            earlyCredentials[node] = nil
            paperChecks[node] = nil
            paperAnswers[node] = nil
            proofChecks[node] = nil
            _ = pins.forget(node)
            noticesHeard[node] = nil
            returnedBoots[node] = nil
            effects.post(.persist(.peerForgotten(node)))
            effects.post(.record(.stateChanged(node, name: peer.name, from: peer.state, to: nil, evidence)))
            effects.post(.notify(node, TrustNotice(decision: .forget)))
            unvouch(node, into: &effects)
            effects.post(.standingChanged(node, nil))
            abandonHandshakes(with: node, at: now, into: &effects)
        }
        effects.post(.answer(ticket, .done))
    }

    /// Trust that rests on a credential returns with it only.
    private mutating func resume(
        _ peer: PeerRecord, _ evidence: TrustEvidence, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        let membership = domains.members[peer.node]?.membership
        let isGrounded = peer.domain == nil || membership?.domain == peer.domain
        move(
            peer, to: isGrounded ? .trusted : .verified, evidence, telling: .resume, at: now, into: &effects)
        if isGrounded, let membership { effects.post(.membershipChanged(peer.node, membership)) }
    }

    /// Trust rests until the operator resumes it. A peer that is revoked stays so.
    mutating func suspend(
        _ node: NodeID, _ evidence: TrustEvidence, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard let peer = pins[node], peer.state != .revoked, peer.state != .suspended else { return }
        move(peer, to: .suspended, evidence, telling: .suspend, at: now, into: &effects)
    }

    /// A peer tells its decision. Such a decision ends the link that it came over, so an honest peer has
    /// no second one to tell at once; who tells many would fill the audit with them.
    mutating func hear(
        _ notice: TrustNotice, from node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard pins.isTrusted(node) else { return }
        if let heard = noticesHeard[node], now.instant - heard < .seconds(60) { return }
        noticesHeard[node] = now.instant
        effects.post(.record(.noticed(node, notice)))
    }

    /// A peer leaves. For good, trust in it rests until the operator says otherwise: its own word can lower
    /// it, and nothing else.
    mutating func hear(
        of node: NodeID, leavingUntil until: Return, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard pins.isTrusted(node) else { return }
        let isNews = noticesHeard[node].map { now.instant - $0 >= .seconds(60) } ?? true
        if isNews || until == .never {
            noticesHeard[node] = now.instant
            effects.post(.record(.left(node, until: until)))
        }
        guard until == .never else { return }
        let evidence = TrustEvidence(kind: .peer, transcript: nil, note: "it left for good, by its own word")
        suspend(node, evidence, at: now, into: &effects)
    }

    /// The one place where a known peer's state changes. `decision` is what the peer is told; nil: nothing.
    mutating func move(
        _ peer: PeerRecord, to state: TrustState, _ evidence: TrustEvidence, telling decision: PeerDecision?,
        at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        var changed = peer
        changed.state = state
        changed.since = now.wall
        changed.evidence = evidence
        pins.write(changed)
        effects.post(.persist(.peer(changed)))
        effects.post(
            .record(.stateChanged(peer.node, name: peer.name, from: peer.state, to: state, evidence)))
        if let decision { effects.post(.notify(peer.node, TrustNotice(decision: decision))) }
        if state != .trusted, peer.state == .trusted, domains.members[peer.node] != nil {
            effects.post(.membershipChanged(peer.node, nil))
        }
        unvouch(peer.node, into: &effects)
        effects.post(.standingChanged(peer.node, state))
        if state != .trusted { abandonHandshakes(with: peer.node, at: now, into: &effects) }
    }

    /// A handshake that began while the peer was trusted must not end after it no longer is.
    private mutating func abandonHandshakes(
        with node: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        for (connection, running) in handshakes where running.handshake.claimedNode == node {
            let refusal = Refusal(.peerNotTrusted, [Fact("node", node)])
            advance(connection, at: now, into: &effects) { handshake, _, _ in handshake.abandon(refusal) }
        }
    }
}
