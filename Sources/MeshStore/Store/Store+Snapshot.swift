import Foundation
import GRDB
import Glibc

extension Store {
    /// Copies the store and the journal as both were at one moment, while both go on being written.
    ///
    /// The moment is when the store's read transaction begins, and the journal's lock is held for just that:
    /// so no record and no key is in one and not yet in the other as no crash could have left it. Full
    /// segments become links, which cost nothing and stay when the journal lets go of them; the last one is
    /// copied up to where it was.
    /// - Parameter folder: an empty folder; it gets `comity.db` and `journal/`, both private.
    public func snapshot(with journal: Journal, into folder: String) throws(StoreError) {
        let copy = folder + "/comity.db"
        let segmentFolder = folder + "/journal"
        guard mkdir(segmentFolder, 0o700) == 0 else {
            throw .unavailable(path: segmentFolder, detail: String(cString: strerror(errno)))
        }
        try Self.makePrivate(copy)
        let last = try storing(at: path) {
            try pool.read { database in
                let segments = try journal.frozen { segments in
                    // The first look at the file fixes what this transaction sees of it.
                    _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema")
                    for segment in segments.dropLast() {
                        let name = segment.name
                        guard link(journal.folder + "/" + name, segmentFolder + "/" + name) == 0 else {
                            throw StoreError.unavailable(
                                path: segmentFolder + "/" + name, detail: String(cString: strerror(errno)))
                        }
                    }
                    return segments
                }
                let target = try DatabaseQueue(path: copy)
                try target.inDatabase { try database.backup(to: $0) }
                try target.close()
                return segments.last
            }
        }
        guard let last else { return }
        let name = last.name
        try copyFile(
            journal.folder + "/" + name, to: segmentFolder + "/" + name, lengthInBytes: last.lengthInBytes)
    }

    private func copyFile(_ from: String, to: String, lengthInBytes: Int) throws(StoreError) {
        let source = Glibc.open(from, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw .unavailable(path: from, detail: String(cString: strerror(errno))) }
        defer { Glibc.close(source) }
        let target = Glibc.open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw .unavailable(path: to, detail: String(cString: strerror(errno))) }
        defer { Glibc.close(target) }
        var left = lengthInBytes
        while left > 0 {
            let count = sendfile(target, source, nil, left)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let detail = count == 0 ? "it ends too early" : String(cString: strerror(errno))
                throw .inputOutput(path: from, detail: detail)
            }
            left -= count
        }
    }
}
