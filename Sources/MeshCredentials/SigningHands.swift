import MeshBase

/// Every key with which this node may sign: its own, the anchor's where it lies in the home, and that of the
/// join token with which it was started.
public struct SigningHands: Sendable {
    private let identity: Signer
    private let token: Signer?
    /// Where the anchor's key is, if it is; read for each signature, so that it may be moved away at any
    /// time.
    private let anchorPath: String

    public init(identity: Signer, token: Signer?, anchorPath: String) {
        self.identity = identity
        self.token = token
        self.anchorPath = anchorPath
    }

    /// The signature that the request asks for.
    public func sign(_ request: SigningRequest) throws(CredentialError) -> DocumentSignature {
        switch request.hand {
        case .identity: return try identity.sign(request)
        case .anchor: return try Signer(IdentityKey.load(from: anchorPath)).sign(request)
        case .token:
            guard let token else { throw .signingFailed }
            return try token.sign(request)
        }
    }
}
