import MeshBase

/// Who signed for a party, with what proves it to a node that never met it.
///
/// `Chain` is a credential with what leads from it to its domain's anchor. This module carries it and never
/// looks inside: trust judges it (`SignatoryJudge`).
public struct Signatory<Chain: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
    /// The identity key that signed. Its pin is the node's ID.
    public let key: PublicKey
    /// What proves that its node holds the role `agree` of a domain; nil: it signs for itself alone.
    public let chain: Chain?

    public init(key: PublicKey, chain: Chain?) {
        self.key = key
        self.chain = chain
    }
}

/// What a signatory is proved to be.
public struct SignatoryStanding: Equatable, Sendable {
    /// Who signed.
    public let node: NodeID
    /// For whom it may.
    public let party: AgreementParty
    /// When it may.
    public let authority: Authority

    public init(node: NodeID, party: AgreementParty, authority: Authority) {
        self.node = node
        self.party = party
        self.authority = authority
    }

    /// When somebody may sign for a party.
    public enum Authority: Equatable, Sendable {
        /// Now.
        case now
        /// At some moment since the agreement was made, and no more: the credential or the role is over, or
        /// the key was revoked here.
        case once
    }
}

/// Says what a signatory's chain proves. Trust does, which knows whose anchors count here.
public protocol SignatoryJudge<Chain> {
    /// A credential with what leads to its anchor.
    associatedtype Chain: Codable & Equatable & Sendable

    /// This node, as it signs: with the chain of its own credential while that counts.
    var own: Signatory<Chain> { get }

    /// What `signatory` is proved to be, for a document made at `made`.
    func standing(of signatory: Signatory<Chain>, since made: WallTime, at now: WallTime)
        -> Ruling<SignatoryStanding>

    /// The same signatory with the newest chain of it that is known here: the one it first showed runs out.
    func renewed(_ signatory: Signatory<Chain>) -> Signatory<Chain>

    /// The same as `standing` by nothing but what the chain says of itself, at any time: for what lay in this
    /// node's store and was judged before it came there.
    func claim(of signatory: Signatory<Chain>) -> Ruling<SignatoryStanding>
}
