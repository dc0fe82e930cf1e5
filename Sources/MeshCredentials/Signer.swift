import MeshBase
import MeshWire

/// Fulfils the machines' orders to sign: the hand that holds the identity key, and nothing else of the node.
public struct Signer: Sendable {
    private let key: IdentityKey

    public init(_ key: IdentityKey) { self.key = key }

    /// Whose signatures these are.
    public var pin: Pin { key.pin }

    /// The signature that the request asks for, over a JWS header of its kind and its payload as it is.
    public func sign(_ request: SigningRequest) throws(CredentialError) -> DocumentSignature {
        let input = JWS.signingInput(kind: request.kind, signer: key.pin, payload: request.payload.bytes)
        return DocumentSignature(signer: key.pin, input: Octets(input), value: Octets(try key.sign(input)))
    }

    /// `body`, signed: for what is signed at first start, before there is a machine that could order it.
    public func signed<Body: SignedBody>(_ body: Body, using suite: SystemSuite) throws(CredentialError)
        -> Signed<Body>
    {
        let payload = Octets(suite.encoded(body))
        let signature = try sign(SigningRequest(ticket: Ticket(0), kind: Body.kind, payload: payload))
        return Signed(body: body, payload: payload, signatures: [signature])
    }
}
