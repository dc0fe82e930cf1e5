import MeshBase

/// What the operator orders of pairing by words.
public enum PairingOrder: Equatable, Sendable {
    /// Open a window, in place of one that is open.
    case open(PairingSeed)
    /// Somebody still sits before the window.
    case attend
    /// Dial the side that the operator picked; the first place that answers counts.
    case dial([Endpoint])
    /// The words that the operator saw are, or are not, those on the other screen.
    case answer(WordSum, Consent)
    /// End the window.
    case close
}

// Pairing by words: the operator's window, and the handshakes that run in it.
extension Trust {
    /// Between two dials of the side that was picked: not there yet; there, and not for us now.
    private static var pause: Duration { .seconds(1) }
    private static var longPause: Duration { .seconds(15) }

    mutating func pair(
        _ order: PairingOrder, _ ticket: Ticket, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        var obstacle: Refusal?
        switch order {
        case .open(let seed):
            endPairing(
                Refusal(.pairingClosed, [Fact("because", "another window was opened")]), at: now,
                into: &effects)
            words.open(seed, at: now)
            effects.post(.record(.pairing(what: "window opened", node: nil, remote: nil)))
            effects.post(.pairing(.announced))
            setPairingAlarm()
        case .attend:
            obstacle = words.isOpen ? nil : WordPairing.closed
            words.attend(at: now.instant)
            setPairingAlarm()
        case .dial(let endpoints):
            obstacle = words.pick(endpoints, ticket)
            dialForWords(at: now, into: &effects)
        case .answer(let sum, let consent):
            switch words.answer(sum, consent) {
            case .refused(let refusal): obstacle = refusal
            case .allowed(let connection):
                effects.post(
                    .record(
                        .pairing(
                            what: "the operator said \(consent.rawValue)", node: words.window?.trial?.node,
                            remote: words.window?.trial?.remote)))
                advance(connection, at: now, into: &effects) { $0.wordsAnswered(consent, $1, using: $2) }
            }
        case .close:
            let because = [Fact("because", "the operator ended the window")]
            endPairing(Refusal(.pairingClosed, because), at: now, into: &effects)
        }
        effects.post(.answer(ticket, obstacle.map(TrustAnswer.refused) ?? .done))
    }

    /// A handshake came to the point where words are exchanged.
    mutating func claimWords(
        _ connection: ConnectionID, _ handshake: Handshake, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard let partner = handshake.wordPartner else { return }
        let trial = WordPairing.Trial(
            connection: connection, role: handshake.connection.role, node: partner.node,
            pin: suite.pin(of: partner.identityKey), remote: handshake.connection.remote,
            skew: partner.time - now.wall)
        switch words.claim(trial, as: me.node) {
        case .refused(let refusal):
            advance(connection, at: now, into: &effects) { handshake, _, _ in handshake.abandon(refusal) }
        case .granted(let seed, let displaced):
            if let displaced {
                let refusal = Refusal(.pairingBusy, [Fact("pairing with", partner.node)])
                advance(displaced, at: now, into: &effects) { handshake, _, _ in handshake.abandon(refusal) }
            }
            advance(connection, at: now, into: &effects) { handshake, _, suite in
                handshake.wordsGranted(seed, using: suite)
            }
        }
    }

    mutating func compare(
        _ sum: WordSum, on connection: ConnectionID, into effects: inout Outbox<TrustEffect>
    ) {
        words.compare(sum, on: connection)
        effects.post(
            .record(
                .pairing(
                    what: "words shown", node: words.window?.trial?.node,
                    remote: words.window?.trial?.remote)))
    }

    /// A connection is over without trust; if words were exchanged on it, that try is over.
    mutating func pairingFailed(
        _ connection: ConnectionID, _ refusal: Refusal, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard words.isOpen else { return }
        words.fail(on: connection, refusal)
        guard words.isOpen else { return pairingIsOver("three tries failed", at: now, into: &effects) }
        guard let dial = words.window?.dial, dial.connection == nil, let obstacle = dial.obstacle else {
            return
        }
        let isThere = obstacle.code != .peerUnreachable && obstacle.code != .pairingClosed
        deadlines.set(.pairingDial, at: now.instant + (isThere ? Self.longPause : Self.pause))
    }

    /// Trust is made over this connection, if it was by words.
    mutating func pairingSucceeded(
        _ connection: ConnectionID, with node: NodeID, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard words.isOpen else { return }
        words.succeed(on: connection, with: node)
        if !words.isOpen { pairingIsOver("trust was made", at: now, into: &effects) }
    }

    mutating func dialForWords(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        guard let (endpoint, ticket) = words.nextDial() else { return }
        effects.post(.dialToPair(endpoint, .words, join: ticket))
    }

    mutating func pairingTimePassed(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        guard let window = words.window else { return }
        let because =
            now.instant >= window.until
            ? "it was open for \(Limits.pairingWindow.wholeMilliseconds / 1_000) s"
            : "nobody attended to it for \(Limits.pairingAttendance.wholeMilliseconds / 1_000) s"
        guard words.deadline.map({ $0 <= now.instant }) ?? false else { return setPairingAlarm() }
        endPairing(Refusal(.pairingClosed, [Fact("because", because)]), at: now, into: &effects)
    }

    /// What the window began does not outlive it.
    private mutating func endPairing(
        _ refusal: Refusal, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard words.isOpen else { return }
        words.close(refusal)
        for (connection, running) in handshakes where running.handshake.manner == .words {
            advance(connection, at: now, into: &effects) { handshake, _, _ in handshake.abandon(refusal) }
        }
        pairingIsOver(refusal.facts.first?.value ?? "", at: now, into: &effects)
    }

    private mutating func pairingIsOver(
        _ why: String, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        deadlines.cancel(.pairingWindow)
        deadlines.cancel(.pairingDial)
        effects.post(.record(.pairing(what: "window closed: \(why)", node: nil, remote: nil)))
        effects.post(.pairing(pairingWindow(at: now)))
    }

    private mutating func setPairingAlarm() {
        guard let deadline = words.deadline else { return deadlines.cancel(.pairingWindow) }
        deadlines.set(.pairingWindow, at: deadline)
    }
}
