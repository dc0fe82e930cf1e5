import Glibc
import Testing

/// Unix sockets as an ill-behaved neighbour uses them.
enum UnixSocket {
    /// Binds and closes: the file stays, nobody listens.
    static func leaveDead(at path: String) throws {
        let descriptor = try withAddress(of: path) { bind($0, $1, $2) }
        close(descriptor)
    }

    /// Connects, says `bytes`, hangs up.
    static func shout(_ bytes: [UInt8], at path: String) throws {
        let descriptor = try withAddress(of: path) { connect($0, $1, $2) }
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        close(descriptor)
    }

    /// Connects; whoever asks closes it.
    static func open(at path: String) throws -> Int32 {
        try withAddress(of: path) { connect($0, $1, $2) }
    }

    /// Says `text` and stays.
    static func say(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Whether the other side still takes what is said.
    static func takes(_ text: String, _ descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        return send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) > 0
    }

    /// Whether the other side has ended it; what it said before that is thrown away.
    static func isEnded(_ descriptor: Int32) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            if count <= 0 { return count == 0 || errno != EAGAIN }
        }
    }

    private static func withAddress(
        of path: String, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        return descriptor
    }
}
