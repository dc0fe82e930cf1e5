import Crypto
import MeshBase

/// A P-256 public key that stands in the only encoding this house accepts: 91 bytes of DER with an
/// uncompressed point.
///
/// One key has one encoding, hence one pin; a second encoding of a pinned key would look like another key, or
/// escape a revocation.
struct CanonicalKey {
    private static let coordinatesLength = 64

    let key: P256.Signing.PublicKey

    /// Nil for any other kind of key or encoding, and for a point that is not on the curve.
    init?(_ publicKey: PublicKey) {
        let bytes = publicKey.info.bytes
        let head = PublicKey.p256Head
        guard bytes.count == head.count + Self.coordinatesLength, bytes.starts(with: head) else { return nil }
        do {
            key = try P256.Signing.PublicKey(x963Representation: bytes[(head.count - 1)...])
        } catch {
            // That it is no key is the answer; how it is none helps nobody.
            return nil
        }
    }
}

extension PublicKey {
    /// Whether this is a P-256 key in the one encoding that is taken.
    public var isCanonical: Bool { CanonicalKey(self) != nil }
}

/// SHA-256 of `bytes`.
func sha256(_ bytes: [UInt8]) -> MeshBase.Digest {
    let digest = SHA256.hash(data: bytes).withUnsafeBytes { MeshBase.Digest($0) }
    guard let digest else { preconditionFailure("SHA-256 gave other than 32 bytes") }
    return digest
}
