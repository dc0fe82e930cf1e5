import Foundation
import GRDB
import Glibc
import MeshBase

/// What survives a restart: one SQLite file in the home (0600), written one transaction a turn.
///
/// A commit that has returned survives the loss of power (WAL with `synchronous = FULL`); one that has thrown
/// left nothing. The control plane loads everything at start and is the only one that changes it; the audit's
/// index lives in the same file and writes in batches of its own.
///
/// A file of an older schema is copied (`comity.db.vN`) and migrated; one of a newer schema is refused
/// untouched.
public final class Store: Sendable {
    /// Where the file is.
    public let path: String
    let pool: DatabasePool

    /// How the file is opened; tests set other values.
    struct Options: Sendable {
        var schema = StoreSchema.current
        /// How long to wait for another process that holds the file.
        var busySeconds = 2.0
        /// The most pages that the file may have; nil for no limit.
        var pageLimit: Int?
    }

    /// Opens the file at `path`, making it when it is not there; its folder must be.
    public static func open(path: String) throws(StoreError) -> Store {
        try open(path: path, options: Options())
    }

    static func open(path: String, options: Options) throws(StoreError) -> Store {
        try makePrivate(path)
        return try storing(at: path) {
            var configuration = Configuration()
            configuration.label = "store"
            configuration.foreignKeysEnabled = true
            configuration.busyMode = .timeout(options.busySeconds)
            try prepare(path, options.schema, configuration)
            return try Store(path: path, options: options, configuration: configuration)
        }
    }

    private init(path: String, options: Options, configuration: Configuration) throws {
        self.path = path
        pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { database in
            // GRDB sets NORMAL with WAL, under which a commit does not survive the loss of power.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            if let limit = options.pageLimit { try database.execute(sql: "PRAGMA max_page_count = \(limit)") }
        }
        try options.schema.migrate(pool)
    }

    /// Applies all changes in order and in one transaction, or none.
    public func commit(_ changes: [StoreChange]) throws(StoreError) {
        guard !changes.isEmpty else { return }
        try storing(at: path) {
            try pool.write { database in
                for change in changes { try change.apply(to: database) }
            }
        }
    }

    /// Everything but the audit's index, as one transaction saw it.
    public func load() throws(StoreError) -> StoredState {
        try storing(at: path) {
            try pool.read { try StoredState(database: $0, path: path) }
        }
    }

    /// Forgets idempotency keys whose time is over, `batch` at a time, each batch in a transaction of its
    /// own.
    /// - Returns: how many were forgotten.
    @discardableResult
    public func removeIdempotency(expiredAt wall: WallTime, batch: Int = 500) throws(StoreError) -> Int {
        try removeInBatches { database in
            try database.execute(
                sql: """
                    DELETE FROM idempotency WHERE rowid IN
                        (SELECT rowid FROM idempotency WHERE expires <= ? LIMIT ?)
                    """,
                arguments: [wall.milliseconds, batch])
        }
    }

    /// Closes the file. What is asked of it afterwards fails.
    public func close() throws(StoreError) {
        try storing(at: path) { try pool.close() }
    }

    /// Repeats `body`, each time in a transaction of its own, until it changes nothing.
    func removeInBatches(_ body: @escaping @Sendable (Database) throws -> Void) throws(StoreError) -> Int {
        var total = 0
        while true {
            let count = try storing(at: path) {
                try pool.write { database in
                    try body(database)
                    return database.changesCount
                }
            }
            guard count > 0 else { return total }
            total += count
        }
    }

    /// Makes the file with nobody else's permissions before SQLite would with the umask's; what SQLite puts
    /// beside it gets the same mode.
    static func makePrivate(_ path: String) throws(StoreError) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .unavailable(path: path, detail: String(cString: strerror(errno)))
        }
        defer { Glibc.close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw .unavailable(path: path, detail: String(cString: strerror(errno)))
        }
    }

    /// Refuses a newer file, and keeps a copy of an older one that is about to be migrated.
    private static func prepare(_ path: String, _ schema: StoreSchema, _ configuration: Configuration) throws
    {
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let found = try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
        guard found <= schema.version else {
            try queue.close()
            throw StoreError.newerSchema(path: path, found: found, supported: schema.version)
        }
        if found > 0, found < schema.version {
            let copy = path + ".v\(found)"
            unlink(copy)
            try makePrivate(copy)
            try queue.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
        }
        try queue.close()
    }
}
