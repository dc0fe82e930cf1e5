import Foundation
import Glibc
import Synchronization

/// A Unix socket for datagrams, as a service manager has one.
final class DatagramSocket: Sendable {
    /// As `NOTIFY_SOCKET` names it.
    let name: String
    private let descriptor: Int32
    /// What came behind what was waited for.
    private let waiting = Mutex<[String]>([])

    /// - Parameter name: a path, or `@` and a name in the abstract namespace.
    init(_ name: String) throws {
        self.name = name
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        let isAbstract = bytes[0] == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(2 + bytes.count + (isAbstract ? 0 : 1))
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard result == 0 else { throw NeverHappened(description: "cannot bind \(name): \(errno)") }
    }

    deinit { close(descriptor) }

    /// What came so far and was not read yet, datagram by datagram.
    func read() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count >= 0 else { return messages }
            messages.append(String(decoding: buffer.prefix(count), as: UTF8.self))
        }
    }

    /// Waits for a datagram that holds a line; what came before it is forgotten.
    func heard(_ line: String, within patience: Duration = .seconds(10)) async throws -> String {
        try await eventually(line, within: patience) {
            let news = read()
            return waiting.withLock { waiting in
                waiting += news
                let place = waiting.firstIndex { $0.split(separator: "\n").contains { $0.hasPrefix(line) } }
                guard let place else { return nil }
                defer { waiting.removeFirst(place + 1) }
                return waiting[place]
            }
        }
    }
}
