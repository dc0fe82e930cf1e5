import GRDB

/// Why the store could not do what it was asked. Nothing of the transaction was kept then.
public enum StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process holds the file.
    case locked(path: String)
    /// The disk, or the file's own limit, is full.
    case full(path: String)
    /// The system could not read or write the file.
    case inputOutput(path: String, detail: String)
    /// The file, or one row of it, is not what this program wrote.
    case corrupt(path: String, detail: String)
    /// The file was written by a later version of this program.
    case newerSchema(path: String, found: Int, supported: Int)
    /// The file or its folder cannot be opened: missing, or not this user's.
    case unavailable(path: String, detail: String)
    /// A row contradicts another one: a name that is taken, an endpoint of no peer.
    case contradiction(detail: String)
    /// The audit journal, which the index reads, could not be read.
    case journal(JournalError)

    public var description: String {
        switch self {
        case .locked(let path):
            "\(path) is in use by another program: see which with `fuser \(path)`; one home is for one agent"
        case .full(let path):
            "no room left to write \(path): make room there (`df -h \(path)`), then go on;"
                + " nothing was changed"
        case .inputOutput(let path, let detail):
            "cannot read or write \(path): \(detail); see `dmesg` and `comity doctor`"
        case .corrupt(let path, let detail):
            "\(path) is damaged: \(detail); stop the agent, then bring a copy of the home"
                + " back (`comity restore FILE`)"
        case .newerSchema(let path, let found, let supported):
            "\(path) has schema version \(found), this program reads up to \(supported):"
                + " use the later version of comity, or the copy of the file that was kept"
                + " before it was migrated"
        case .unavailable(let path, let detail):
            "cannot open \(path): \(detail); see who owns it with `ls -l \(path)`"
        case .contradiction(let detail): "the store refused a change that contradicts another: \(detail)"
        case .journal(let error): error.description
        }
    }

    /// Names what SQLite answered.
    init(_ error: DatabaseError, path: String) {
        let detail = error.message ?? "\(error.extendedResultCode)"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL: self = .locked(path: path)
        case .SQLITE_FULL: self = .full(path: path)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt(path: path, detail: detail)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
            self = .unavailable(path: path, detail: detail)
        case .SQLITE_CONSTRAINT: self = .contradiction(detail: detail)
        default: self = .inputOutput(path: path, detail: detail)
        }
    }
}

/// Runs `body` and gives its failure one of our names.
func storing<Result>(at path: String, _ body: () throws -> Result) throws(StoreError) -> Result {
    do {
        return try body()
    } catch let error as StoreError {
        throw error
    } catch let error as DatabaseError {
        throw StoreError(error, path: path)
    } catch let error as JournalError {
        throw .journal(error)
    } catch let error as RowDecodingError {
        throw .corrupt(path: path, detail: "\(error)")
    } catch {
        throw .inputOutput(path: path, detail: "\(error)")
    }
}
