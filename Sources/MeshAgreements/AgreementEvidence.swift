import MeshBase

/// One version of an agreement with everything that proves it, in one document: what either party can show to
/// anybody. Verifying it needs this document and nothing else: a node ID is the digest of the key that signs.
public struct AgreementEvidence: Equatable, Sendable, Codable {
    /// The agreement, with the signatures that are there.
    public let agreement: Signed<Agreement>
    /// What people of either party said, each with the statement on which it stands.
    public let approvals: [VouchedApproval]
    /// The parties' identity keys, the provider's first; one that this node does not hold is missing.
    public let keys: [PublicKey]
    /// How it ended, where a party revoked it; nil: none did.
    public let revocation: Signed<AgreementRevocation>?

    /// - Parameter keys: the parties' identity keys, the provider's first.
    public init(_ record: AgreementRecord, keys: [PublicKey]) {
        agreement = record.document
        approvals = record.approvals.map(\.evidence)
        self.keys = keys
        if case .ended(.revoked(let document, _)) = record.state {
            revocation = document
        } else {
            revocation = nil
        }
    }
}
