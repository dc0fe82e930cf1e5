import Glibc

/// The end of a home: everything in it that is ours is removed, its keys first, and nothing else.
public enum HomePurge {
    /// Files that an agent makes beside those that are kept in a backup. Keys for sealed payloads are in
    /// none: a backup outlives them, and whoever has it would open with them what was recorded.
    private static let others = [
        "encryption.keys", "encryption.keys.new", "comity.db", "comity.db-wal", "comity.db-shm", "journal",
        "control.sock", "gateway.sock", "lock",
    ]

    /// - Returns: what is left, being of others; the folder is gone when that is nothing.
    /// - Throws: `BackupError`; the keys may be gone by then.
    public static func run(_ home: Home) throws(BackupError) -> [String] {
        let lock = try BackupError.naming(home) {
            try home.check()
            return try HomeLock.take(in: home)
        }
        defer { withExtendedLifetime(lock) {} }
        for name in Home.keptFiles + others { try FolderWork.remove(home.file(name)) }
        for name in try FolderWork.names(in: home.path) where isOurs(name) {
            try FolderWork.remove(home.file(name))
        }
        let left = try FolderWork.names(in: home.path)
        if left.isEmpty { try FolderWork.remove(home.path) }
        return left
    }

    /// Snapshots, a restore that did not end, copies that the store kept before it migrated, and keys of
    /// people for whom this node vouched: nothing vouches for them any more.
    private static func isOurs(_ name: String) -> Bool {
        HomeSnapshot.isSnapshot(name) || name == "restoring" || PersonKey.isNamed(name)
            || name.wholeMatch(of: /comity\.db\.v[0-9]+/) != nil
    }
}
