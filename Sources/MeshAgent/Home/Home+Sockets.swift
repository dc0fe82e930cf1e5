import Glibc
import MeshBase

extension Home {
    /// A Unix socket of the agent.
    public enum Socket: String, Sendable, CaseIterable {
        /// For the command line: owner only.
        case control = "control.sock"
        /// For applications on this machine.
        case gateway = "gateway.sock"
    }

    /// Bytes that an address of a Unix socket may take on Linux, without the zero behind it.
    static let socketPathLimit = 107

    /// Where to connect to, and where the agent listens after `prepareSockets`: in the home itself where its
    /// path is short enough, else where the link in the home points.
    public func socket(_ socket: Socket) throws(HomeError) -> String {
        let direct = file(socket.rawValue)
        guard direct.utf8.count > Self.socketPathLimit else { return direct }
        var target = [CChar](repeating: 0, count: Self.socketPathLimit + 2)
        let length = readlink(direct, &target, target.count - 1)
        guard length > 0, length <= Self.socketPathLimit else {
            throw .refused(
                path: direct, operation: "follow the link", errno: length < 0 ? errno : ENAMETOOLONG)
        }
        return String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Where the home's path is too long for a socket: makes a private runtime folder for them, and links to
    /// it from the home.
    ///
    /// The caller holds the home's lock.
    /// - Parameter environment: `XDG_RUNTIME_DIR` is used where it is set and short enough, else `/tmp`.
    public func prepareSockets(environment: [String: String]) throws(HomeError) {
        for socket in Socket.allCases {
            let direct = file(socket.rawValue)
            guard direct.utf8.count > Self.socketPathLimit else { continue }
            let folder = try runtimeFolder(environment: environment)
            let target = folder + "/" + socket.rawValue
            unlink(direct)
            guard symlink(target, direct) == 0 else {
                throw .refused(path: direct, operation: "link", errno: errno)
            }
        }
    }

    /// One per user and home: the number of the folder's inode tells homes apart, since the path is what is
    /// too long.
    private func runtimeFolder(environment: [String: String]) throws(HomeError) -> String {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .refused(path: path, operation: "inspect", errno: errno) }
        let name = "comity-\(geteuid())-\(status.st_dev)-\(status.st_ino)"
        let given = environment["XDG_RUNTIME_DIR"] ?? ""
        let longest = "/\(name)/\(Socket.gateway.rawValue)".utf8.count
        let isUsable = given.hasPrefix("/") && given.utf8.count + longest <= Self.socketPathLimit
        let folder = Home(path: (isUsable ? given : "/tmp") + "/" + name)
        guard mkdir(folder.path, 0o700) == 0 || errno == EEXIST else {
            throw .refused(path: folder.path, operation: "create", errno: errno)
        }
        // In a folder that all may write to, somebody else may have been there first, with a link to
        // elsewhere.
        var link = stat()
        guard lstat(folder.path, &link) == 0, link.st_mode & S_IFMT == S_IFDIR else {
            throw .notAFolder(path: folder.path)
        }
        try folder.check()
        return folder.path
    }
}
