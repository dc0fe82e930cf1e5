import MeshAgreements
import MeshBase
import MeshControl
import MeshNode
import MeshTrust

// What is agreed.
extension ReportWriter {
    /// Every agreement that is kept: living ones first, then by peer, the newest first.
    var agreements: [AgreementReport] {
        let ofDomains = node.domainAgreements.records.map(report(of:))
        return (node.agreements.records.map(report(of:)) + ofDomains).sorted { left, right in
            (left.isLiving ? 0 : 1, left.other, right.offered) < (
                right.isLiving ? 0 : 1, right.other, left.offered
            )
        }
    }

    /// One agreement.
    func report(of record: AgreementRecord) -> AgreementReport {
        let agreement = record.agreement
        var report = AgreementReport(
            id: record.contentID.description, role: agreement.source == me ? .provider : .consumer,
            peer: reference(record.peer), resources: agreement.grants.map(\.resource),
            capabilities: capabilities(of: agreement),
            conditions: agreement.conditions.map { ConditionsReport($0) },
            approvals: approvals(of: record),
            limits: agreement.limits.map { LimitsReport($0) }, usage: usage(of: agreement),
            callsAtEnd: LimitsReport.CallsAtEnd(agreement.callsAtEnd ?? .finish), state: state(of: record),
            offered: Timestamp(agreement.created), from: agreement.validFrom.map { Timestamp($0) },
            until: Timestamp(agreement.validUntil),
            facts: facts(of: record))
        report.grants = agreement.grants.map {
            GrantReport(
                resource: $0.resource, capabilities: $0.capabilities ?? [], namespaces: $0.namespaces ?? [])
        }
        report.commitments = agreement.commitments.map { CommitmentsReport($0) }
        return report
    }

    /// The identity keys of an agreement's parties, the provider's first, as far as they are held here.
    func keys(of record: AgreementRecord) -> [PublicKey] {
        [record.agreement.source, record.agreement.target].compactMap(\.node).compactMap { party in
            party == me ? node.me.key : node.trust.pins[party]?.key
        }
    }

    /// What of its quotas is used here.
    func usage(of agreement: Agreement) -> [UsageReport] {
        guard let limits = agreement.limits else { return [] }
        return meters.readings(of: limits, of: agreement, at: now.wall).map { UsageReport($0) }
    }

    /// How a record stands now, its times included.
    func state(of record: AgreementRecord) -> AgreementReport.State {
        let agreement = record.agreement
        let isOver = now.wall + AgreementLimits.clockMargin > agreement.validUntil
        switch record.state {
        case .offered: return isOver ? .expired : .offered
        case .signed: return isOver ? .expired : .signed
        case .active:
            if isOver { return .expired }
            guard record.isApproved else { return .signed }
            return PolicyEvaluator.isInTime(agreement, at: now.wall) ? .active : .early
        case .ended: return .ended
        }
    }

    /// The one agreement whose content id begins with `text`, the house agreement among them.
    func agreementReport(_ text: String) -> Ruling<AgreementDetail> {
        let wanted = text.lowercased()
        let house = house
        let isHouse = wanted == "house" || !wanted.isEmpty && house?.id?.hasPrefix(wanted) == true
        if isHouse, let house, wanted == "house" || agreementRecords(wanted).isEmpty {
            return .allowed(.house(house))
        }
        if let record = domainAgreementRecord(wanted) { return .allowed(.pair(report(of: record))) }
        switch isHouse ? notFound(text) : agreementRecord(text) {
        case .allowed(let record): return .allowed(.pair(report(of: record)))
        case .refused(let refusal): return .refused(refusal)
        }
    }

    /// What two agreements say differently.
    func comparison(of first: AgreementRecord, with second: AgreementRecord) -> AgreementComparison {
        AgreementComparison(
            first: first.contentID.description, second: second.contentID.description,
            differences: first.agreement.differences(from: second.agreement) { partyTitle($0) }
                .map { .init(subject: $0.subject, first: $0.first, second: $0.second) })
    }

    /// What a replay found.
    func report(
        of history: HistoryReplay, since: WallTime, before: String, after: String
    ) -> ReplayReport {
        let replay = history.replay
        return ReplayReport(
            since: Timestamp(since), before: before, after: after, calls: replay.calls,
            allowed: replay.permitted, refused: replay.refused, lost: replay.lost, gained: replay.gained,
            changes: replay.changes.map { change, share in
                ReplayReport.Change(
                    direction: change.direction == .lost ? .lost : .gained, calls: share.count,
                    caller: reference(change.caller), principal: change.principal,
                    callee: reference(change.callee), resource: change.resource,
                    capability: change.capability, code: change.code, examples: share.examples)
            },
            ungrouped: replay.ungrouped, unreadable: history.unreadable, unplaced: history.unplaced,
            kept: history.kept.calls, keptGained: history.kept.gained,
            leavesOutLimits: history.leavesOutLimits, isTruncated: history.isTruncated)
    }

    /// The one agreement with a peer whose content id begins with `text`; or, as refusals name it, the
    /// newest version of the one whose own id does.
    func agreementRecord(_ text: String) -> Ruling<AgreementRecord> {
        let wanted = text.lowercased()
        let matching = agreementRecords(wanted)
        if matching.count == 1 { return .allowed(matching[0]) }
        let damaged = node.agreements.damaged.filter { $0.contentID.description.hasPrefix(wanted) }
        guard matching.isEmpty, damaged.count == 1, !wanted.isEmpty else { return notFound(text) }
        return .refused(refusal(of: damaged[0]))
    }

    /// What is known of an agreement that the store holds otherwise than it was signed. Its terms are not
    /// shown: nobody signed them.
    private func refusal(of damaged: DamagedAgreement) -> Refusal {
        let known = damaged.refusal.facts
        return Refusal(
            damaged.refusal.code,
            [Fact("with", title(damaged.peer))] + known + [
                Fact("honoured", "nothing of it, and no version up to this one is taken again"),
                Fact(
                    "to mend it",
                    "let the other party revoke it and offer anew, agree in a higher version where the "
                        + "other party provides, or put the store back from a backup"),
            ])
    }

    func agreementRecords(_ wanted: String) -> [AgreementRecord] {
        Self.named(wanted, among: node.agreements.records, \.contentID, \.agreement)
    }

    /// Those whose content id begins with `wanted`; where there are none, those whose own id does, of one
    /// agreement the newest version alone.
    static func named<Record>(
        _ wanted: String, among records: [Record], _ contentID: (Record) -> Digest,
        _ agreement: (Record) -> Agreement
    ) -> [Record] {
        guard !wanted.isEmpty else { return [] }
        let exact = records.filter { contentID($0).description.hasPrefix(wanted) }
        guard exact.isEmpty else { return exact }
        let versions = records.filter { agreement($0).id.description.hasPrefix(wanted) }
        guard Set(versions.map { agreement($0).id }).count == 1 else { return versions }
        return versions.max { agreement($0).version < agreement($1).version }.map { [$0] } ?? []
    }

    private func notFound(_ text: String) -> Ruling<AgreementRecord> {
        .refused(
            Refusal(
                .nothingFound,
                [
                    Fact("given", String(text.prefix(64))),
                    Fact("agreements that begin so", agreementRecords(text.lowercased()).count),
                    Fact(
                        "agreements in all",
                        node.agreements.records.count + node.domainAgreements.records.count),
                ]))
    }

    /// The first agreement by which this node may call `resource` at `peer` now; nil when none covers it.
    func permit(for resource: ResourceName, at peer: NodeID) -> AgreementRecord? {
        living(with: peer).first { record in
            state(of: record) == .active && record.agreement.source == peer
                && record.agreement.grants.contains { $0.resource == resource }
        }
    }

    /// What is neither over nor ended with `peer`.
    func living(with peer: NodeID) -> [AgreementRecord] {
        node.agreements.records.filter { $0.peer == peer && AgreementReport.isLiving(state(of: $0)) }
    }

    /// All capabilities where every grant covers all; else those that are named, whatever the resource.
    func capabilities(of agreement: Agreement) -> [ResourceName] {
        var names = OrderedTable<ResourceName, Bool>()
        for name in agreement.grants.flatMap({ $0.capabilities ?? [] }) { names[name] = true }
        return names.keys
    }

    private func facts(of record: AgreementRecord) -> [Fact] {
        let agreement = record.agreement
        var facts = [
            Fact("agreement", agreement.id), Fact("version", agreement.version),
            Fact("offered by", title(agreement.createdBy)),
            Fact(
                "signed by",
                record.document.signatures.map { signer($0.signer, peer: record.peer) }.joined(
                    separator: ", ")),
        ]
        if record.origin == .builtIn { facts.append(Fact("origin", "built-in offer, renewed by itself")) }
        switch record.state {
        case .offered: break
        case .signed: facts.append(Fact("signed", "by both; approvals are missing, or not known at both"))
        case .ended(.vetoed): facts += [Fact("ended", "vetoed")]
        case .active(.automatic): facts.append(Fact("accepted", "by this node's rule"))
        case .active(.byOperator): facts.append(Fact("accepted", "by this node's operator"))
        case .active(.byPeer): facts.append(Fact("accepted", "by \(title(record.peer))"))
        case .ended(.rejected(let refusals)):
            facts.append(Fact("ended", "rejected"))
            facts += refusals.flatMap { [Fact("because", $0.code.rawValue)] + $0.facts }
        case .ended(.replaced): facts.append(Fact("ended", "a higher version took its place"))
        case .ended(.revoked(let document, let isHeard)):
            let body = document.body
            facts += [
                Fact("ended", "revoked"), Fact("revoked by", title(body.revokedBy)),
                Fact("ordered by", body.orderedBy),
                Fact("reason", body.reason.isEmpty ? "none given" : body.reason),
                Fact("revoked at", RFC3339.text(body.revoked)),
            ]
            if body.revokedBy == me {
                facts.append(Fact("told", isHeard ? "the peer has it" : "not yet: at the next link"))
            }
        }
        return facts
    }

    private func signer(_ pin: Pin, peer: NodeID) -> String {
        if pin == suite.pin(of: node.me.key) { return node.me.name.description }
        return pin == node.trust.pins[peer]?.pin ? title(peer) : "a key with the pin \(pin)"
    }
}

extension AgreementReport {
    static func isLiving(_ state: State) -> Bool {
        switch state {
        case .offered, .signed, .early, .active: true
        case .expired, .ended: false
        }
    }

    var isLiving: Bool { AgreementReport.isLiving(state) }
}
