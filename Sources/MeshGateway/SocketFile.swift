import Glibc
import NIOCore

/// The gateway's Unix socket on disk.
enum SocketFile {
    /// The longest path that fits into an address, without its closing zero.
    static let pathMax = 107

    /// Makes a listening socket at `path` that its owner alone may open, and answers with its descriptor.
    static func listen(at path: String) throws(GatewayFailure) -> NIOBSDSocket.Handle {
        guard path.utf8.count <= pathMax else {
            throw .pathUnusable(path, reason: "longer than \(pathMax) bytes")
        }
        try clear(path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure(path) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        // On Linux the file takes the mode of the unbound socket: at no moment can anybody else open it.
        let isReady =
            fchmod(descriptor, 0o600) == 0
            && withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            } == 0 && Glibc.listen(descriptor, 1_024) == 0
        guard isReady else {
            let reason = failure(path)
            close(descriptor)
            throw reason
        }
        return descriptor
    }

    /// Removes the socket at `path`; anything else that stands there stays.
    static func remove(_ path: String) {
        if isSocket(path) == true { unlink(path) }
    }

    private static func clear(_ path: String) throws(GatewayFailure) {
        guard let isSocket = isSocket(path) else { return }
        guard isSocket else { throw .pathUnusable(path, reason: "something that is no socket stands there") }
        guard unlink(path) == 0 else { throw failure(path) }
    }

    private static func isSocket(_ path: String) -> Bool? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFSOCK
    }

    private static func failure(_ path: String) -> GatewayFailure {
        .socketUnavailable(path, reason: String(cString: strerror(errno)))
    }
}

/// What the kernel says of the process at the other end of a Unix socket (`struct ucred`, unix(7)).
struct PeerCredentials: Sendable {
    var process: Int32 = 0
    var user: UInt32 = 0
    var group: UInt32 = 0
}
