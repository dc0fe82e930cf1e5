import MeshBase

/// One attempt to join under an invite: each endpoint in turn, again and again, until it is done, denied or
/// out of time.
struct JoinAttempt: Equatable, Sendable {
    let request: JoinRequest
    let deadline: Instant
    /// Which endpoint is tried next.
    var next = 0
    /// Whether a dial is under way.
    var isDialling = false
    /// The connection that the dial became.
    var connection: ConnectionID?
    /// Why the last try failed, for the answer.
    var lastRefusal: Refusal?
    /// Whether a node without an open invite answered in this round over the endpoints.
    var isDoorClosed = false
    /// Rounds in which one did.
    var closedRounds = 0
}

// Joining under somebody's invite, and making trust when a pairing handshake is established on either side.
extension Trust {
    /// How long `join` tries in all, and how long it rests between two rounds over the endpoints.
    private static var patience: Duration { .seconds(60) }
    private static var pause: Duration { .seconds(1) }
    /// After so many rounds in which a node answered that has no invite open, waiting longer helps nobody;
    /// fewer would not outlast a restart of the inviter.
    private static var closedRoundsMax: Int { 3 }

    mutating func beginJoin(
        _ ticket: Ticket, _ request: JoinRequest, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        let refusal: Refusal? =
            if request.inviter == me.node {
                Refusal(.isMyself, [Fact("invite of", me.name)])
            } else if now.wall >= request.expires {
                Refusal(
                    .inviteExpired,
                    [Fact("until", RFC3339.text(request.expires)), Fact("now", RFC3339.text(now.wall))])
            } else if let peer = pins[request.inviter], peer.state == .revoked || peer.state == .suspended {
                Refusal(
                    peer.state == .revoked ? .peerRevoked : .peerSuspended,
                    [Fact("peer", peer.name), Fact("because", peer.evidence.note)])
            } else if request.endpoints.isEmpty {
                Refusal(.inviteMalformed, [Fact("addresses", "none")])
            } else {
                nil
            }
        if let refusal { return effects.post(.answer(ticket, .refused(refusal))) }
        joins[ticket] = JoinAttempt(request: request, deadline: now.instant + Self.patience)
        continueJoin(ticket, at: now, into: &effects)
    }

    /// Dials the next endpoint, or gives up.
    mutating func continueJoin(_ ticket: Ticket, at now: Moment, into effects: inout Outbox<TrustEffect>) {
        guard let join = joins[ticket], !join.isDialling else { return }
        guard now.instant < join.deadline, join.closedRounds < Self.closedRoundsMax else {
            let tried = [Fact("tried", join.request.endpoints.map(\.description).joined(separator: ", "))]
            let refusal =
                join.closedRounds > 0
                ? Refusal(.pairingClosed, [Fact("invites open", 0)] + tried)
                : Refusal(join.lastRefusal?.code ?? .peerUnreachable, (join.lastRefusal?.facts ?? []) + tried)
            return finishJoin(ticket, .refused(refusal), into: &effects)
        }
        let endpoint = join.request.endpoints[join.next % join.request.endpoints.count]
        joins.update(ticket) { join in
            join.next += 1
            join.isDialling = true
        }
        let intent = DialIntent(node: join.request.inviter, secret: join.request.secret)
        effects.post(.dialToPair(endpoint, intent, join: ticket))
    }

    /// Which connection a dial to pair became: called by the node when it allots the connection.
    public mutating func dialStarted(_ connection: ConnectionID, join ticket: Ticket) {
        joins.update(ticket) { $0.connection = connection }
        words.dialStarted(connection, ticket)
    }

    /// Who answered takes no newcomer: perhaps not the inviter, which may be at the next endpoint.
    mutating func joinFoundDoorClosed(_ connection: ConnectionID) {
        guard let (ticket, _) = joins.first(where: { $0.1.connection == connection }) else { return }
        joins.update(ticket) { $0.isDoorClosed = true }
    }

    /// A connection failed; if it was a join's, the next endpoint's turn comes.
    mutating func joinFailed(
        _ connection: ConnectionID, _ refusal: Refusal, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard let (ticket, join) = joins.first(where: { $0.1.connection == connection }) else { return }
        let isRoundOver = join.next % join.request.endpoints.count == 0
        joins.update(ticket) { join in
            join.isDialling = false
            join.connection = nil
            join.lastRefusal = refusal
            guard isRoundOver, join.isDoorClosed else { return }
            join.isDoorClosed = false
            join.closedRounds += 1
        }
        deadlines.set(.join(ticket), at: now.instant + (isRoundOver ? Self.pause : .zero))
    }

    /// The inviter said no; few of its reasons pass.
    mutating func joinDenied(
        _ connection: ConnectionID, _ denial: Denial, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard let (ticket, _) = joins.first(where: { $0.1.connection == connection }) else { return }
        let refusal = Refusal(denied: denial)
        switch denial.code {
        // The operator there may still be asked, or the node be busy: the next try may pass.
        case .handshakeTimeout, .handshakeLimit, .overloaded, .draining:
            joinFailed(connection, refusal, at: now, into: &effects)
        default:
            joins[ticket] = nil
            deadlines.cancel(.join(ticket))
            effects.post(.answer(ticket, .refused(refusal)))
        }
    }

    /// Both sides granted trust in one transcript: the pin is written, whichever side this is.
    mutating func makeTrust(
        _ establishment: Establishment, _ connection: ConnectionID, _ handshake: Handshake, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        let join = joins.first { $0.1.connection == connection }?.0
        switch trustedRecord(establishment, handshake, at: now) {
        case .refused(let refusal):
            effects.post(.close(connection, refusal.code))
            if let join { finishJoin(join, .refused(refusal), into: &effects) }
            pairingFailed(connection, refusal, at: now, into: &effects)
        case .allowed(let peer):
            let old = pins[peer.node]?.state
            pins.write(peer)
            effects.post(.persist(.peer(peer)))
            effects.post(.close(connection, nil))
            if old != .trusted {
                effects.post(
                    .record(.stateChanged(peer.node, name: peer.name, from: old, to: .trusted, peer.evidence))
                )
                unvouch(peer.node, into: &effects)
                effects.post(.standingChanged(peer.node, .trusted))
                if let membership = domains.members[peer.node]?.membership {
                    effects.post(.membershipChanged(peer.node, membership))
                }
            }
            if let join { finishJoin(join, .joined(peer.node), into: &effects) }
            pairingSucceeded(connection, with: peer.node, at: now, into: &effects)
        }
    }

    private mutating func finishJoin(
        _ ticket: Ticket, _ answer: TrustAnswer, into effects: inout Outbox<TrustEffect>
    ) {
        joins[ticket] = nil
        deadlines.cancel(.join(ticket))
        effects.post(.answer(ticket, answer))
    }

    private func trustedRecord(
        _ establishment: Establishment, _ handshake: Handshake, at now: Moment
    ) -> Ruling<PeerRecord> {
        let node = establishment.node
        if let refusal = pins.refusal(toTrust: node, under: establishment.key, establishment.inception) {
            return .refused(refusal)
        }
        guard let name = pins[node]?.name ?? pins.freeName(like: establishment.name, for: node) else {
            return .refused(Refusal(.nameTaken, [Fact("name", establishment.name)]))
        }
        let isDialler = handshake.connection.role == .initiator
        let note =
            switch handshake.manner {
            case .words?: "two people compared the words"
            case nil: isDialler ? "joined under its invite" : "it joined under an invite of this node"
            }
        return .allowed(
            PeerRecord(
                node: node, key: establishment.key, pin: suite.pin(of: establishment.key),
                inception: establishment.inception,
                name: name, state: .trusted, since: now.wall,
                evidence: TrustEvidence(
                    kind: handshake.manner == .words ? .words : .invite,
                    transcript: establishment.transcript, note: note),
                boot: pins[node]?.boot))
    }
}

extension Trust {
    /// The other end refused a handshake, and says as much of why as this node may know.
    mutating func denied(
        _ connection: ConnectionID, _ handshake: Handshake, _ denial: Denial, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        let remote = handshake.connection.remote
        effects.post(.record(.handshakeDenied(remote: remote, expected: handshake.intent?.node, denial)))
        end(connection)
        effects.post(.close(connection, denial.code))
        take(denial, from: handshake.provedNode, member: handshake.provedMember, at: now, into: &effects)
        noteDecline(handshake, denial, at: now)
        joinDenied(connection, denial, at: now, into: &effects)
        pairingFailed(connection, Refusal(denied: denial), at: now, into: &effects)
        enrolmentFailed(handshake, Refusal(denied: denial))
    }
}

extension Denial {
    /// As it reads on this side: what the other end compared as its own is there, and ours is here.
    var turned: Denial {
        let sides = ["here": "there", "there": "here"]
        return Denial(
            code: code, reference: reference,
            facts: facts.map { Fact(sides[$0.name] ?? $0.name, $0.value) }, boot: boot)
    }
}

extension Refusal {
    /// What the other side said no with, and where its operator finds the reason.
    init(denied denial: Denial) {
        self.init(
            denial.code, denial.facts + [Fact("reference", Hexadecimal.encode(denial.reference.bytes))])
    }
}
