import Glibc

/// A small file that only its owner may read, written whole or not at all.
struct PrivateFile {
    /// Where it is.
    let path: String
    /// How many bytes are read at most; a PEM of a P-256 key takes about 240.
    var sizeLimit = 4_096

    /// The content, after the checks that make it private. Each check is made on the open file, so that
    /// nobody can swap it between check and use.
    func read() throws(CredentialError) -> [UInt8] {
        let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT: throw .keyMissing(path: path)
            case ELOOP, ENXIO: throw .keyIsNoFile(path: path)
            case let number: throw .fileRefused(path: path, operation: .open, errno: number)
            }
        }
        defer { close(descriptor) }
        try inspect(descriptor)
        return try content(of: descriptor)
    }

    private func inspect(_ descriptor: Int32) throws(CredentialError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .fileRefused(path: path, operation: .inspect, errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .keyIsNoFile(path: path) }
        guard status.st_uid == geteuid() else {
            throw .keyOfAnotherUser(path: path, owner: status.st_uid, expected: geteuid())
        }
        guard status.st_mode & 0o077 == 0 else { throw .keyOpenToOthers(path: path, mode: status.st_mode) }
        guard status.st_size <= sizeLimit else { throw .keyMalformed(path: path) }
    }

    private func content(of descriptor: Int32) throws(CredentialError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: sizeLimit + 1)
        var length = 0
        while length < bytes.count {
            let count = bytes.withUnsafeMutableBytes { room in
                Glibc.read(descriptor, room.baseAddress?.advanced(by: length), room.count - length)
            }
            if count == 0 { break }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .fileRefused(path: path, operation: .read, errno: errno)
            }
            length += count
        }
        guard length <= sizeLimit else { throw .keyMalformed(path: path) }
        return Array(bytes[..<length])
    }

    /// Creates the file with `bytes`, mode 0600, synced with its folder. A crash leaves either all of it or
    /// nothing under `path`: the bytes are written beside it first and then linked, which fails where there
    /// is a file already.
    func create(_ bytes: [UInt8]) throws(CredentialError) {
        defer { unlink(draft) }
        try writeDraft(bytes)
        guard link(draft, path) == 0 else {
            if errno == EEXIST { throw .keyExists(path: path) }
            throw .fileRefused(path: path, operation: .publish, errno: errno)
        }
        try syncFolder()
    }

    /// Puts `bytes` in the file's place, mode 0600, synced with its folder. A crash leaves either all of them
    /// or what was there.
    func replace(_ bytes: [UInt8]) throws(CredentialError) {
        defer { unlink(draft) }
        try writeDraft(bytes)
        guard rename(draft, path) == 0 else {
            throw .fileRefused(path: path, operation: .publish, errno: errno)
        }
        try syncFolder()
    }

    private var draft: String { path + ".new" }

    private func writeDraft(_ bytes: [UInt8]) throws(CredentialError) {
        // A draft that a crash left behind is not a key that anybody used.
        unlink(draft)
        let descriptor = Glibc.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .fileRefused(path: draft, operation: .open, errno: errno) }
        defer { close(descriptor) }
        try write(bytes, to: descriptor)
        guard fsync(descriptor) == 0 else {
            throw CredentialError.fileRefused(path: draft, operation: .sync, errno: errno)
        }
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(CredentialError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                Glibc.write(descriptor, all.baseAddress?.advanced(by: written), all.count - written)
            }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .fileRefused(path: path, operation: .write, errno: errno)
            }
            written += count
        }
    }

    private func syncFolder() throws(CredentialError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .fileRefused(path: folder, operation: .open, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .fileRefused(path: folder, operation: .sync, errno: errno) }
    }
}

/// What the system says an error number means.
func systemText(_ number: Int32) -> String { String(cString: strerror(number)) }
