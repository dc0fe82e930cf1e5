import Foundation
import Synchronization

/// An HTTP service on loopback that works on so many requests at once, each for as long, while all others
/// wait in one line: what somebody has with few workers and a slow store behind them. 200 to each.
final class SlowBackend: Sendable {
    private let service: LoopbackService
    private let places: DispatchSemaphore
    private let work: Double
    private let inHand = Atomic(0)
    private let most = Atomic(0)
    private let served = Atomic(0)

    /// - Parameters:
    ///   - places: requests that it works on at once.
    ///   - work: seconds that each takes.
    init(places: Int, work: Double) throws {
        service = try LoopbackService(backlog: 256)
        self.places = DispatchSemaphore(value: places)
        self.work = work
        service.serve { [self] wire in
            while wire.head() != nil { serve(wire) }
        }
    }

    var url: String { service.url }
    /// How many requests were here at once, at most.
    var mostInHand: Int { most.load(ordering: .relaxed) }
    /// Requests that were answered.
    var answered: Int { served.load(ordering: .relaxed) }

    /// Takes no more connections.
    func stop() { service.stop() }

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
