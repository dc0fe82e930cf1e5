import Crypto
import MeshBase

/// SHA-256 over bytes that come piece by piece.
public struct RunningDigest {
    private var hash = SHA256()

    public init() {}

    /// Takes the next bytes.
    public mutating func take(_ bytes: [UInt8]) { hash.update(data: bytes) }

    /// The digest of all bytes so far.
    public var digest: MeshBase.Digest {
        guard let digest = hash.finalize().withUnsafeBytes({ MeshBase.Digest($0) }) else {
            preconditionFailure("SHA-256 gave other than 32 bytes")
        }
        return digest
    }
}
