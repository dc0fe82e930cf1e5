import Crypto
import MeshBase
import X509

/// A node's identity key (protocol section 1): an ECDSA P-256 key pair in a file that only its owner can
/// read.
///
/// `identity.key` and `next.key` are both of this kind. The private part never leaves this type.
public struct IdentityKey: Sendable {
    private let key: P256.Signing.PrivateKey
    /// SubjectPublicKeyInfo in DER, 91 bytes.
    public let publicKey: PublicKey
    /// SHA-256 of `publicKey`: what peers store and compare.
    public let pin: Pin

    private init(_ key: P256.Signing.PrivateKey) {
        self.key = key
        publicKey = PublicKey(info: [UInt8](key.publicKey.derRepresentation))
        pin = Pin(sha256(publicKey.info.bytes))
    }

    /// The lasting name of the node whose *first* identity key this is. After a rotation it is not this key
    /// that names the node.
    public var nodeID: NodeID { NodeID(pin.digest) }

    /// A new key, nowhere on disk.
    static func ephemeral() -> IdentityKey { IdentityKey(P256.Signing.PrivateKey()) }

    /// The key whose private part is these 32 bytes; nil when they are none.
    static func made(of seed: [UInt8]) -> IdentityKey? {
        do {
            return IdentityKey(try P256.Signing.PrivateKey(rawRepresentation: seed))
        } catch {
            // That it is no key is the answer; how it is none helps nobody.
            return nil
        }
    }

    /// The key as the library of certificates takes it, to sign a certificate of its own.
    var certificateKey: Certificate.PrivateKey { Certificate.PrivateKey(key) }

    /// The private part, 32 bytes: for a join token alone, whose key is made to be carried.
    var seed: [UInt8] { [UInt8](key.rawRepresentation) }

    /// Reads the key in the file at `path`.
    /// - Throws: `keyMissing`, or the rule of a private file that it breaks: a plain file, this user's own,
    ///   mode 0600.
    public static func load(from path: String) throws(CredentialError) -> IdentityKey {
        let bytes = try PrivateFile(path: path).read()
        do {
            return IdentityKey(
                try P256.Signing.PrivateKey(pemRepresentation: String(decoding: bytes, as: UTF8.self)))
        } catch {
            // The library's own error might quote what it read.
            throw .keyMalformed(path: path)
        }
    }

    /// Makes a new key and keeps it at `path` (PEM, PKCS#8, 0600), durable when this returns. Nothing is ever
    /// overwritten.
    ///
    /// One process at a time may create keys in one folder; the lock of the home sees to that.
    /// - Throws: `keyExists`, `fileRefused`; a key is then not at `path`, unless syncing the folder was what
    ///   failed.
    public static func create(at path: String) throws(CredentialError) -> IdentityKey {
        let key = P256.Signing.PrivateKey()
        try PrivateFile(path: path).create(Array(key.pemRepresentation.utf8) + [UInt8(ascii: "\n")])
        return IdentityKey(key)
    }

    /// An ES256 signature over `bytes`: r and s, 64 bytes (RFC 7518 section 3.4).
    public func sign(_ bytes: [UInt8]) throws(CredentialError) -> [UInt8] {
        do {
            return [UInt8](try key.signature(for: bytes).rawRepresentation)
        } catch {
            throw .signingFailed
        }
    }
}

extension IdentityKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The pin; nothing of the private part.
    public var description: String { "identity key \(pin)" }
    /// The pin; nothing of the private part.
    public var debugDescription: String { description }
    /// Nothing: whoever dumps a value that holds a key must not print the key.
    public var customMirror: Mirror { Mirror(self, children: ["pin": pin]) }
}
