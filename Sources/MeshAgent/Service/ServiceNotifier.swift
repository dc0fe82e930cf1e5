import Glibc
import MeshBase

/// Tells the service manager how this process does: datagrams to the socket that it names in
/// `NOTIFY_SOCKET` (sd_notify(3), without libsystemd).
///
/// A message that cannot be sent is lost: a manager that does not listen is no reason to stop carrying calls.
/// It notices by itself, where a watchdog is set.
final class ServiceNotifier: Sendable {
    /// What is told.
    enum State: Sendable, Equatable {
        /// Peers and commands reach the agent. Ends a reload, too.
        case ready
        /// The configuration is read again, since this moment of the monotonic clock.
        case reloading(since: Instant)
        case stopping
        /// Still alive.
        case watchdog
        /// One line for people.
        case status(String)

        var text: String {
            switch self {
            case .ready: "READY=1"
            case .reloading(let since): "RELOADING=1\nMONOTONIC_USEC=\(since.nanoseconds / 1_000)"
            case .stopping: "STOPPING=1"
            case .watchdog: "WATCHDOG=1"
            case .status(let line): "STATUS=\(line.map { $0.isNewline ? " " : String($0) }.joined())"
            }
        }
    }

    /// How often a sign of life is due: half of what the manager waits; nil when it waits for none.
    let watchdogInterval: Duration?
    private let address: sockaddr_un
    private let length: socklen_t

    /// Nil where no manager asks to be told.
    /// - Parameter environment: the process's.
    init?(environment: [String: String]) {
        guard let path = environment["NOTIFY_SOCKET"], let made = Self.address(path) else { return nil }
        (address, length) = made
        // A limit that was set for another process, as a parent's environment leaves it, is not ours.
        let isOurs = environment["WATCHDOG_PID"].map { Int32($0) == getpid() } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        watchdogInterval = isOurs && microseconds > 0 ? .microseconds(microseconds) / 2 : nil
    }

    /// Tells the manager. Any thread; never waits.
    func tell(_ states: State...) {
        let text = states.map(\.text).joined(separator: "\n")
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = address
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                let bytes = Array(text.utf8)
                let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                _ = sendto(descriptor, bytes, bytes.count, flags, target, length)
            }
        }
    }

    /// A path, or `@` and a name in the abstract namespace; nil for anything else or what does not fit.
    private static func address(_ path: String) -> (sockaddr_un, socklen_t)? {
        var bytes = Array(path.utf8)
        var address = sockaddr_un()
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count > 1, bytes.count < room,
            bytes[0] == UInt8(ascii: "/") || bytes[0] == UInt8(ascii: "@")
        else { return nil }
        let isAbstract = bytes[0] == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        // A name in the abstract namespace has no closing zero.
        let length = MemoryLayout.offset(of: \sockaddr_un.sun_path).map {
            $0 + bytes.count + (isAbstract ? 0 : 1)
        }
        return length.map { (address, socklen_t($0)) }
    }
}
