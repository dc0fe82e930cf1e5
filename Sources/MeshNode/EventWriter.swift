import MeshAgreements
import MeshAudit
import MeshBase
import MeshGossip
import MeshTrust

/// Turns what the machines tell into audit events. It decides nothing but the words; id and time are the
/// audit log's.
struct EventWriter: Sendable, Equatable {
    let me: NodeID

    func event(of event: TrustEvent) -> AuditEvent {
        switch event {
        case .handshakeRefused(let reference, let remote, let claimed, let refusal):
            return make(
                .trust, "handshake refused", from: claimed, to: me, [refusal],
                [Fact("reference", Hexadecimal.encode(reference.bytes)), Fact("address", remote)])
        case .handshakeDenied(let remote, let expected, let denial):
            return make(
                .trust, "handshake denied by peer", from: me, to: expected,
                [Refusal(denial.code, denial.facts)],
                [Fact("reference", Hexadecimal.encode(denial.reference.bytes)), Fact("address", remote)])
        case .stateChanged(let node, let name, let old, let new, let evidence):
            var facts = [
                Fact("peer", name), Fact("from", old?.rawValue ?? "unknown"),
                Fact("to", new?.rawValue ?? "forgotten"),
                Fact("evidence", evidence.kind.rawValue), Fact("note", evidence.note),
            ]
            if let transcript = evidence.transcript { facts.append(Fact("transcript", transcript)) }
            return make(
                .trust, "peer \(new?.rawValue ?? "forgotten")", from: me, to: node, [], facts)
        case .invite(let name, let what):
            return make(
                .trust, "invite", from: me, to: me, [], [Fact("invite", name), Fact("what", what)])
        case .pairing(let what, let node, let remote):
            let place = remote.map { [Fact("address", $0)] } ?? []
            return make(
                .trust, "pairing by words", from: node ?? me, to: me, [], [Fact("what", what)] + place)
        case .noticed(let node, let notice):
            return make(
                .trust, "peer told its decision", from: node, to: me, [],
                [Fact("decision", notice.decision.rawValue)])
        case .left(let node, let until):
            return make(.trust, "peer left", from: node, to: me, [], [Fact("until", until.rawValue)])
        case .bootRaised(let node, let old, let new):
            return make(
                .node, "boot raised after a restore", from: node, to: me, [],
                [Fact("from", old.number), Fact("to", new.number)])
        case .domain(let node, let what, let facts):
            return make(.trust, what, from: me, to: node, [], facts)
        case .paperRefused(let node, let refusal):
            return make(.trust, "partner domain refused", from: node, to: me, [refusal], [])
        case .credentialRefused(let node, let refusal):
            return make(.trust, "credential refused", from: node, to: me, [refusal], [])
        case .enrolmentRefused(let refusal):
            return make(.trust, "enrolment refused", from: me, to: me, [refusal], [])
        case .bootReturned(let node, let accepted, let returned):
            let refusal = Refusal(
                .bootReturned, [Fact("accepted", accepted.number), Fact("returned", returned.number)])
            return make(.trust, "boot returned", from: node, to: me, [refusal], [])
        }
    }

    func event(of event: GossipEvent) -> AuditEvent {
        switch event {
        case .linkUp(let node, let remote, let relay):
            let place = relay.map { Fact("carried by", $0) } ?? Fact("address", remote)
            return make(.link, "link up", from: me, to: node, [], [place])
        case .linkDown(let node, .idle):
            return make(.link, "link at rest", from: me, to: node, [], [])
        case .linkDown(let node, let loss):
            return make(.link, "link down", from: me, to: node, [], [Fact("because", loss.rawValue)])
        case .messageInvalid(let node, let refusal):
            return make(.link, "document refused", from: node, to: me, [refusal], [])
        case .ownHeadRecovered(let node, let sequence):
            return make(
                .node, "own head recovered from peer", from: node, to: me, [], [Fact("sequence", sequence)])
        case .epochBegan(let node, let epoch, let givenUp):
            return make(
                .node, "epoch begun", from: node, to: me, [],
                [Fact("epoch", epoch), Fact("sequence given up", givenUp)])
        case .answerWithheld(let node, let refusal):
            return make(.link, "answer withheld", from: node, to: me, [refusal], [])
        case .messageDropped(let node, let refusal):
            return make(.link, "message dropped", from: node, to: me, [refusal], [])
        }
    }

    func event(of notice: AgreementNotice) -> AuditEvent {
        var event = make(
            .agreement, notice.action.rawValue, from: me, to: notice.peer, notice.refusals, notice.facts)
        event.agreement = notice.contentID
        return event
    }

    /// What the next command shows in full.
    func event(of drift: Drift, with node: NodeID, called name: String) -> AuditEvent {
        let told = drift.differences.prefix(8).flatMap {
            [Fact("about", $0.subject), Fact("here", $0.here), Fact("there", $0.there)]
        }
        return make(
            .agreement, "drift", from: me, to: node, [],
            [Fact("differences", drift.differences.count)] + told
                + [Fact("next", "comity explain peer \(name)")])
    }

    func event(ofEndOf drift: Drift, with node: NodeID, at now: WallTime) -> AuditEvent {
        make(
            .agreement, "drift over", from: me, to: node, [],
            [Fact("lasted in ms", max(0, (now - drift.since).wholeMilliseconds))])
    }

    func administration(_ action: String, _ facts: [Fact]) -> AuditEvent {
        make(.administration, action, from: me, to: me, [], facts)
    }

    private func make(
        _ type: AuditEventType, _ action: String, from source: NodeID?, to target: NodeID?,
        _ refusals: [Refusal],
        _ metadata: [Fact]
    ) -> AuditEvent {
        AuditEvent(
            type: type,
            source: source ?? me,
            target: target ?? me, action: action, success: refusals.isEmpty, refusals: refusals,
            metadata: metadata)
    }
}
