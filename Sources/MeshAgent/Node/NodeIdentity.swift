import Glibc
import MeshBase
import MeshCredentials
import MeshStore
import MeshTrust
import MeshWire

/// What this node proves itself by: its keys from the home, its inception from the store, a boot number for
/// this run.
struct NodeIdentity {
    let key: IdentityKey
    let own: OwnIdentity

    private static let inceptionSetting = "inception"
    private static let bootSetting = "boot"

    /// Loads what is there; makes, on a first start, the identity key, the next key beside it, and the signed
    /// inception.
    static func prepare(in home: Home, name: NodeName, store: Store, stored: StoredState, at now: Moment)
        throws -> NodeIdentity
    {
        let key =
            try exists(home.identityKey) ? IdentityKey.load(from: home.identityKey) : firstKeys(in: home)
        let inception = try inception(of: key, in: home, store: store, stored: stored)
        let previous = stored.settings.first { $0.key == bootSetting }.flatMap { Int64($0.value) } ?? 0
        let boot = BootID(
            number: max(previous + 1, now.wall.milliseconds), random: UInt64(bigEndian: SystemRandom.bytes(8))
        )
        try store.commit([.putSetting(row(of: boot))])
        let own = OwnIdentity(
            node: NodeID(SystemSuite().pin(of: inception.body.key).digest), key: key.publicKey,
            inception: inception, name: name,
            boot: boot)
        return NodeIdentity(key: key, own: own)
    }

    /// What keeps a boot number from being used again.
    static func row(of boot: BootID) -> SettingRow {
        SettingRow(key: bootSetting, value: String(boot.number))
    }

    /// The next key first: a crash between the two leaves no identity that was never committed to a next one.
    private static func firstKeys(in home: Home) throws -> IdentityKey {
        if !exists(home.nextKey) { _ = try IdentityKey.create(at: home.nextKey) }
        return try IdentityKey.create(at: home.identityKey)
    }

    private static func inception(
        of key: IdentityKey, in home: Home, store: Store, stored: StoredState
    ) throws -> Signed<Inception> {
        if let inception = try storedInception(of: key, in: home, stored) { return inception }
        let next = try IdentityKey.load(from: home.nextKey)
        let body = Inception(key: key.publicKey, nextKeyDigest: next.pin.digest)
        let inception = try Signer(key).signed(body, using: SystemSuite())
        let text = String(decoding: try Document.encode(inception), as: UTF8.self)
        try store.commit([.putSetting(SettingRow(key: inceptionSetting, value: text))])
        return inception
    }

    /// Whose home this is, by its key and its store.
    static func node(of key: IdentityKey, in home: Home, _ stored: StoredState) throws -> NodeID {
        guard let inception = try storedInception(of: key, in: home, stored) else {
            throw AgentFailure.identity("the store holds no inception")
        }
        return NodeID(SystemSuite().pin(of: inception.body.key).digest)
    }

    private static func storedInception(
        of key: IdentityKey, in home: Home, _ stored: StoredState
    ) throws -> Signed<Inception>? {
        guard let row = stored.settings.first(where: { $0.key == inceptionSetting }) else { return nil }
        let inception: Signed<Inception> = try Document.decode(
            from: Array(row.value.utf8), limit: Limits.handshakeMessage)
        guard inception.isSigned(by: inception.body.key, using: SystemSuite()),
            inception.body.key == key.publicKey
        else {
            throw AgentFailure.identity(
                "the store holds the inception of another key than \(home.identityKey)")
        }
        return inception
    }

    /// Whether the key was there before the store, which then was lost: the two are made by one start.
    static func hasLostStore(_ home: Home, _ stored: StoredState) -> Bool {
        exists(home.identityKey) && !stored.settings.contains { $0.key == inceptionSetting }
    }

    private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
