import MeshAgreements
import MeshBase
import MeshNode

// People who approve agreements: one at each host, who now and then says no.
extension World {
    /// One offer in five asks people of both sides, or of one.
    mutating func drawApprovals(_ host: Int, _ peer: Int) -> ApprovalRules? {
        let draw = script.people.number(below: 15)
        guard draw < 3 else { return nil }
        for side in [host, peer] {
            let delay = script.people.duration(from: .milliseconds(500), through: .seconds(4))
            schedule(.operate(.people(host: side, looks: 12)), after: delay)
        }
        return ApprovalRules(
            provider: draw == 1 ? [] : [.accountable], consumer: draw == 2 ? [] : [.accountable])
    }

    /// The host's person says what is missing, once its node vouches for it; the operator accepts what then
    /// waits for it alone.
    mutating func lookToApprovals(_ host: Int, looks: Int) {
        guard looks > 0, !isCalm else { return }
        let pause = script.people.duration(from: .seconds(2), through: .seconds(8))
        schedule(.operate(.people(host: host, looks: looks - 1)), after: pause)
        guard let book = hosts[host].agent?.node.agreements else { return }
        let me = hosts[host].node
        let now = moment(of: host).wall
        let person = Self.person(of: host)
        guard book.people.contains(where: { $0.body.key == person.publicKey && $0.body.until > now }) else {
            command(
                host,
                .vouch(
                    VouchingOrder(
                        name: Self.personName, key: person.publicKey,
                        roles: [.responsible, .accountable], life: .seconds(7 * 86_400))))
            return
        }
        for record in book.records where record.isOpenForApproval {
            let missing = record.approvalsMissing(of: me)
            if missing.isEmpty {
                if record.origin == .peer, record.state == .offered {
                    command(host, .accept(record.contentID))
                }
                continue
            }
            let decision: Approval.Decision = script.people.number(below: 12) == 0 ? .veto : .approve
            let word = Approval(
                contentID: record.contentID, party: me, person: suite.pin(of: person.publicKey),
                decision: decision,
                roles: missing,
                reason: decision == .veto ? "no" : "", given: now)
            command(host, .approve(person.sign(word)))
        }
    }

    /// The key of the person at a host: no node's.
    static func person(of host: Int) -> SimulatedKey { SimulatedKey(0x7065_7273_6f6e_0000 + UInt64(host)) }

    private static let personName: NodeName = {
        guard let name = NodeName("ann") else { preconditionFailure("ann is no name") }
        return name
    }()

    /// What is wrong with the approvals on which an agreement at `host` stands; nil: nothing. People are
    /// known by their keys here, and nodes by theirs.
    func flaw(inApprovalsOf record: AgreementRecord, at host: Int) -> String? {
        for party in [record.agreement.source, record.agreement.target].compactMap(\.node) {
            guard let number = hosts.firstIndex(where: { $0.node == party }) else { continue }
            let given = record.approvals.filter { approval in
                let statement = approval.evidence.vouching
                return approval.body.decision == .approve && statement.body.node == party
                    && approval.body.contentID == record.contentID
                    && statement.isSigned(by: hosts[number].key.publicKey, using: suite)
                    && approval.evidence.approval.isSigned(
                        by: Self.person(of: number).publicKey, using: suite)
            }
            for role in record.agreement.approvalsRequired(of: party)
            where !given.contains(where: { $0.body.roles.contains(role) }) {
                return "host \(host), \(record.agreement.id) lacks the \(role.rawValue) of \(party.brief)"
            }
        }
        return nil
    }
}

extension AgreementRecord {
    /// Whether a word of people may still change it.
    fileprivate var isOpenForApproval: Bool {
        guard agreement.approvals != nil else { return false }
        switch state {
        case .offered, .signed: return true
        case .active, .ended: return false
        }
    }

    /// The same, as if nobody had approved it.
    var unapproved: AgreementRecord {
        AgreementRecord(contentID: contentID, peer: peer, document: document, state: state, origin: origin)
    }
}
