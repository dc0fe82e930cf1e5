import MeshBase
import MeshWire

@testable import MeshAgreements
@testable import MeshCredentials

/// An agreement in force between two nodes with real keys, approved by a person at each.
struct SignedAgreement {
    static let wall = WallTime(milliseconds: 1_795_000_000_000)
    static let day: Duration = .seconds(24 * 3_600)

    let provider = IdentityKey.ephemeral()
    let consumer = IdentityKey.ephemeral()
    let ann = IdentityKey.ephemeral()
    let ben = IdentityKey.ephemeral()
    let suite = SystemSuite()
    let agreement: Agreement
    let document: Signed<Agreement>

    init(
        approvals: ApprovalRules? = ApprovalRules(provider: [.accountable], consumer: [.accountable]),
        encryption: EncryptionDemand? = nil
    ) throws {
        let (source, target) = (NodeID(provider.pin.digest), NodeID(consumer.pin.digest))
        var generator = SeededGenerator(seed: 7)
        agreement = Agreement(
            id: AgreementID(using: &generator), version: 1, source: source, target: target,
            grants: [
                Grant(
                    resource: ResourceName("orders")!, capabilities: [ResourceName("list")!],
                    namespaces: [ShortText("customers/eu")!])
            ],
            conditions: AgreementConditions(
                access: .readOnly, principals: [Principal("billing")!], networks: [IPNetwork("10.1.0.0/16")!],
                purposes: [Purpose("invoicing")!], encryption: encryption),
            approvals: approvals,
            commitments: AgreementCommitments(
                frameworks: [ShortText("gdpr")!],
                serviceLevels: [
                    ServiceLevel(
                        name: ShortText("availability")!, target: ShortText("99.9")!,
                        unit: ShortText("percent"))
                ]),
            validFrom: Self.wall, validUntil: Self.wall + Self.day * 90, createdBy: source,
            created: Self.wall)
        let first = try Signer(provider).signed(agreement, using: suite)
        let second = try Signer(consumer).signed(agreement, using: suite)
        document = Signed(
            body: agreement, payload: first.payload, signatures: first.signatures + second.signatures)
    }

    /// Who provides.
    var source: NodeID { NodeID(provider.pin.digest) }
    /// Who consumes.
    var target: NodeID { NodeID(consumer.pin.digest) }

    var contentID: Digest { document.contentID(using: suite) }
    var keys: [PublicKey] { [provider.publicKey, consumer.publicKey] }

    /// What a person said, vouched for by `node`; each part may be another than it should be.
    func word(
        of person: IdentityKey, by node: IdentityKey,
        as roles: [ApprovalRole] = [.responsible, .accountable],
        vouched: [ApprovalRole] = [.responsible, .accountable], decision: Approval.Decision = .approve,
        about contentID: Digest? = nil, named: IdentityKey? = nil,
        for party: IdentityKey? = nil, given: Duration = .zero
    ) throws -> VouchedApproval {
        let statement = Vouching(
            node: NodeID((named ?? node).pin.digest), name: NodeName("ann")!, key: person.publicKey,
            roles: vouched, issued: Self.wall - Self.day, until: Self.wall + Self.day)
        let approval = Approval(
            contentID: contentID ?? self.contentID, party: NodeID((party ?? named ?? node).pin.digest),
            person: person.pin, decision: decision, roles: roles,
            reason: "", given: Self.wall + given)
        return VouchedApproval(
            approval: try Signer(person).signed(approval, using: suite),
            vouching: try Signer(node).signed(statement, using: suite))
    }

    /// The record as the provider keeps it.
    func record(_ approvals: [VouchedApproval]? = nil) throws -> AgreementRecord {
        let words = try approvals ?? [word(of: ann, by: provider), word(of: ben, by: consumer)]
        return AgreementRecord(
            contentID: contentID, peer: target, document: document,
            state: .active(acceptance: .byPeer), origin: .byOperator,
            approvals: words.map { ApprovalRecord(evidence: $0, isHeard: true) })
    }
}
