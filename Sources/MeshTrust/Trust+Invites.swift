import MeshBase

// Invites on the inviter's side: opened, claimed, confirmed, over.
extension Trust {
    mutating func openInvite(
        _ ticket: Ticket, secret: Octets, life: Duration, _ confirmation: InviteConfirmation, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        precondition(secret.bytes.count == 16, "an invite's secret has 16 bytes, not \(secret.bytes.count)")
        let name = InviteName(secret: secret, using: suite)
        let invite = InviteRecord(
            name: name, secret: secret, expires: now.wall + life, confirmation: confirmation, usedBy: nil,
            wrongProofs: 0)
        if let refusal = invites.open(invite) { return effects.post(.answer(ticket, .refused(refusal))) }
        effects.post(.persist(.invite(invite)))
        effects.post(.record(.invite(name, what: "opened until \(RFC3339.text(invite.expires))")))
        effects.post(.pairing(pairingWindow(at: now)))
        effects.post(.answer(ticket, .invited(name, secret: secret, expires: invite.expires)))
        scheduleInviteExpiry(at: now)
    }

    /// Marks the invite as this key's, durably, before anything is signed for it.
    mutating func claim(
        _ name: InviteName, by pin: Pin, calling claimed: NodeName, on connection: ConnectionID,
        at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        switch invites.secret(of: name, for: pin, at: now.wall) {
        case .refused(let refusal):
            return advance(connection, at: now, into: &effects) { handshake, _, _ in
                handshake.inviteDenied(refusal)
            }
        case .allowed: break
        }
        guard var invite = invites.invites[name] else { return }
        if invite.confirmation == .asked {
            consents[name] = AwaitedConsent(connection: connection, pin: pin)
            return effects.post(.confirmationWanted(name, by: pin, name: claimed))
        }
        if invite.usedBy == nil {
            invite.usedBy = pin
            invites.write(invite)
            effects.post(.persist(.invite(invite)))
            effects.post(.record(.invite(name, what: "used by \(pin)")))
        }
        advance(connection, at: now, into: &effects) { handshake, ground, suite in
            handshake.inviteClaimed(ground, using: suite)
        }
    }

    mutating func confirm(
        _ ticket: Ticket, _ name: InviteName, by pin: Pin, _ consent: Consent, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard var invite = invites.invites[name], invite.confirmation == .asked else {
            return effects.post(.answer(ticket, .refused(Refusal(.inviteUnknown, [Fact("invite", name)]))))
        }
        let waiting = consents.remove(name)
        switch consent {
        case .yes:
            if case .refused(let refusal) = invites.secret(of: name, for: pin, at: now.wall) {
                end(name, "expired", Self.expired(invite, at: now), at: now, into: &effects)
                return effects.post(.answer(ticket, .refused(refusal)))
            }
            invite = InviteRecord(
                name: name, secret: invite.secret, expires: invite.expires, confirmation: .given, usedBy: pin,
                wrongProofs: invite.wrongProofs)
            invites.write(invite)
            effects.post(.persist(.invite(invite)))
            effects.post(.record(.invite(name, what: "confirmed for \(pin)")))
            if let waiting, waiting.pin == pin {
                advance(waiting.connection, at: now, into: &effects) { handshake, ground, suite in
                    handshake.inviteClaimed(ground, using: suite)
                }
            }
        case .no:
            effects.post(.record(.invite(name, what: "declined \(pin)")))
            end(
                name, "declined by the operator", Refusal(.inviteDeclined, [Fact("invite", name)]), at: now,
                into: &effects)
        }
        effects.post(.answer(ticket, .done))
    }

    mutating func withdraw(
        _ ticket: Ticket, _ name: InviteName, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard invites.invites[name] != nil else {
            return effects.post(.answer(ticket, .refused(Refusal(.inviteUnknown, [Fact("invite", name)]))))
        }
        end(name, "withdrawn", Refusal(.inviteUnknown, [Fact("invite", name)]), at: now, into: &effects)
        effects.post(.answer(ticket, .done))
    }

    /// Five wrong proofs that named an invite end it.
    mutating func countWrongProof(
        _ refusal: Refusal, _ handshake: Handshake, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard refusal.code == .inviteProofWrong, let name = handshake.namedInvite,
            var invite = invites.invites[name],
            handshake.connection.role == .responder
        else { return }
        invite.wrongProofs += 1
        guard invite.wrongProofs >= Limits.wrongProofsPerInvite else {
            invites.write(invite)
            return effects.post(.persist(.invite(invite)))
        }
        end(
            name, "ended after \(invite.wrongProofs) wrong proofs",
            Refusal(.inviteUnknown, [Fact("invite", name)]), at: now, into: &effects)
    }

    private static func expired(_ invite: InviteRecord, at now: Moment) -> Refusal {
        Refusal(
            .inviteExpired,
            [Fact("until", RFC3339.text(invite.expires)), Fact("now", RFC3339.text(now.wall))])
    }

    mutating func expireInvites(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        for invite in invites.takeExpired(at: now.wall) {
            effects.post(.persist(.inviteGone(invite.name)))
            effects.post(
                .record(.invite(invite.name, what: invite.usedBy == nil ? "expired unused" : "expired")))
            abandonHandshakes(
                under: invite.name, Self.expired(invite, at: now), at: now, into: &effects)
        }
        if !invites.isOpen(at: now.wall) { effects.post(.pairing(pairingWindow(at: now))) }
        scheduleInviteExpiry(at: now)
    }

    /// Wall clocks jump, so the alarm looks again at least once a minute.
    func inviteExpiryDelay(at now: Moment) -> Duration? {
        invites.nextExpiry.map { max(.milliseconds(1), min($0 - now.wall, .seconds(60))) }
    }

    mutating func scheduleInviteExpiry(at now: Moment) {
        guard let delay = inviteExpiryDelay(at: now) else { return deadlines.cancel(.inviteExpiry) }
        deadlines.set(.inviteExpiry, at: now.instant + delay)
    }

    private mutating func end(
        _ name: InviteName, _ why: String, _ refusal: Refusal, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        invites.remove(name)
        effects.post(.persist(.inviteGone(name)))
        effects.post(.record(.invite(name, what: why)))
        abandonHandshakes(under: name, refusal, at: now, into: &effects)
        if !invites.isOpen(at: now.wall) { effects.post(.pairing(pairingWindow(at: now))) }
        scheduleInviteExpiry(at: now)
    }

    /// What an invite began does not outlive it, not even while its acceptance is being signed.
    private mutating func abandonHandshakes(
        under name: InviteName, _ refusal: Refusal, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        consents[name] = nil
        for (connection, running) in handshakes where running.handshake.namedInvite == name {
            advance(connection, at: now, into: &effects) { handshake, _, _ in handshake.abandon(refusal) }
        }
    }
}
