import Crypto
import MeshBase
import MeshWire

/// Real cryptography behind the machines: SHA-256, HMAC-SHA-256 and ES256 over the encoding of MeshWire.
public struct SystemSuite: SignatureSuite {
    public init() {}

    public func digest(_ bytes: [UInt8]) -> MeshBase.Digest {
        // Most calls have no body, and each of them is asked for its digest.
        bytes.isEmpty ? Self.ofNothing : sha256(bytes)
    }

    private static let ofNothing = sha256([])

    public func authenticationCode(of message: [UInt8], under key: [UInt8]) -> MeshBase.Digest {
        let code = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key))
            .withUnsafeBytes { MeshBase.Digest($0) }
        guard let code else { preconditionFailure("HMAC-SHA-256 gave other than 32 bytes") }
        return code
    }

    public func isValid(_ signature: [UInt8], over bytes: [UInt8], by key: PublicKey) -> Bool {
        guard signature.count == 64, let canonical = CanonicalKey(key) else { return false }
        do {
            let signature = try P256.Signing.ECDSASignature(rawRepresentation: signature)
            return canonical.key.isValidSignature(signature, for: bytes)
        } catch {
            // r or s out of range: as good as no signature.
            return false
        }
    }

    /// - Precondition: `value` is one that a document may hold (`Document.encode`): machines build it from
    ///   checked words only.
    public func encoded(_ value: some Encodable & Sendable) -> [UInt8] {
        do {
            let limit = (type(of: value) as? any SignedBody.Type)?.textLimit ?? Limits.documentText
            return try Document.encode(value, textLimit: limit)
        } catch {
            preconditionFailure("a machine made a \(type(of: value)) that no document may hold: \(error)")
        }
    }
}
