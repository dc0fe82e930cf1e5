import FoundationEssentials
import Glibc

/// Where a Unix socket of a home is: in the home, or, when that path is too long for a socket (107 bytes), in
/// a private runtime folder to which the home holds a symbolic link.
public struct ControlSocketPath: Equatable, Sendable {
    /// Bytes of a path that fit into `sockaddr_un` with its closing zero.
    public static let longest = 107

    /// The path in the home: the socket itself, or a link to it.
    public let inHome: String
    /// The path to bind and to connect to: never longer than `longest`.
    public let socket: String

    private var isLinked: Bool { inHome != socket }

    /// Where the agent of `home` makes its socket.
    /// - Parameters:
    ///   - home: an absolute path.
    ///   - name: the socket's name: `control.sock`, `gateway.sock`.
    ///   - runtimeFolder: where private runtime files go, `XDG_RUNTIME_DIR`; nil: a folder of this user's in
    ///     `/tmp`.
    public init(home: String, name: String, runtimeFolder: String?) {
        inHome = home + "/" + name
        guard inHome.utf8.count > ControlSocketPath.longest else {
            socket = inHome
            return
        }
        let leaf = "comity-\(ControlSocketPath.mark(of: home))/\(name)"
        let short = "/tmp/\(getuid())-\(leaf)"
        let wanted = runtimeFolder.map { "\($0)/\(leaf)" } ?? short
        socket = wanted.utf8.count > ControlSocketPath.longest ? short : wanted
    }

    /// Where a client of `home` finds the socket: follows the home's link, so that the two need not share an
    /// environment.
    public static func existing(home: String, name: String) -> String {
        let path = home + "/" + name
        guard path.utf8.count > longest else { return path }
        var target = [CChar](repeating: 0, count: longest + 1)
        let length = readlink(path, &target, target.count)
        guard (1...longest).contains(length) else { return path }
        return String(decoding: target.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Makes the private folder and the home's link where they are needed. Whoever asks holds the home's
    /// lock.
    public func prepare() throws(ControlSocketPathFailure) {
        guard isLinked else { return }
        let folder = String(socket[..<(socket.lastIndex(of: "/") ?? socket.endIndex)])
        if mkdir(folder, 0o700) != 0 && errno != EEXIST { throw .folder(folder, cause: errno) }
        guard ControlSocketPath.isPrivate(folder) else { throw .foreignFolder(folder) }
        if unlink(inHome) != 0 && errno != ENOENT { throw .link(inHome, cause: errno) }
        if symlink(socket, inHome) != 0 { throw .link(inHome, cause: errno) }
    }

    /// Takes away the socket, the link and the private folder; what is not there is not missed.
    public func remove() {
        unlink(socket)
        guard isLinked else { return }
        unlink(inHome)
        rmdir(String(socket[..<(socket.lastIndex(of: "/") ?? socket.endIndex)]))
    }

    /// Whether `folder` is a folder (not a link to one) of this user's, into which nobody else can look.
    private static func isPrivate(_ folder: String) -> Bool {
        do {
            let facts = try FileManager.default.attributesOfItem(atPath: folder)
            guard facts[.type] as? FileAttributeType == .typeDirectory,
                let owner = number(facts[.ownerAccountID]), let mode = number(facts[.posixPermissions])
            else { return false }
            return owner == getuid() && mode & 0o077 == 0
        } catch {
            return false
        }
    }

    /// A number that is boxed in one way or another, depending on which half of Foundation is linked.
    private static func number(_ attribute: Any?) -> UInt32? {
        attribute.flatMap { UInt32(String(describing: $0)) }
    }

    /// Tells homes apart in one folder (FNV-1a, 64 bits): no secret, and a clash only makes one of two agents
    /// fail to start.
    private static func mark(of home: String) -> String {
        let hash = home.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}

/// Why a socket's place cannot be prepared.
public enum ControlSocketPathFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The private folder cannot be made.
    case folder(String, cause: Int32)
    /// The private folder belongs to another user, or others can look into it.
    case foreignFolder(String)
    /// The link in the home cannot be made.
    case link(String, cause: Int32)

    public var description: String {
        switch self {
        case .folder(let path, let cause):
            "the folder \(path) cannot be made: \(String(cString: strerror(cause)))"
        case .foreignFolder(let path): "the folder \(path) is not this user's own with mode 0700; remove it"
        case .link(let path, let cause):
            "the link \(path) cannot be made: \(String(cString: strerror(cause)))"
        }
    }
}
