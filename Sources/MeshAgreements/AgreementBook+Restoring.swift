import MeshBase

/// What the store kept is taken up, and what a crash broke off is brought to its end.
///
/// One step may write several times. A crash between two writes leaves a lower version in force beside the
/// one that took its place, a version open whose agreement was revoked, or one that lacks nothing out of
/// force. The other party, which took the whole step, would say nothing more about it.
extension AgreementBook {
    /// - Parameter damaged: what is not as it was signed: nothing is honoured of it, and no version up to it
    ///   is taken again.
    mutating func restore(
        _ records: [AgreementRecord], damaged: [DamagedAgreement],
        into effects: inout Outbox<AgreementEffect>
    ) {
        for record in records {
            files.edit(record.peer) { $0.records[AgreementVersion(record.agreement)] = record }
            note(record)
            changed.append(record.peer)
        }
        for agreement in damaged {
            files.edit(agreement.peer) { $0.damaged[agreement.contentID] = agreement }
        }
        for record in self.records {
            finish(record, into: &effects)
            bury(beneath: record, into: &effects)
        }
    }

    /// Forgets what is damaged and stands beneath `record`, once both have signed that: it then guards the
    /// versions up to its own. What does not say which agreement it is stays, and so does its attention.
    mutating func bury(beneath record: AgreementRecord, into effects: inout Outbox<AgreementEffect>) {
        guard record.isSignedByBoth else { return }
        let (id, version) = (record.agreement.id, record.agreement.version)
        for damaged in files[record.peer]?.damaged.values ?? []
        where damaged.id == id && damaged.version < version {
            bury(damaged, because: "a higher version took its place", record.agreement, into: &effects)
        }
    }

    /// Forgets one that is damaged.
    mutating func bury(
        _ damaged: DamagedAgreement, because: String, _ agreement: Agreement?,
        into effects: inout Outbox<AgreementEffect>
    ) {
        files.update(damaged.peer) { $0.damaged[damaged.contentID] = nil }
        effects.post(.forget(damaged.contentID))
        effects.post(
            .record(
                AgreementNotice(
                    peer: damaged.peer, action: .buried, contentID: damaged.contentID, agreement: agreement,
                    more: [Fact("damaged version", damaged.version), Fact("because", because)])))
    }

    /// Does what was done when `record` was written.
    private mutating func finish(
        _ record: AgreementRecord, into effects: inout Outbox<AgreementEffect>
    ) {
        switch record.state {
        case .signed: advance(record, into: &effects)
        case .active: endLower(than: record, into: &effects)
        case .ended(.revoked(let document, _)):
            for other in files[record.peer]?.records.values ?? []
            where other.isOpen && other.agreement.id == record.agreement.id {
                var ended = other
                let isNamed = other.contentID == document.body.contentID
                let isOwn = document.body.revokedBy == me
                ended.state = .ended(.revoked(document, isHeard: !isNamed || !isOwn))
                settle(ended, as: isOwn ? .revoked : .revokedByPeer, into: &effects)
            }
        case .offered, .ended: break
        }
    }
}
