import Foundation

/// A port of this machine where each connection has a thread of its own.
final class LoopbackService: Sendable {
    let port: UInt16
    private let listener: Int32

    var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameter backlog: connections that may wait to be taken.
    init(backlog: Int32) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, backlog) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw NeverHappened(description: "a service that listens") }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
    }

    /// Takes connections until `stop`.
    func serve(_ connection: @escaping @Sendable (Wire) -> Void) {
        Thread.detachNewThread { [listener] in
            while case let accepted = accept(listener, nil, nil), accepted >= 0 {
                Thread.detachNewThread { connection(Wire(accepted)) }
            }
            close(listener)
        }
    }

    /// Takes no more connections.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }
}
