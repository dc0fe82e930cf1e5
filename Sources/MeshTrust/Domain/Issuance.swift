import MeshBase

/// One credential on its way: what is to be signed next, and who waits for it.
///
///     (authority, by the anchor) ──signed──> (credential, by this issuer or the anchor) ──signed──> chain
///
/// Signing is the shell's, so each signature is one turn.
struct Issuance: Equatable, Sendable {
    /// Who gets the chain.
    enum Recipient: Equatable, Sendable {
        /// Who proved a token on this connection.
        case newcomer(ConnectionID)
        /// A member that asked for a later credential.
        case member(NodeID)
        /// This node, at the founding of the domain.
        case founder(Ticket, label: NodeName)
        /// This node, which renews its own.
        case myself
    }

    /// What is being signed.
    enum Draft: Equatable, Sendable {
        case authority(IssuerCertificate, Octets)
        case credential(Credential, Octets)
    }

    let recipient: Recipient
    /// The domain's anchor.
    let anchor: PublicKey
    /// Whose the credential is.
    let node: NodeID
    let key: PublicKey
    /// What it makes of the node.
    let roles: RoleList
    /// The issuer certificate of who signs the credential; nil: the anchor signs.
    let issuer: Signed<IssuerCertificate>?
    /// The recipient's own issuer certificate: kept, or made in the first step.
    var authority: Signed<IssuerCertificate>?
    /// Nil before the first step.
    var draft: Draft?

    /// The chain that the last signature completes.
    func chain(_ credential: Signed<Credential>) -> CredentialChain {
        CredentialChain(anchor: anchor, issuer: issuer, credential: credential, authority: authority)
    }
}

/// Who would sign a credential with certain roles: the answer to whether it can be given here.
struct IssuingHand: Equatable, Sendable {
    let anchor: PublicKey
    /// Nil: the anchor signs.
    let issuer: Signed<IssuerCertificate>?
}

extension DomainBook {
    /// Who here gives `roles`: this node as an issuer if it may give them all, else the anchor if its key
    /// lies here.
    func hand(giving roles: RoleList, at wall: WallTime) -> Ruling<IssuingHand> {
        guard let home else { return .refused(Refusal(.domainMissing, [Fact("domains", 0)])) }
        let authority = isIssuer(at: wall) ? home.chain.authority : nil
        if let authority, roles.beyond(authority.body.roles).isEmpty {
            return .allowed(IssuingHand(anchor: home.chain.anchor, issuer: authority))
        }
        if anchor == home.chain.anchor {
            return .allowed(IssuingHand(anchor: home.chain.anchor, issuer: nil))
        }
        guard let authority else {
            return .refused(Refusal(.issuerMissing, [Fact("roles", own?.membership.roles.text ?? "none")]))
        }
        return .refused(
            Refusal(
                .roleNotGiven,
                [
                    Fact("roles", roles.beyond(authority.body.roles).text),
                    Fact("the issuer may give", authority.body.roles),
                ]))
    }
}
