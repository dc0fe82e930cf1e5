import Foundation
import Synchronization

/// Calls of an application that come at their times, however long those before them take: each is timed from when
/// it was due, so that one that waits for another counts its waiting too.
struct PacedCalls {
    /// As many at once at most; each on a connection and a thread of its own.
    static let callers = 4

    let port: UInt16
    let path: String
    let perSecond: Int

    /// How long each took, in nanoseconds, rising.
    func run(for seconds: Int) throws -> [Int64] {
        let ends = try (0..<Self.callers).map { _ in try LoopbackHTTP(port: port) }
        defer { for end in ends { close(end.descriptor) } }
        let request = Array(
            "GET \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\naccept: */*\r\n\r\n".utf8)
        let gap = 1_000_000_000 / Int64(perSecond)
        let found = Mutex<(times: [Int64], problem: (any Error)?)>(([], nil))
        let began = try Stopwatch.wall.read() + 10_000_000
        let threads = DispatchGroup()
        for (number, end) in ends.enumerated() {
            Thread(group: threads) {
                do {
                    var end = end
                    var times: [Int64] = []
                    for turn in stride(from: number, to: perSecond * seconds, by: Self.callers) {
                        let due = began + Int64(turn) * gap
                        try Self.sleep(until: due)
                        try end.send(request)
                        try Self.answer(on: &end)
                        times.append(try Stopwatch.wall.read() - due)
                    }
                    found.withLock { $0.times += times }
                } catch {
                    found.withLock { $0.problem = error }
                }
            }
            .start()
        }
        threads.wait()
        return try found.withLock { found in
            if let problem = found.problem { throw problem }
            return found.times.sorted()
        }
    }

    private static func answer(on end: inout LoopbackHTTP) throws {
        while true {
            if let line = try end.message() {
                return try require(line.hasPrefix("http/1.1 200"), "a call was answered: \(line)")
            }
            try require(end.receive(), "a connection ended before its answer")
        }
    }

    private static func sleep(until due: Int64) throws {
        var time = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    }
}

extension Thread {
    /// A thread that `group` waits for.
    fileprivate convenience init(group: DispatchGroup, _ work: @escaping @Sendable () -> Void) {
        group.enter()
        self.init {
            work()
            group.leave()
        }
    }
}
