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
        /// How many answers took at most as long as the bound of the same place in `bounds`, each counted
        /// once; the last place is for those beyond all bounds.
        var buckets = [UInt64](repeating: 0, count: DiscoveryMeter.bounds.count + 1)
        /// How long all of them took together. A question that asked the server to wait is not among them.
        var total: Duration = .zero

        /// Questions with this outcome.
        func requests(_ outcome: Outcome) -> UInt64 {
            switch outcome {
            case .success: successes
            case .failure: failures
            }
        }
    }

    /// The upper bounds of the buckets, rising.
    static let bounds: [Duration] = [
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
            if let took {
                counts.buckets[Self.bounds.firstIndex { took <= $0 } ?? Self.bounds.count] += 1
                counts.total += took
            }
            table[method] = counts
        }
    }
}
