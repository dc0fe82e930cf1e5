import Glibc
import MeshCredentials
import MeshStore

/// Why a backup was not made, or not restored. Nothing is left half done under the names that were given.
public enum BackupError: Error, Equatable, Sendable, CustomStringConvertible {
    /// There is a file already.
    case exists(path: String)
    /// No node was ever made in this home.
    case noNode(home: String)
    /// The home is not empty.
    case notEmpty(home: String, found: [String])
    /// The file is no backup, or not one that this program reads.
    case notABackup(path: String, problem: String)
    /// The file is a backup, and not all of it is as it was written.
    case damaged(path: String, problem: String)
    /// What is in it is not of the node that it names.
    case otherNode(named: String, found: String)
    /// The system refused an operation.
    case refused(path: String, operation: String, errno: Int32)
    case home(HomeError)
    case store(StoreError)
    case journal(JournalError)
    case credential(CredentialError)
    /// The home cannot be read as one of ours.
    case unreadable(home: String, cause: String)

    public var description: String {
        switch self {
        case .exists(let path): "\(path) is there already, and a backup never replaces anything"
        case .noNode(let home): "there is no node in \(home)"
        case .notEmpty(let home, let found):
            "\(home) is not empty: it holds \(found.prefix(5).joined(separator: ", "))"
        case .notABackup(let path, let problem): "\(path) is no backup of comity: \(problem)"
        case .damaged(let path, let problem): "\(path) is damaged: \(problem)"
        case .otherNode(let named, let found):
            "the backup says that it is of \(named), and the key in it is of \(found)"
        case .refused(let path, let operation, let number):
            "could not \(operation) \(path): \(String(cString: strerror(number)))"
        case .home(let error): "\(error)"
        case .store(let error): "\(error)"
        case .journal(let error): "\(error)"
        case .credential(let error): "\(error)"
        case .unreadable(let home, let cause): "\(home) cannot be read: \(cause)"
        }
    }

    /// A stable name for scripts.
    public var code: String {
        switch self {
        case .exists: "backup-exists"
        case .noNode: "home-without-node"
        case .notEmpty: "home-not-empty"
        case .notABackup: "no-backup"
        case .damaged, .otherNode: "backup-damaged"
        case .home(.inUse): "home-in-use"
        case .refused, .home, .store, .journal, .credential, .unreadable: "backup-failed"
        }
    }

    /// What to do next; nil when the sentence says it.
    public var next: String? {
        switch self {
        case .exists: "comity backup FILE, with another name"
        case .noNode: "comity up"
        case .notEmpty: "comity restore FILE --home DIR, with a folder that does not exist"
        case .notABackup, .damaged, .otherNode, .refused, .home, .store, .journal, .credential, .unreadable:
            nil
        }
    }

    /// Does what may fail in many ways, and gives the failure one of these names.
    static func naming<Result>(_ home: Home, _ work: () throws -> Result) throws(BackupError) -> Result {
        do {
            return try work()
        } catch let error as BackupError {
            throw error
        } catch let error as HomeError {
            throw .home(error)
        } catch let error as StoreError {
            throw .store(error)
        } catch let error as JournalError {
            throw .journal(error)
        } catch let error as CredentialError {
            throw .credential(error)
        } catch {
            throw .unreadable(home: home.path, cause: "\(error)")
        }
    }
}
