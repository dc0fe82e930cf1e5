import Glibc
import MeshBase
import MeshCredentials
import MeshStore

/// A home made from a backup (protocol section 6).
///
/// It is marked as restored: what its node did since the backup, only others know. So it goes on above the
/// highest head and boot number that its peers name, and without the invites that were open, since somebody
/// may have used them.
public struct RestoredHome: Equatable, Sendable {
    /// Where it is.
    public let home: String
    /// What the backup was of.
    public let label: BackupLabel

    /// The mark in the store: when the backup was made, in milliseconds, or `lost`.
    static let setting = "restored"
    private static let lost = "nothing: the store was lost"
    /// Whether the audit knows of it.
    static let toldSetting = "restored.told"
    private static let workshop = "restoring"

    /// Unpacks, checks and marks beside, and moves all into place with the identity key last: a crash on the
    /// way leaves no home that could be run.
    /// - Parameter home: does not exist, or is empty.
    public static func make(from path: String, in home: Home) throws(BackupError) -> RestoredHome {
        let lock = try BackupError.naming(home) {
            try home.prepareFolder()
            return try HomeLock.take(in: home)
        }
        defer { withExtendedLifetime(lock) {} }
        let found = try FolderWork.names(in: home.path).filter { $0 != "lock" && $0 != workshop }
        guard found.isEmpty else { throw .notEmpty(home: home.path, found: found) }
        let folder = home.file(workshop)
        try FolderWork.remove(folder)
        try FolderWork.make(folder)
        do throws(BackupError) {
            try FolderWork.make(folder + "/journal")
            let label = try BackupReader.unpack(path, into: folder)
            try mark(Home(path: folder), label)
            try move(from: folder, to: home)
            return RestoredHome(home: home.path, label: label)
        } catch {
            try FolderWork.remove(folder)
            throw error
        }
    }

    /// What a store holds. That of a home whose key is there and whose store is not, as when a disk died and
    /// the key lay elsewhere, is marked: it has forgotten as much as any backup.
    static func markingLost(_ home: Home, _ store: Store) throws -> StoredState {
        let stored = try store.load()
        guard NodeIdentity.hasLostStore(home, stored) else { return stored }
        try store.commit([.putSetting(SettingRow(key: setting, value: lost))])
        return try store.load()
    }

    private static func mark(_ home: Home, _ label: BackupLabel) throws(BackupError) {
        try BackupError.naming(home) {
            let key = try IdentityKey.load(from: home.identityKey)
            let store = try Store.open(path: home.store)
            let stored = try store.load()
            let node = try NodeIdentity.node(of: key, in: home, stored)
            guard node == label.node else {
                throw BackupError.otherNode(named: label.node.description, found: node.description)
            }
            let mark = SettingRow(key: setting, value: String(label.made.milliseconds))
            try store.commit(
                [.putSetting(mark), .removeSetting(key: toldSetting)]
                    + stored.invites.map { .removeInvite(id: $0.id) })
            try store.close()
        }
    }

    private static func move(from folder: String, to home: Home) throws(BackupError) {
        let names = try FolderWork.names(in: folder)
        for name in names where name != "identity.key" {
            try FolderWork.move(folder + "/" + name, to: home.file(name))
        }
        try FolderWork.sync(home.path)
        try FolderWork.move(folder + "/identity.key", to: home.identityKey)
        try FolderWork.remove(folder)
        try FolderWork.sync(home.path)
    }
}
