import MeshBase
import Synchronization

/// Counts what witnesses ask and how long the answers take, for the page of metrics:
/// `federation_discovery_requests_total{method,status}` and `federation_discovery_duration_seconds{method}`.
final class DiscoveryMeter: Sendable {
    /// What became of a question.
    enum Outcome: String, Sendable, CaseIterable {
        case success, failure
    }

    /// The counts of one method.
    struct Counts: Sendable, Equatable {
        /// Questions that were answered.
        var successes: UInt64 = 0
        /// Questions that were not, or by something that made no sense.
        var failures: UInt64 = 0
        /// How long the answers took. A question that asked the server to wait is not among them.
        var durations = DurationHistogram(upTo: DiscoveryMeter.bounds)

        /// Questions with this outcome.
        func requests(_ outcome: Outcome) -> UInt64 {
            switch outcome {
            case .success: successes
            case .failure: failures
            }
        }
    }

    /// The upper bounds of the buckets, rising.
    private static let bounds: [Duration] = [
        .milliseconds(1), .milliseconds(5), .milliseconds(10), .milliseconds(50), .milliseconds(100),
        .milliseconds(500), .seconds(1), .seconds(5), .seconds(10),
    ]

    private let counts = Mutex(OrderedTable<String, Counts>())

    /// All methods that asked anything, by name.
    var snapshot: OrderedTable<String, Counts> { counts.withLock { $0 } }

    /// Counts one question.
    /// - Parameter took: see `WitnessDesk.count`.
    func count(_ method: String, _ outcome: Outcome, took: Duration?) {
        counts.withLock { table in
            var counts = table[method] ?? Counts()
            switch outcome {
            case .success: counts.successes += 1
            case .failure: counts.failures += 1
            }
            if let took { counts.durations.note(took) }
            table[method] = counts
        }
    }
}
