import MeshAgreements
import MeshBase
import MeshControl
import MeshNode

// Who approves, and for whom this node vouches.
extension ReportWriter {
    /// Everybody, by name.
    var people: PeopleReport { PeopleReport(people: node.agreements.people.map(report(of:))) }

    /// One person.
    func report(of person: VouchingRecord) -> PersonReport {
        let body = person.body
        let state: PersonReport.State =
            person.ended != nil ? .ended : now.wall > body.until ? .expired : .vouched
        return PersonReport(
            name: body.name, pin: suite.pin(of: body.key).description,
            roles: body.roles.map { PersonRole($0) }, state: state, from: Timestamp(body.issued),
            until: Timestamp(person.ended ?? body.until))
    }

    /// Who must approve `record`, and who has; nil where nobody must and nobody did.
    func approvals(of record: AgreementRecord) -> ApprovalsReport? {
        let agreement = record.agreement
        let policy = policy(for: record)
        let here = agreement.approvalsRequired(of: me) + policy
        let there = agreement.approvalsRequired(of: record.peer)
        guard !here.isEmpty || !there.isEmpty || !record.approvals.isEmpty else { return nil }
        let missing = record.approvalsMissing(of: me, policy: policy)
        return ApprovalsReport(
            askedHere: ApprovalRole.allCases.filter(here.contains).map { PersonRole($0) },
            askedThere: there.map { PersonRole($0) }, missingHere: missing.map { PersonRole($0) },
            missingThere: record.approvalsMissing(of: record.peer).map { PersonRole($0) },
            words: record.approvals.map(word), next: nextStep(for: record, missing: missing))
    }

    /// Agreements that wait for this node's people.
    var approvalAttention: [AttentionReport] {
        node.agreements.records.compactMap { record in
            guard record.isOpen, state(of: record) != .expired else { return nil }
            let missing = record.approvalsMissing(of: me, policy: policy(for: record))
            guard !missing.isEmpty else { return nil }
            let resources = record.agreement.grants.map(\.resource.description).joined(separator: ", ")
            let roles = PersonText.words(missing.map { PersonRole($0) })
            return AttentionReport(
                what: "the agreement with \(title(record.peer)) on \(resources) waits for approval here: "
                    + roles,
                next: "comity agreement approve \(record.contentID.description.prefix(12)) --key FILE")
        }
    }

    /// Agreements whose bytes in the store are not those that were signed.
    var damageAttention: [AttentionReport] {
        node.agreements.damaged.map { damaged in
            AttentionReport(
                what: "the store holds the agreement \(damaged.contentID.description.prefix(12)) with "
                    + "\(title(damaged.peer)) not as it was signed, and does not honour it: "
                    + damaged.refusal.problem,
                next: "comity agreement show \(damaged.contentID.description.prefix(12))")
        }
    }

    /// Persons for whom nobody vouches any more, because the store holds other statements than were signed.
    var peopleDamageAttention: [AttentionReport] {
        node.damagedPeople.values.map { damaged in
            AttentionReport(
                what: "the store holds the person \(damaged.name) not as this node signed, and vouches for "
                    + "nobody by it: \(damaged.refusal.problem)",
                next: "comity key create \(damaged.name) --role responsible --file FILE")
        }
    }

    /// What this node's own rule asks for before it signs: of a peer's offer only, for its own offers say so.
    private func policy(for record: AgreementRecord) -> [ApprovalRole] {
        record.origin == .peer && record.state == .offered
            ? node.agreements.configuration.approvalsRequired : []
    }

    private func word(_ approval: ApprovalRecord) -> ApprovalsReport.Word {
        ApprovalsReport.Word(
            person: approval.person, vouchedFor: reference(approval.evidence.party),
            roles: approval.body.roles.map { PersonRole($0) },
            isApproval: approval.body.decision == .approve, reason: approval.body.reason,
            given: Timestamp(approval.body.given),
            vouchedUntil: Timestamp(approval.evidence.vouching.body.until), isTold: approval.isHeard,
            refusals: approval.refusals)
    }

    private func nextStep(for record: AgreementRecord, missing: [ApprovalRole]) -> String? {
        guard record.isOpen, state(of: record) != .expired else { return nil }
        let id = record.contentID.description.prefix(12)
        if !missing.isEmpty { return "comity agreement approve \(id) --key FILE" }
        return record.origin == .peer && record.state == .offered ? "comity agreement accept \(id)" : nil
    }
}

// One vocabulary for people, the other signed: a case that one lacks does not compile.
extension PersonRole {
    init(_ role: ApprovalRole) {
        switch role {
        case .responsible: self = .responsible
        case .accountable: self = .accountable
        case .consulted: self = .consulted
        case .informed: self = .informed
        }
    }

    /// What is signed.
    var role: ApprovalRole {
        switch self {
        case .responsible: .responsible
        case .accountable: .accountable
        case .consulted: .consulted
        case .informed: .informed
        }
    }
}

extension Refusal {
    /// What is wrong with a document, in its words; empty where it says nothing of that.
    fileprivate var problem: String { facts.first { $0.name == "problem" }?.value ?? "" }
}
