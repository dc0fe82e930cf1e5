import FuzzTargets
import Glibc
import Testing

/// The time of a reader grows with its input, not with its square: sixteen times the input may take a hundred
/// times as long on a busy machine, not two hundred and fifty-six times.
@Suite("The time of readers", .serialized)
struct TimeTests {
    private static let shapes: [(target: String, shape: @Sendable (Int) -> String)] = [
        ("json", { "[" + (0..<$0).map(String.init).joined(separator: ",") + "]" }),
        ("json", { "{" + (0..<$0).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}" }),
        (
            "json",
            { "[" + Array(repeating: #""\u00e9\u00e9\u00e9""#, count: $0 / 3).joined(separator: ",") + "]" }
        ),
        ("json", { String(repeating: " ", count: $0) + "0" + String(repeating: "\n", count: $0) }),
        ("json", { "[" + Array(repeating: "[[[[[[[]]]]]]]", count: $0 / 4).joined(separator: ",") + "]" }),
        ("request-path", { String(repeating: "/%C3%A9", count: $0 / 4) }),
        ("header-fields", { String(repeating: "a:b\n", count: $0) }),
    ]

    @Test("grows with their input", arguments: 0..<shapes.count)
    func grows(number: Int) throws {
        let (name, shape) = Self.shapes[number]
        let target = try #require(FuzzTargets.all.first { $0.name == name })
        let (short, long) = (Array(shape(250).utf8), Array(shape(4_000).utf8))
        _ = try target.read(short)
        let shortTime = try time(target, short)
        let longTime = try time(target, long)
        #expect(longTime < shortTime * 100 + .milliseconds(5), "\(name): \(shortTime) and \(longTime)")
    }

    /// The least of five, in time of the processor that this thread had: what else runs does not count.
    private func time(_ target: FuzzTarget, _ bytes: [UInt8]) throws -> Duration {
        var best = Duration.seconds(60)
        for _ in 0..<5 {
            let start = processorTime()
            _ = try target.read(bytes)
            best = min(best, processorTime() - start)
        }
        return best
    }

    private func processorTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
