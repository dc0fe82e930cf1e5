import MeshBase

// Who has approved, and what is still missing.
extension AgreementRecord {
    /// In which roles people of `party` have approved.
    public func approvedRoles(of party: NodeID) -> [ApprovalRole] {
        let given = approvals.filter { $0.evidence.party == party && $0.body.decision == .approve }
        return ApprovalRole.allCases.filter { role in given.contains { $0.body.roles.contains(role) } }
    }

    /// In which roles people of `party` have yet to approve; `policy` is asked for beside what is agreed.
    public func approvalsMissing(of party: NodeID, policy: [ApprovalRole] = []) -> [ApprovalRole] {
        let given = approvedRoles(of: party)
        let wanted = agreement.approvalsRequired(of: party) + policy
        return ApprovalRole.allCases.filter { wanted.contains($0) && !given.contains($0) }
    }

    /// Whether people of both parties have approved in every role that the agreement asks for.
    public var isApproved: Bool {
        [agreement.source, agreement.target].allSatisfy { party in
            party.node.map { approvalsMissing(of: $0).isEmpty } ?? true
        }
    }

    /// Whether the other party has all that this node's people said.
    var areApprovalsHeard: Bool {
        approvals.allSatisfy { $0.isHeard || $0.body.decision == .veto }
    }

    /// Whether a word adds nothing: it is here, or its person has approved in all of its roles already.
    func covers(_ evidence: VouchedApproval) -> Bool {
        let word = evidence.approval.body
        let ofPerson = approvals.filter {
            $0.body.person == word.person && $0.evidence.party == evidence.party
        }
        let payload = evidence.approval.payload
        if ofPerson.contains(where: { $0.evidence.approval.payload == payload }) { return true }
        return word.decision == .approve && !word.roles.isEmpty
            && word.roles.allSatisfy { role in
                ofPerson.contains { $0.body.decision == .approve && $0.body.roles.contains(role) }
            }
    }

    /// Who said no; nil: nobody.
    public var veto: ApprovalRecord? { approvals.first { $0.body.decision == .veto } }

    /// What stands between two signatures and force, for a refusal that rests on it; empty when nothing does.
    var lacking: [Fact] {
        func missing(_ title: String, of party: AgreementParty) -> [Fact] {
            let roles = party.node.map { approvalsMissing(of: $0) } ?? []
            return roles.isEmpty ? [] : [Fact(title, ApprovalRules.words(roles))]
        }
        let missing =
            missing("missing at the provider", of: agreement.source)
            + missing("missing at the consumer", of: agreement.target)
        if missing.isEmpty, case .signed = state {
            return [Fact("waits for", "the other party's word that it has the approvals")]
        }
        return missing
    }
}

extension ApprovalRecord {
    /// For a refusal that rests on it.
    var facts: [Fact] {
        [
            Fact("person", person), Fact("vouched for by", evidence.party),
            Fact("roles", ApprovalRules.words(body.roles)),
            Fact("reason", body.reason.isEmpty ? "none given" : body.reason),
            Fact("given", RFC3339.text(body.given)),
        ]
    }
}
