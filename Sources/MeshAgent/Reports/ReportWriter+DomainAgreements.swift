import MeshAgreements
import MeshBase
import MeshControl
import MeshNode
import MeshTrust

// What is agreed where a party is a domain.
extension ReportWriter {
    /// One agreement of a domain. `peer` is the node that signed for the other party, or offered it.
    func report(of record: DomainAgreementRecord<CredentialChain>) -> AgreementReport {
        let agreement = record.agreement
        let isProvider = isOurs(agreement.source)
        let signers = record.content.signatories.map { NodeID(suite.pin(of: $0.key).digest) }
        let other = (isProvider ? signers.dropFirst().first : signers.first) ?? agreement.createdBy
        var report = AgreementReport(
            id: record.contentID.description, role: isProvider ? .provider : .consumer,
            peer: reference(other), resources: agreement.grants.map(\.resource),
            capabilities: capabilities(of: agreement),
            conditions: agreement.conditions.map { ConditionsReport($0) },
            limits: agreement.limits.map { LimitsReport($0) }, usage: usage(of: agreement),
            callsAtEnd: LimitsReport.CallsAtEnd(agreement.callsAtEnd ?? .finish), state: state(of: record),
            offered: Timestamp(agreement.created), from: agreement.validFrom.map { Timestamp($0) },
            until: Timestamp(agreement.validUntil), facts: facts(of: record))
        report.grants = agreement.grants.map {
            GrantReport(
                resource: $0.resource, capabilities: $0.capabilities ?? [], namespaces: $0.namespaces ?? [])
        }
        report.commitments = agreement.commitments.map { CommitmentsReport($0) }
        report.parties = AgreementReport.Parties(
            provider: partyReport(agreement.source), consumer: partyReport(agreement.target))
        return report
    }

    /// How it stands now, its times included.
    func state(of record: DomainAgreementRecord<CredentialChain>) -> AgreementReport.State {
        guard record.isOpen else { return .ended }
        if now.wall + AgreementLimits.clockMargin > record.agreement.validUntil { return .expired }
        guard record.content.stage == .active else { return .offered }
        return PolicyEvaluator.isInTime(record.agreement, at: now.wall) ? .active : .early
    }

    private func facts(of record: DomainAgreementRecord<CredentialChain>) -> [Fact] {
        let agreement = record.agreement
        let signed = zip([agreement.source, agreement.target], record.content.signatories).map { party, who in
            Fact(
                "signed for \(partyTitle(party))",
                title(NodeID(suite.pin(of: who.key).digest)))
        }
        return [Fact("agreement", agreement.id), Fact("version", agreement.version)] + signed + record.ending
    }

    /// What people here call a party: a node's name, a domain's label, else the beginning of its ID.
    func partyTitle(_ party: AgreementParty) -> String { partyReport(party).title }

    private func partyReport(_ party: AgreementParty) -> AgreementReport.Party {
        switch party {
        case .node(let id):
            AgreementReport.Party(kind: .node, name: reference(id).name, id: id.description, isOurs: id == me)
        case .domain(let domain):
            AgreementReport.Party(
                kind: .domain, name: node.trust.domains.label(of: domain), id: domain.description,
                isOurs: isOurs(party))
        }
    }

    /// Whether this node is the party, or one of it.
    private func isOurs(_ party: AgreementParty) -> Bool {
        switch party {
        case .node(let id): id == me
        case .domain(let domain): node.agreements.membership(of: me)?.domain == domain
        }
    }

    /// The one agreement of a domain whose content id begins with `wanted`, where no other begins so.
    func domainAgreementRecord(_ wanted: String) -> DomainAgreementRecord<CredentialChain>? {
        guard !wanted.isEmpty, agreementRecords(wanted).isEmpty else { return nil }
        let matching = Self.named(wanted, among: node.domainAgreements.records, \.contentID, \.agreement)
        return matching.count == 1 ? matching[0] : nil
    }

    /// The domain that `text` names: this node's own, or a partner.
    func domain(named text: String) -> Ruling<DomainID> {
        if let home = node.trust.domains.home,
            text == home.label.description || text == home.domain.description
        {
            return .allowed(home.domain)
        }
        return partner(named: text)
    }

    /// This node's own domain.
    var ownDomain: Ruling<DomainID> {
        node.trust.domains.home.map { .allowed($0.domain) }
            ?? .refused(Refusal(.domainMissing, [Fact("domains", 0)]))
    }
}
