import Glibc

/// The folder of one node: its keys, its store, its sockets, its audit journal (product page, "One home, one
/// node").
///
/// It is its owner's alone; everything in it relies on that. Copying it while no agent runs in it is a
/// backup.
public struct Home: Sendable, Equatable {
    /// The absolute path of the folder.
    public let path: String

    /// A home without looking whether it exists.
    /// - Parameter path: relative ones begin at the working directory.
    public init(path: String) {
        let absolute = path.hasPrefix("/") ? path : workingDirectory() + "/" + path
        var trimmed = Substring(absolute)
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed = trimmed.dropLast() }
        self.path = String(trimmed)
    }

    /// Where the home is when no option says so: `COMITY_HOME`, else `.comity` in the user's own folder.
    public static func standard(environment: [String: String]) throws(HomeError) -> Home {
        if let path = environment["COMITY_HOME"], !path.isEmpty { return Home(path: path) }
        if let folder = environment["HOME"], folder.hasPrefix("/") { return Home(path: folder + "/.comity") }
        guard let entry = getpwuid(geteuid()), let folder = entry.pointee.pw_dir else { throw .unknown }
        return Home(path: String(cString: folder) + "/.comity")
    }

    /// The node's identity key.
    public var identityKey: String { file("identity.key") }
    /// The key that a rotation will reveal.
    public var nextKey: String { file("next.key") }
    /// The key of the domain's anchor, where the domain was made here and the key was not moved out.
    public var anchorKey: String { file("anchor.key") }
    /// The keys for sealed payloads: two at most.
    public var encryptionKeys: String { file("encryption.keys") }
    /// The store.
    public var store: String { file("comity.db") }
    /// The folder of the audit journal.
    public var journal: String { file("journal") }
    /// The optional configuration.
    public var configuration: String { file("config.yaml") }
    /// Where applications find the bearer token when `gateway.access` is `token`.
    public var gatewayToken: String { file("gateway.token") }
    /// Held by the running agent.
    var lock: String { file("lock") }

    /// A path that the configuration names: absolute, or from the home.
    func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : file(path) }

    func file(_ name: String) -> String { path == "/" ? "/" + name : path + "/" + name }

    /// Creates the folder and the journal's where they are missing (mode 0700), and refuses a folder that
    /// others may enter.
    /// - Returns: whether the home is new.
    @discardableResult
    public func prepare() throws(HomeError) -> Age {
        let age = try prepareFolder()
        _ = try createFolder(journal)
        return age
    }

    /// The folder alone, with nothing in it when it is new.
    @discardableResult
    func prepareFolder() throws(HomeError) -> Age {
        let age = try createFolder(path)
        try check()
        return age
    }

    /// Whether a folder was there before.
    public enum Age: Sendable, Equatable {
        case created, existing
    }

    /// Refuses a home that does not exist, is no folder, belongs to another user, or that others may enter.
    public func check() throws(HomeError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .refused(path: path, operation: "inspect", errno: errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .notAFolder(path: path) }
        guard status.st_uid == geteuid() else {
            throw .ofAnotherUser(path: path, owner: status.st_uid, expected: geteuid())
        }
        guard status.st_mode & 0o077 == 0 else { throw .openToOthers(path: path, mode: status.st_mode) }
    }

    private func createFolder(_ path: String) throws(HomeError) -> Age {
        guard mkdir(path, 0o700) != 0 else { return .created }
        switch errno {
        case EEXIST: return .existing
        case ENOENT: throw .parentMissing(path: path, parent: parent(of: path))
        case ENOTDIR: throw .notAFolder(path: parent(of: path))
        case let number: throw .refused(path: path, operation: "create", errno: number)
        }
    }

    /// Whether nobody but its owner can change a file, and that is this user or root.
    func isGuarded(_ path: String) -> Bool {
        var found = stat()
        guard stat(path, &found) == 0 else { return false }
        return found.st_mode & 0o022 == 0 && (found.st_uid == geteuid() || found.st_uid == 0)
    }

    /// The bytes of a file in the home; nil when there is none.
    func contents(of path: String, limit: Int) throws(HomeError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .refused(path: path, operation: "open", errno: errno)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .refused(path: path, operation: "read", errno: errno)
            }
            guard bytes.count + count <= limit else { throw .tooLong(path: path, limit: limit) }
            bytes += chunk[..<count]
        }
    }
}

private func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
}

private func workingDirectory() -> String {
    guard let buffer = getcwd(nil, 0) else { return "" }
    defer { free(buffer) }
    return String(cString: buffer)
}
