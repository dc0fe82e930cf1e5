import Glibc

/// What can be wrong with the folder of a node, or with what the agent wants to do in it.
public enum HomeError: Error, Equatable, Sendable {
    /// Neither an option nor the environment says where the home is, and this user has no home folder.
    case unknown
    /// The folder in which the home would be created does not exist.
    case parentMissing(path: String, parent: String)
    /// What is at the path is no folder.
    case notAFolder(path: String)
    /// The home belongs to another user.
    case ofAnotherUser(path: String, owner: UInt32, expected: UInt32)
    /// The group or everybody may enter the home.
    case openToOthers(path: String, mode: UInt32)
    /// Another agent runs in this home; `holder` is its process, nil when the lock does not name one.
    case inUse(path: String, holder: Int32?)
    /// A file that the agent reads is longer than it may be.
    case tooLong(path: String, limit: Int)
    /// The system refused an operation.
    case refused(path: String, operation: String, errno: Int32)
}

extension HomeError: CustomStringConvertible {
    /// What happened, what was compared, and the next command.
    public var description: String {
        switch self {
        case .unknown: "no home folder is known for this user. Next: set COMITY_HOME, or give --home DIR"
        case .parentMissing(let path, let parent):
            "\(path) cannot be created: there is no folder \(parent). Next: mkdir -p \(parent)"
        case .notAFolder(let path): "\(path) is not a folder. Next: give another one with --home DIR"
        case .ofAnotherUser(let path, let owner, let expected):
            "\(path) belongs to user \(owner), this process runs as user \(expected). "
                + "Next: run as its owner, or chown -R \(expected) \(path)"
        case .openToOthers(let path, let mode):
            "\(path) has mode \(String(mode & 0o7777, radix: 8)), a home must be its owner's alone. "
                + "Next: chmod 700 \(path)"
        case .inUse(let path, let holder?):
            "an agent already runs in \(path): process \(holder). One home is one node. Next: comity status"
        case .inUse(let path, nil):
            "an agent already runs in \(path). One home is one node. Next: comity status"
        case .tooLong(let path, let limit): "\(path) is longer than \(limit) bytes"
        case .refused(let path, let operation, let number):
            "could not \(operation) \(path): \(String(cString: strerror(number)))"
        }
    }
}
