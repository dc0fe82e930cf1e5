import MeshBase

/// From the second signature to force, at once or through approvals.
extension AgreementBook {
    /// The second signature is there, and with it everything that the version asks for, or not yet.
    func countersigned(
        _ record: AgreementRecord, with second: DocumentSignature, _ acceptance: AgreementAcceptance
    ) -> AgreementRecord {
        var active = record
        active.document = Signed(
            body: record.agreement, payload: record.document.payload,
            signatures: record.document.signatures.prefix(1) + [second])
        let isComplete = record.agreement.approvals == nil && record.areApprovalsHeard
        active.state = isComplete ? .active(acceptance: acceptance) : .signed(acceptance: acceptance)
        return active
    }

    /// The second signature came.
    mutating func activate(
        _ record: AgreementRecord, with second: DocumentSignature, acceptance: AgreementAcceptance,
        as action: AgreementAction, into effects: inout Outbox<AgreementEffect>
    ) {
        let signed = countersigned(record, with: second, acceptance)
        settle(signed, as: action, into: &effects)
        if case .active = signed.state { return endLower(than: signed, into: &effects) }
        advance(signed, into: &effects)
    }

    /// A version is in force: lower ones of its id are over.
    mutating func endLower(than record: AgreementRecord, into effects: inout Outbox<AgreementEffect>) {
        for other in files[record.peer]?.records.values ?? []
        where other.isOpen && other.agreement.id == record.agreement.id
            && other.agreement.version < record.agreement.version
        {
            var replaced = other
            replaced.state = .ended(.replaced)
            settle(replaced, as: .replaced, into: &effects)
        }
    }

    /// Two signatures are there: the version comes into force when everything that it asks for is there too.
    mutating func advance(_ record: AgreementRecord, into effects: inout Outbox<AgreementEffect>) {
        guard case .signed(let acceptance) = record.state, record.isApproved, record.areApprovalsHeard else {
            return
        }
        var active = record
        active.state = .active(acceptance: acceptance)
        settle(active, as: .activated, into: &effects)
        endLower(than: active, into: &effects)
    }
}
