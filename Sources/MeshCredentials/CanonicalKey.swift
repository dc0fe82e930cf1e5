import Crypto
import MeshBase

/// A P-256 public key that stands in the only encoding this house accepts: 91 bytes of DER with an
/// uncompressed point.
///
/// One key has one encoding, hence one pin; a second encoding of a pinned key would look like another key, or
/// escape a revocation.
struct CanonicalKey {
    /// SubjectPublicKeyInfo up to the point (RFC 5480): id-ecPublicKey, secp256r1, BIT STRING without unused
    /// bits.
    private static let head: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d,
        0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ]
    /// The first byte of a point that carries both coordinates (SEC 1 section 2.3.3), of which there is one
    /// form only.
    private static let uncompressed: UInt8 = 4
    private static let pointLength = 65

    let key: P256.Signing.PublicKey

    /// Nil for any other kind of key or encoding, and for a point that is not on the curve.
    init?(_ publicKey: PublicKey) {
        let bytes = publicKey.info.bytes
        guard bytes.count == Self.head.count + Self.pointLength, bytes.starts(with: Self.head),
            bytes[Self.head.count] == Self.uncompressed
        else { return nil }
        do {
            key = try P256.Signing.PublicKey(x963Representation: bytes[Self.head.count...])
        } catch {
            // That it is no key is the answer; how it is none helps nobody.
            return nil
        }
    }
}

/// SHA-256 of `bytes`.
func sha256(_ bytes: [UInt8]) -> MeshBase.Digest {
    let digest = SHA256.hash(data: bytes).withUnsafeBytes { MeshBase.Digest($0) }
    guard let digest else { preconditionFailure("SHA-256 gave other than 32 bytes") }
    return digest
}
