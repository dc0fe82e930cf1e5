import Foundation
import Synchronization

/// An HTTP service on loopback that works on so many requests at once, each for as long, while all others
/// wait in one line: what somebody has with few workers and a slow store behind them. 200 to each.
final class SlowBackend: Sendable {
    let port: UInt16
    private let listener: Int32
    private let places: DispatchSemaphore
    private let work: Double
    private let inHand = Atomic(0)
    private let most = Atomic(0)
    private let served = Atomic(0)

    /// - Parameters:
    ///   - places: requests that it works on at once.
    ///   - work: seconds that each takes.
    init(places: Int, work: Double) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 256) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw NeverHappened(description: "a service that listens") }
        self.listener = listener
        self.places = DispatchSemaphore(value: places)
        self.work = work
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            while case let accepted = accept(listener, nil, nil), accepted >= 0 {
                Thread.detachNewThread { [self] in
                    let wire = Wire(accepted)
                    while wire.head() != nil { serve(wire) }
                }
            }
            close(listener)
        }
    }

    var url: String { "http://127.0.0.1:\(port)" }
    /// How many requests were here at once, at most.
    var mostInHand: Int { most.load(ordering: .relaxed) }
    /// Requests that were answered.
    var answered: Int { served.load(ordering: .relaxed) }

    /// Takes no more connections.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ wire: Wire) {
        let now = inHand.add(1, ordering: .relaxed).newValue
        most.max(now, ordering: .relaxed)
        places.wait()
        Thread.sleep(forTimeInterval: work)
        places.signal()
        inHand.subtract(1, ordering: .relaxed)
        served.add(1, ordering: .relaxed)
        wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
    }
}
