import Glibc
import MeshBase

/// A domain's anchor key: a file like an identity key, that may be moved out of the home and back.
public enum AnchorKey {
    /// The public half of the key at `path`; nil when no file is there.
    public static func publicKey(at path: String) throws(CredentialError) -> PublicKey? {
        guard access(path, F_OK) == 0 else { return nil }
        return try IdentityKey.load(from: path).publicKey
    }

    /// The key at `path`, made when none is there.
    public static func prepare(at path: String) throws(CredentialError) -> PublicKey {
        if let key = try publicKey(at: path) { return key }
        return try IdentityKey.create(at: path).publicKey
    }

    /// A certificate of the authority that the key at `path` is, for a bundle.
    public static func certificate(at path: String) throws(CredentialError) -> Octets {
        Octets(try AnchorCertificate.made(by: IdentityKey.load(from: path)))
    }

    /// Moves the key: written whole at its new place before it is gone from the old one. Nothing is
    /// overwritten.
    public static func move(from path: String, to target: String) throws(CredentialError) {
        let bytes = try PrivateFile(path: path).read()
        _ = try IdentityKey.load(from: path)
        try PrivateFile(path: target).create(bytes)
        guard unlink(path) == 0 else {
            throw .fileRefused(path: path, operation: .write, errno: errno)
        }
    }
}
