import Glibc

/// An open file of a backup: blocking reads and writes, whole or failed.
struct PlainFile: ~Copyable {
    let path: String
    private let descriptor: Int32

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    static func reading(_ path: String) throws(BackupError) -> PlainFile {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw .refused(path: path, operation: "open", errno: errno) }
        let file = PlainFile(path: path, descriptor: descriptor)
        guard try file.status().st_mode & S_IFMT == S_IFREG else {
            throw .refused(path: path, operation: "read", errno: EINVAL)
        }
        return file
    }

    /// A new file, its owner's alone.
    static func creating(_ path: String) throws(BackupError) -> PlainFile {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST { throw .exists(path: path) }
            throw .refused(path: path, operation: "create", errno: errno)
        }
        return PlainFile(path: path, descriptor: descriptor)
    }

    func status() throws(BackupError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .refused(path: path, operation: "inspect", errno: errno)
        }
        return status
    }

    /// At most `count` bytes; fewer only at the file's end.
    func read(_ count: Int) throws(BackupError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let taken = bytes.withUnsafeMutableBytes { room in
                Glibc.read(descriptor, room.baseAddress?.advanced(by: filled), count - filled)
            }
            if taken == 0 { break }
            guard taken > 0 else {
                if errno == EINTR { continue }
                throw .refused(path: path, operation: "read", errno: errno)
            }
            filled += taken
        }
        if filled < count { bytes.removeLast(count - filled) }
        return bytes
    }

    func write(_ bytes: [UInt8]) throws(BackupError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                Glibc.write(descriptor, all.baseAddress?.advanced(by: written), all.count - written)
            }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .refused(path: path, operation: "write", errno: errno)
            }
            written += count
        }
    }

    func sync() throws(BackupError) {
        guard fsync(descriptor) == 0 else { throw .refused(path: path, operation: "sync", errno: errno) }
    }
}

/// What a backup does with whole folders.
enum FolderWork {
    static func sync(_ path: String) throws(BackupError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .refused(path: path, operation: "open", errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .refused(path: path, operation: "sync", errno: errno) }
    }

    static func make(_ path: String) throws(BackupError) {
        guard mkdir(path, 0o700) == 0 else { throw .refused(path: path, operation: "create", errno: errno) }
    }

    static func move(_ from: String, to: String) throws(BackupError) {
        guard rename(from, to) == 0 else { throw .refused(path: to, operation: "create", errno: errno) }
    }

    /// The names in it, in order.
    static func names(in path: String) throws(BackupError) -> [String] {
        guard let folder = opendir(path) else { throw .refused(path: path, operation: "list", errno: errno) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a folder and all in it; what is not there is not missed.
    static func remove(_ path: String) throws(BackupError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw .refused(path: path, operation: "inspect", errno: errno)
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in try names(in: path) { try remove(path + "/" + name) }
        }
        guard Glibc.remove(path) == 0 || errno == ENOENT else {
            throw .refused(path: path, operation: "remove", errno: errno)
        }
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
