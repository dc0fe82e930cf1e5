import Dispatch
import Synchronization
import Testing

@testable import MeshAgent

@Suite("Writes that are gathered")
struct GatheredWritesTests {
    /// What was written, each write a list.
    private final class Log: Sendable {
        let writes = Mutex<[[Int]]>([])
        let begun = DispatchSemaphore(value: 0)
        let mayEnd = DispatchSemaphore(value: 0)
    }

    @Test("what comes while a write is under way is one more write, in its order")
    func gathers() {
        let log = Log()
        let writes = GatheredWrites<Int>(label: "comity.test") { items in
            log.begun.signal()
            log.mayEnd.wait()
            log.writes.withLock { $0.append(items) }
            log.begun.signal()
        }
        writes.add(1)
        log.begun.wait()
        for item in 2...100 { writes.add(item) }
        for _ in 0..<2 { log.mayEnd.signal() }
        for _ in 0..<3 { log.begun.wait() }
        #expect(log.writes.withLock { $0 } == [[1], Array(2...100)])
        // And again from nothing.
        log.mayEnd.signal()
        writes.add(101)
        for _ in 0..<2 { log.begun.wait() }
        #expect(log.writes.withLock { $0.last } == [101])
    }
}
