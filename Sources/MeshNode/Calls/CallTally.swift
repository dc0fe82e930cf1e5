import MeshBase

/// How the calls of this node's applications ended since the start, for whoever watches this node.
///
/// Each call is counted once, when it ends: by the node that was tried last, or that it was for. Only names
/// that this node has heard of make a place: at most `Limits.peers` nodes, and `resourcesMost` resources by
/// name, the others together.
public struct CallTally: Sendable, Equatable {
    /// What became of a call.
    public enum Outcome: String, Sendable, CaseIterable {
        /// It was answered.
        case success
        /// Something left for it, and no whole answer came.
        case failure
        /// Nothing left: this node refused it.
        case refused
    }

    /// The calls to one node.
    public struct Ends: Sendable, Equatable {
        fileprivate var successes: UInt64 = 0
        fileprivate var failures: UInt64 = 0
        fileprivate var refusals: UInt64 = 0
        /// How long those took that were not refused.
        public fileprivate(set) var durations = DurationHistogram(upTo: CallTally.bounds)

        /// How many ended so.
        public func count(_ outcome: Outcome) -> UInt64 {
            switch outcome {
            case .success: successes
            case .failure: failures
            case .refused: refusals
            }
        }
    }

    /// By node, this one for what it serves itself.
    public private(set) var ends = OrderedTable<NodeID, Ends>()
    /// How often a way was looked for, by resource.
    public private(set) var lookups = OrderedTable<ResourceName, UInt64>()
    /// And for those that have no place of their own.
    public private(set) var otherLookups: UInt64 = 0

    static let resourcesMost = 4_096
    private static let bounds: [Duration] = [
        .microseconds(500), .milliseconds(1), .microseconds(2_500), .milliseconds(5), .milliseconds(10),
        .milliseconds(25), .milliseconds(50), .milliseconds(100), .milliseconds(250), .milliseconds(500),
        .seconds(1), .microseconds(2_500_000), .seconds(5), .seconds(10),
    ]

    init() {}

    /// A call ended.
    mutating func note(_ resource: ResourceName, to node: NodeID, _ outcome: Outcome, took: Duration) {
        if lookups.update(resource, { $0 += 1 }) == nil {
            if lookups.count < Self.resourcesMost { lookups[resource] = 1 } else { otherLookups += 1 }
        }
        if ends[node] == nil {
            guard ends.count <= Limits.peers else { return }
            ends[node] = Ends()
        }
        ends.update(node) { ends in
            switch outcome {
            case .success: ends.successes += 1
            case .failure: ends.failures += 1
            case .refused: ends.refusals += 1
            }
            if outcome != .refused { ends.durations.note(took) }
        }
    }
}
