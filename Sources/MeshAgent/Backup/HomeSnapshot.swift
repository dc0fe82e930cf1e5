import Foundation
import MeshBase
import MeshCredentials
import MeshStore

/// A home as it was at one moment, in a folder inside it: what a backup is packed from.
///
/// The agent makes it, since only its process can fix one moment of store and journal; whoever asked packs
/// and removes it. It lies in the home, because that is the one place where an agent that runs as a service
/// may write.
public struct HomeSnapshot: Equatable, Sendable {
    /// Where it is.
    public let folder: String
    /// What it is of.
    public let label: BackupLabel

    private static let prefix = "snapshot-"

    static func isSnapshot(_ name: String) -> Bool { name.hasPrefix(prefix) }

    /// Makes one of a home whose store and journal are open.
    static func make(
        in home: Home, of node: NodeID, called name: NodeName, store: Store, journal: Journal
    ) throws(BackupError) -> HomeSnapshot {
        let folder = home.file(prefix + Hexadecimal.encode(SystemRandom.bytes(8)))
        try FolderWork.make(folder)
        do throws(BackupError) {
            let label = BackupLabel(node: node, name: name, made: SystemClock.now().wall)
            do throws(StoreError) {
                try store.snapshot(with: journal, into: folder)
            } catch {
                throw BackupError.store(error)
            }
            for name in Home.keptFiles { try copy(home.file(name), to: folder + "/" + name) }
            let file = try PlainFile.creating(folder + "/" + BackupLabel.fileName)
            try file.write(Array(label.text.utf8))
            return HomeSnapshot(folder: folder, label: label)
        } catch {
            try FolderWork.remove(folder)
            throw error
        }
    }

    /// Makes one of a home in which no agent runs.
    public static func makeOffline(in home: Home) throws(BackupError) -> HomeSnapshot {
        guard access(home.identityKey, F_OK) == 0 else { throw .noNode(home: home.path) }
        return try BackupError.naming(home) {
            try home.check()
            let lock = try HomeLock.take(in: home)
            defer { withExtendedLifetime(lock) {} }
            let key = try IdentityKey.load(from: home.identityKey)
            let store = try Store.open(path: home.store)
            let journal = try Journal.open(folder: home.journal)
            defer { journal.close() }
            let node = try NodeIdentity.node(of: key, in: home, try store.load())
            let name = try ConfigurationReader.read(
                home: home, environment: ProcessInfo.processInfo.environment
            ).configuration.name
            let snapshot = try make(in: home, of: node, called: name, store: store, journal: journal)
            try store.close()
            return snapshot
        }
    }

    /// Removes what commands that were killed have left.
    static func removeLeftovers(in home: Home) throws(BackupError) {
        for name in try FolderWork.names(in: home.path) where isSnapshot(name) {
            try FolderWork.remove(home.file(name))
        }
    }

    /// Removes the snapshot.
    public func remove() throws(BackupError) { try FolderWork.remove(folder) }

    private static func copy(_ from: String, to: String) throws(BackupError) {
        let source: PlainFile
        do throws(BackupError) {
            source = try PlainFile.reading(from)
        } catch {
            // Some of them need not be there: a next key that was moved away, a configuration never written.
            if case .refused(_, "open", ENOENT) = error { return }
            throw error
        }
        let target = try PlainFile.creating(to)
        let bytes = try source.read(Home.keptFileLimit + 1)
        guard bytes.count <= Home.keptFileLimit else {
            throw .home(.tooLong(path: from, limit: Home.keptFileLimit))
        }
        try target.write(bytes)
    }
}

extension Home {
    /// The small files that make a home what it is, beside the store and the journal: all of them are in a
    /// backup, where they exist.
    static let keptFiles = [
        "identity.key", "next.key", "anchor.key", "config.yaml", "gateway.token",
    ]
    /// Bytes of one of them.
    static let keptFileLimit = ConfigurationText.sizeLimit
}
