import MeshBase

// What a store gives back is believed no more than what a peer sends.
extension VouchingRecord {
    /// What is wrong with a statement that was kept; nil when this node signed all of it.
    ///
    /// When it was ended nobody signed: who can write this node's store can revive what the operator ended,
    /// up to the date that was signed. Whose key it is, in which roles and until when nobody changes unseen.
    /// - Parameter key: the identity key of `me`.
    public func damage(at me: NodeID, key: PublicKey, using suite: some SignatureSuite) -> Refusal? {
        let problem: String? =
            if body.node != me {
                "another node vouches"
            } else if !body.isWellFormed || document.signatures.count != 1 {
                "it breaks the rules of the document"
            } else if !document.isSigned(by: key, using: suite) {
                "it is not signed by this node"
            } else {
                nil
            }
        return problem.map {
            Refusal(.documentInvalid, [Fact("person", body.name), Fact("problem", $0)])
        }
    }
}

/// A person whose statement in the store is not what this node signed: nobody is vouched for by it.
public struct DamagedPerson: Equatable, Sendable {
    /// Under which name it was kept.
    public let name: NodeName
    /// What was found.
    public let refusal: Refusal

    public init(name: NodeName, refusal: Refusal) {
        self.name = name
        self.refusal = refusal
    }

    /// For the audit of `node`, whose person it was to be.
    public func notice(at node: NodeID) -> AgreementNotice {
        AgreementNotice(
            peer: node, action: .personSetAside, contentID: nil, refusals: [refusal],
            more: [Fact("person", name)])
    }
}
