import MeshBase

/// How calls from this node have gone since its agent started, and the ways that they can go now. What
/// `comity top` shows is made of two of these.
public struct TopReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// When it was made.
    public var at: Timestamp
    /// By the node that was tried last, or that they were for.
    public var calls: [CallCounts]
    /// By resource.
    public var routes: [RouteReport]

    public init(at: Timestamp, calls: [CallCounts], routes: [RouteReport]) {
        self.at = at
        self.calls = calls
        self.routes = routes
    }
}

/// The calls to one node that ended since the agent started.
public struct CallCounts: Codable, Equatable, Sendable {
    /// Which node; for what it serves itself, this one.
    public var peer: NodeReference
    /// Those that were answered.
    public var successes: UInt64
    /// Those of which something left, and no whole answer came.
    public var failures: UInt64
    /// Those that this node refused.
    public var refused: UInt64
    /// How long those took that were not refused: rising bounds in milliseconds.
    public var boundsMilliseconds: [Double]
    /// How many took so long, and longer than the bound before; the last has no bound: longer than all.
    public var buckets: [UInt64]

    public init(
        peer: NodeReference, successes: UInt64, failures: UInt64, refused: UInt64,
        boundsMilliseconds: [Double], buckets: [UInt64]
    ) {
        self.peer = peer
        self.successes = successes
        self.failures = failures
        self.refused = refused
        self.boundsMilliseconds = boundsMilliseconds
        self.buckets = buckets
    }
}

/// What happened between two looks at one agent.
public struct TopSample: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// The later look.
    public var at: Timestamp
    /// How far the looks are apart, by the agent's clock; nil: this is the first, or the agent started anew
    /// between them, and nothing has a rate.
    public var seconds: Double?
    /// The busiest first; only nodes that calls ever ended at.
    public var calls: [CallRates]
    /// By resource, at the later look.
    public var routes: [RouteReport]

    /// - Parameter earlier: nil at the first look.
    public init(_ later: TopReport, since earlier: TopReport?) {
        at = later.at
        routes = later.routes
        let known = Dictionary(
            (earlier?.calls ?? []).map { ($0.peer.id, $0) }, uniquingKeysWith: { first, _ in first })
        let elapsed = earlier.map { Double((later.at.time - $0.at.time).wholeMilliseconds) / 1_000 } ?? 0
        // Counts only rise while one agent runs.
        let isContinued =
            later.calls.allSatisfy { $0.follows(known[$0.peer.id]) }
            && Set(known.keys).isSubset(of: later.calls.map(\.peer.id))
        seconds = elapsed > 0 && isContinued ? elapsed : nil
        let span = seconds
        calls = later.calls.map { CallRates($0, since: known[$0.peer.id], seconds: span) }
            .sorted { ($1.perSecond ?? 0, $0.peer.title) < ($0.perSecond ?? 0, $1.peer.title) }
    }
}

/// The calls to one node between two looks. Rates are nil where there was no look before.
public struct CallRates: Codable, Equatable, Sendable {
    /// Which node.
    public var peer: NodeReference
    /// Calls that ended, however they did, a second.
    public var perSecond: Double?
    /// Of these, such as failed.
    public var failuresPerSecond: Double?
    /// Of these, such as this node refused.
    public var refusedPerSecond: Double?
    /// Half of those that were not refused took at most so long, as far as a histogram tells; nil: there were
    /// none.
    public var medianMilliseconds: Double?
    /// 99 of 100 took at most so long.
    public var p99Milliseconds: Double?
    /// All that ended since the agent started.
    public var ended: UInt64

    init(_ later: CallCounts, since earlier: CallCounts?, seconds: Double?) {
        peer = later.peer
        ended = later.ended
        guard let seconds else { return }
        perSecond = Double(later.ended - (earlier?.ended ?? 0)) / seconds
        failuresPerSecond = Double(later.failures - (earlier?.failures ?? 0)) / seconds
        refusedPerSecond = Double(later.refused - (earlier?.refused ?? 0)) / seconds
        let before = earlier?.buckets ?? []
        let buckets = later.buckets.enumerated().map { place, count in
            count - (place < before.count ? before[place] : 0)
        }
        medianMilliseconds = Self.quantile(0.5, buckets, later.boundsMilliseconds)
        p99Milliseconds = Self.quantile(0.99, buckets, later.boundsMilliseconds)
    }

    /// Evenly spread within a bucket, as `histogram_quantile` of Prometheus assumes; of what lies beyond all
    /// bounds only the last bound is known.
    static func quantile(_ share: Double, _ buckets: [UInt64], _ bounds: [Double]) -> Double? {
        let total = buckets.reduce(0, +)
        guard total > 0, !bounds.isEmpty else { return nil }
        let rank = share * Double(total)
        var below = 0.0
        for (place, count) in buckets.enumerated() where count > 0 {
            if below + Double(count) >= rank {
                guard place < bounds.count else { break }
                let lower = place == 0 ? 0 : bounds[place - 1]
                return lower + (bounds[place] - lower) * (rank - below) / Double(count)
            }
            below += Double(count)
        }
        return bounds[bounds.count - 1]
    }
}

extension CallCounts {
    /// However they ended.
    var ended: UInt64 { successes + failures + refused }

    /// Whether these counts can come behind those, in one run of an agent.
    fileprivate func follows(_ earlier: CallCounts?) -> Bool {
        guard let earlier else { return true }
        return successes >= earlier.successes && failures >= earlier.failures && refused >= earlier.refused
            && buckets.count == earlier.buckets.count && zip(buckets, earlier.buckets).allSatisfy { $0 >= $1 }
    }
}
