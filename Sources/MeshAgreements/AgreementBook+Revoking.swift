import MeshBase

/// Either party ends an agreement by its word alone.
///
///     offered, signed, active ──the operator revokes, signed──> ended(revoked): told first at each link-up
///                             ──the peer's revocation──> ended(revoked): answered, and told no more
///
/// Downward moves wait for nothing: not for the other party, not for a link, not for a clock.
extension AgreementBook {
    /// The operator revokes: the word is signed first. Whichever version is named, the one that is open is
    /// revoked, and with it all.
    mutating func revoke(
        _ order: RevocationOrder, for ticket: Ticket, at now: WallTime, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        func refuse(_ refusal: Refusal) { effects.post(.answered(ticket, .refused([refusal]))) }
        guard let named = record(order.contentID) else {
            return refuse(Refusal(.nothingFound, [Fact("agreement", order.contentID)]))
        }
        guard let record = openVersion(of: named) else {
            return refuse(Refusal(.agreementEnded, [Fact("content id", order.contentID)] + named.ending))
        }
        let order = RevocationOrder(
            contentID: record.contentID, orderedBy: order.orderedBy, reason: order.reason)
        let body: AgreementRevocation
        switch order.revocation(of: record.agreement.id, by: me, at: now) {
        case .refused(let refusal): return refuse(refusal)
        case .allowed(let word): body = word
        }
        let payload = Octets(suite.encoded(body))
        self.order(
            .revocation(body, peer: record.peer, payload: payload, operatorTicket: ticket), over: payload,
            into: &effects)
    }

    /// `record` where it is open; else the version in force that took its place, or the highest that is open.
    private func openVersion(of record: AgreementRecord) -> AgreementRecord? {
        guard !record.isOpen else { return record }
        guard record.state == .ended(.replaced) else { return nil }
        let open = files[record.peer]?.records.values.filter {
            $0.agreement.id == record.agreement.id && $0.isOpen
        }
        return open?.last { $0.isSignedByBoth } ?? open?.last
    }

    /// This node's revocation is signed: from here on it holds.
    mutating func revoked(
        _ document: Signed<AgreementRevocation>, with peer: NodeID, ticket: Ticket,
        into effects: inout Outbox<AgreementEffect>
    ) {
        guard let record = files[peer]?.record(document.body.contentID), record.isOpen else {
            let refusal = Refusal(.agreementEnded, [Fact("content id", document.body.contentID)])
            return effects.post(.answered(ticket, .refused([refusal])))
        }
        end(record, by: document, isHeard: false, as: .revoked, into: &effects)
        effects.post(.send(peer, .revoked(document)))
        if let ended = files[peer]?.record(document.body.contentID) {
            effects.post(.answered(ticket, .done(ended)))
        }
    }

    /// Tells again what the peer has not said that it heard: before anything else on a link.
    func repeatRevocations(to peer: NodeID, into effects: inout Outbox<AgreementEffect>) {
        for record in files[peer]?.records.values ?? [] {
            guard case .ended(.revoked(let document, isHeard: false)) = record.state,
                document.body.revokedBy == me
            else { continue }
            effects.post(.send(peer, .revoked(document)))
        }
    }

    /// The peer revokes. What it never offered, or was forgotten here, is answered all the same: it is over.
    mutating func hearRevocation(
        _ document: Signed<AgreementRevocation>, from peer: NodeID, key: PublicKey, at now: Instant,
        using suite: some SignatureSuite, into effects: inout Outbox<AgreementEffect>
    ) {
        let contentID = document.body.contentID
        // A version that never came, of an agreement that did: the others of it are over as well.
        let standing = files[peer]?.records.values.first {
            $0.agreement.id == document.body.agreement && $0.isOpen
        }
        if let damaged = files[peer]?.damaged[contentID] {
            guard takesCheck(of: peer, at: now), document.isWord(of: peer, key: key, using: suite) else {
                return
            }
            bury(damaged, because: "the other party revoked it", nil, into: &effects)
            effects.post(.changed(peer))
        }
        guard let record = files[peer]?.record(contentID) ?? standing else {
            return effects.post(.send(peer, .revocationHeard(contentID)))
        }
        if case .ended(.revoked) = record.state {
            return effects.post(.send(peer, .revocationHeard(contentID)))
        }
        guard takesCheck(of: peer, at: now) else { return }
        guard document.isWord(of: peer, key: key, using: suite) else {
            let refusal = Refusal(.documentInvalid, [Fact("signature by", suite.pin(of: key))])
            return effects.post(
                .record(
                    AgreementNotice(
                        peer: peer, action: .revokedByPeer, contentID: contentID, refusals: [refusal],
                        agreement: record.agreement)))
        }
        end(record, by: document, isHeard: true, as: .revokedByPeer, into: &effects)
        effects.post(.send(peer, .revocationHeard(contentID)))
    }

    /// The peer has this node's revocation.
    mutating func hearOfHearing(
        _ contentID: Digest, from peer: NodeID, into effects: inout Outbox<AgreementEffect>
    ) {
        guard var record = files[peer]?.record(contentID),
            case .ended(.revoked(let document, isHeard: false)) = record.state, document.body.revokedBy == me
        else { return }
        record.state = .ended(.revoked(document, isHeard: true))
        settle(record, as: .revocationHeard, into: &effects)
    }

    /// The revocation of `id` with `peer`; nil when it was not revoked.
    func revocation(of id: AgreementID, with peer: NodeID) -> AgreementRevocation? {
        for record in files[peer]?.records.values ?? [] where record.agreement.id == id {
            if case .ended(.revoked(let document, _)) = record.state { return document.body }
        }
        return nil
    }

    /// The named version is revoked, whatever it was; the others of its agreement are, if they are open.
    private mutating func end(
        _ record: AgreementRecord, by document: Signed<AgreementRevocation>, isHeard: Bool,
        as action: AgreementAction, into effects: inout Outbox<AgreementEffect>
    ) {
        for other in files[record.peer]?.records.values ?? []
        where other.contentID == record.contentID
            || other.agreement.id == record.agreement.id && other.isOpen
        {
            var ended = other
            // Only the version that the document names is what it is told and answered for.
            ended.state = .ended(
                .revoked(document, isHeard: isHeard || other.contentID != record.contentID))
            settle(ended, as: action, into: &effects)
        }
    }
}

extension AgreementBook.PeerFile {
    /// The record of this content id.
    func record(_ contentID: Digest) -> AgreementRecord? {
        records.values.first { $0.contentID == contentID }
    }
}

extension AgreementRecord {
    /// How it ended, for a refusal that rests on it; empty while it is open.
    var ending: [Fact] {
        switch state {
        case .offered, .signed, .active: []
        case .ended(.replaced): [Fact("ended", "a higher version took its place")]
        case .ended(.rejected): [Fact("ended", "rejected")]
        case .ended(.vetoed): [Fact("ended", "vetoed")] + (veto?.facts ?? [])
        case .ended(.revoked(let document, _)): document.body.facts
        }
    }
}

extension Signed<AgreementRevocation> {
    /// Whether it is `node`'s own, signed with its key.
    fileprivate func isWord(of node: NodeID, key: PublicKey, using suite: some SignatureSuite) -> Bool {
        body.revokedBy == node && body.isWellFormed && isSigned(by: key, using: suite)
    }
}
