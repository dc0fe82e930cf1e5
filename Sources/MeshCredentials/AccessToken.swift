import Crypto
import Glibc
import MeshBase

/// The bearer token that applications show at the gateway's port where `gateway.access` is `token`: 32 random
/// bytes as text, in a file that only its owner may read.
public struct AccessToken: Sendable {
    /// SHA-256 of the token's text: all that the gateway keeps of it.
    public let digest: MeshBase.Digest

    /// Reads the token at `path`, or makes one there.
    /// - Throws: the rule of a private file that it breaks; `keyMalformed` when it holds no token.
    public static func prepare(at path: String) throws(CredentialError) -> AccessToken {
        let file = PrivateFile(path: path)
        if access(path, F_OK) != 0 {
            let random = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
            try file.create(Array(Base64URL.encode(random).utf8) + [UInt8(ascii: "\n")])
        }
        let text = try file.read().filter { $0 != UInt8(ascii: "\n") }
        guard Base64URL.decode(text)?.count == 32 else { throw .keyMalformed(path: path) }
        return AccessToken(digest: sha256(text))
    }
}
