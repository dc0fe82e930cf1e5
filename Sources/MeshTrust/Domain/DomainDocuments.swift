import MeshBase

/// The anchor's word that a node may sign credentials, of which roles and until when (protocol section 3).
///
/// It carries the whole key, of which the pin is the digest: who checks a credential needs the key that
/// signed it, and need not have met the issuer.
public struct IssuerCertificate: SignedBody {
    public static let kind = DocumentKind.issuerCertificate

    /// For which domain.
    public let domain: DomainID
    /// Who may issue.
    public let node: NodeID
    /// By which key.
    public let key: PublicKey
    /// The roles that it may give. Never `issue`: only the anchor makes issuers.
    public let roles: RoleList
    /// When it was signed, by the clock where the anchor is.
    public let issued: WallTime
    /// Not after; at most `Limits.issuerLifeMax` behind `issued`.
    public let until: WallTime
}

/// An issuer's, or the anchor's, word that a node belongs to the domain, with which roles and until when.
public struct Credential: SignedBody {
    public static let kind = DocumentKind.credential

    /// Of which domain.
    public let domain: DomainID
    /// Whose it is.
    public let node: NodeID
    /// Under which identity key.
    public let pin: Pin
    /// `member` among them; never `issue`, which an issuer certificate alone gives.
    public let roles: RoleList
    /// When it was signed, by the signer's clock: of two, the later one counts.
    public let issued: WallTime
    /// Not after; at most `Limits.credentialLifeMax` behind `issued`.
    public let until: WallTime
}

/// The anchor's word that whoever holds a key may enrol nodes: what a join token carries beside that key's
/// seed. The newcomer presents it, so no issuer need have heard of it before.
public struct TokenRecord: SignedBody {
    public static let kind = DocumentKind.tokenRecord

    /// Into which domain.
    public let domain: DomainID
    /// How its people call the domain: a label, never a ground for trust.
    public let label: NodeName
    /// The public half of the token's own key pair.
    public let key: PublicKey
    /// What the newcomer becomes. With `issue`, only where the anchor is.
    public let roles: RoleList
    /// Not after.
    public let until: WallTime
    /// How many keys each issuer may enrol under it, 1 ... `Limits.tokenUses`.
    public let uses: Int
}

/// The proof, by the token's key, that who presents its record holds the token: over this very handshake.
public struct TokenProof: SignedBody {
    public static let kind = DocumentKind.tokenProof

    /// The handshake's transcript.
    public let transcript: Digest
}

/// What a newcomer asks for, under its own signature.
public struct EnrolmentRequest: Codable, Hashable, Sendable {
    /// The content id of the house agreement that the issuer named, to which the newcomer says yes; nil where
    /// the issuer named none.
    public let houseAgreement: Digest?
}

/// What a newcomer presents in M3: the token's record, and the proof that it holds the token.
public struct TokenPresentation: Codable, Equatable, Sendable {
    /// The anchor's word.
    public let record: Signed<TokenRecord>
    /// The token key's.
    public let proof: Signed<TokenProof>
}
