import Crypto
import MeshBase
import Synchronization

/// The private keys that open what is sealed to this node (Docs/Protocol.md, Sealed payloads): the one that
/// is announced, and for a while the one before, in one file that only its owner can read.
///
/// They never leave this module. The file is replaced whole, newest key first, one line each:
/// `x25519 MADE KEY`, with milliseconds since 1970 and 32 bytes in base64url. Safe from any thread.
public final class EncryptionKeys: Sendable {
    private struct Pair: Sendable {
        let secret: Curve25519.KeyAgreement.PrivateKey
        let key: EncryptionKey
        let made: WallTime

        init(_ secret: Curve25519.KeyAgreement.PrivateKey, made: WallTime) {
            guard let key = EncryptionKey(secret.publicKey.rawRepresentation) else {
                preconditionFailure("an X25519 key has other than 32 bytes")
            }
            self.secret = secret
            self.key = key
            self.made = made
        }
    }

    private let file: PrivateFile
    /// Newest first, two at most.
    private let pairs: Mutex<[Pair]>

    private init(_ file: PrivateFile, _ pairs: [Pair]) {
        self.file = file
        self.pairs = Mutex(pairs)
    }

    /// Reads the keys in the file at `path`; none where there is no file.
    /// - Throws: the rule of a private file that it breaks, or `keyMalformed`.
    public static func load(from path: String) throws(CredentialError) -> EncryptionKeys {
        let file = PrivateFile(path: path, sizeLimit: 512)
        let bytes: [UInt8]
        do throws(CredentialError) {
            bytes = try file.read()
        } catch {
            if case .keyMissing = error { return EncryptionKeys(file, []) }
            throw error
        }
        var pairs: [Pair] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let pair = pair(in: line), pairs.count < 2 else { throw .keyMalformed(path: path) }
            pairs.append(pair)
        }
        return EncryptionKeys(file, pairs)
    }

    /// What is there now; nil before the first.
    public var held: HeldEncryptionKeys? { pairs.withLock { Self.held($0) } }

    /// Makes a new key beside the newest one; what was older goes. Durable when this returns, and only then
    /// used; after an error all is as it was, but for the file where syncing the folder failed.
    public func renew(at now: WallTime) throws(CredentialError) -> HeldEncryptionKeys? {
        try change { [Pair(Curve25519.KeyAgreement.PrivateKey(), made: now)] + $0.prefix(1) }
    }

    /// Keeps the newest key alone. As `renew` otherwise.
    public func dropPrevious() throws(CredentialError) -> HeldEncryptionKeys? {
        try change { Array($0.prefix(1)) }
    }

    /// The private part of `key`; nil where that is not here, or no more.
    func secret(of key: EncryptionKey) -> Curve25519.KeyAgreement.PrivateKey? {
        pairs.withLock { pairs in pairs.first { $0.key == key }?.secret }
    }

    /// Calls that need a key meanwhile wait as long as the file takes: twice a month.
    private func change(_ change: ([Pair]) -> [Pair]) throws(CredentialError) -> HeldEncryptionKeys? {
        let result = pairs.withLock { pairs -> Result<HeldEncryptionKeys?, CredentialError> in
            let changed = change(pairs)
            do throws(CredentialError) {
                try file.replace(Array(changed.map(Self.line).joined()))
            } catch {
                return .failure(error)
            }
            pairs = changed
            return .success(Self.held(changed))
        }
        return try result.get()
    }

    private static func held(_ pairs: [Pair]) -> HeldEncryptionKeys? {
        pairs.first.map {
            HeldEncryptionKeys(current: $0.key, made: $0.made, previous: pairs.dropFirst().first?.key)
        }
    }

    private static func line(_ pair: Pair) -> [UInt8] {
        let key = Base64URL.encode([UInt8](pair.secret.rawRepresentation))
        return Array("x25519 \(pair.made.milliseconds) \(key)\n".utf8)
    }

    private static func pair(in line: ArraySlice<UInt8>) -> Pair? {
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, words[0].elementsEqual("x25519".utf8),
            let made = Int64(String(decoding: words[1], as: UTF8.self)),
            let seed = Base64URL.decode(words[2]), seed.count == 32
        else { return nil }
        do {
            let secret = try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: seed)
            return Pair(secret, made: WallTime(milliseconds: made))
        } catch {
            // That it is no key is the answer; the library's own error might quote what it read.
            return nil
        }
    }
}

extension EncryptionKeys: CustomReflectable {
    /// Nothing: whoever dumps a value that holds these must not print a key.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
