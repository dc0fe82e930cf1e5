import MeshBase

/// What a peer and this node believe differently about the two of them, while it lasts.
public struct Drift: Equatable, Sendable {
    /// When it was first seen, by this node's clock.
    public let since: WallTime
    /// At least one.
    public let differences: [BeliefDifference]
}

/// Whether each peer still believes the same about the two as this node (protocol section 6).
///
///     alike ──marks differ──> suspected(1) ──the same two marks, nothing under way──> suspected(2): told
///       ^                         ^  └──another mark, or something under way──> suspected(1)
///       │                         │
///       └─────marks are alike─────┴── told ──the peer's report, for its mark──> drifted(differences)
///
/// A mark comes with each ping, behind all that was sent before it. Ordinary change is over within a round
/// trip, so only two pings with the same two marks count. Then each side tells the other, once for each pair
/// of marks and at most so often, what it believes about the two, and once more where it is told the same
/// again; each finds the differences by itself. What was found stays, also without a link, until the marks
/// are alike again or the peer is not trusted any more.
///
/// It believes nothing and mends nothing: agreements change by the words of their own machine. Callers owe
/// it every ping of a peer's link, in order with its documents.
struct DriftWatch: Equatable, Sendable {
    /// What is to be done.
    enum Step: Equatable, Sendable {
        /// Tell this peer what this node believes, under this mark.
        case tell(BeliefMark)
        /// Hold this against what this node believes, and say so by `found`.
        case compare(Beliefs)
        /// What there was is over.
        case over(Drift)
    }

    /// Pings with the same two marks, until it is no ordinary change.
    private static let pingsUntilTold = 2
    /// Reports that are told a peer at once, and one more each `pause`.
    private static let reportsAtOnce = 4
    private static let pause = Duration.seconds(30)

    private struct Marks: Equatable, Sendable {
        let mine: BeliefMark
        let theirs: BeliefMark
    }

    /// A report, as far as it came.
    private struct Heard: Equatable, Sendable {
        let mark: BeliefMark
        let parts: Int
        var beliefs: Beliefs
        var next = 1

        var isWhole: Bool { next == parts }
    }

    private struct File: Equatable, Sendable {
        /// Those of the last ping; nil while they were alike, or something was under way.
        var marks: Marks?
        var pings = 0
        var isTold = false
        var isToldAgain = false
        var heard: Heard?
        /// The marks for which the two were compared.
        var compared: Marks?
        var drift: Drift?
        var telling: TokenBucket
        var hearing: TokenBucket

        init(at now: Instant) {
            telling = TokenBucket(burst: reportsAtOnce, interval: pause, at: now)
            hearing = TokenBucket(
                burst: reportsAtOnce * BeliefReport.partsMax, interval: pause / BeliefReport.partsMax, at: now
            )
        }

        /// The marks are alike, or what was seen counts no more.
        mutating func rest() {
            marks = nil
            pings = 0
            isTold = false
            isToldAgain = false
            compared = nil
        }

        /// What is due, now that the marks have lasted.
        mutating func due(at now: Instant) -> [Step] {
            guard let marks, pings >= pingsUntilTold else { return [] }
            var steps: [Step] = []
            if !isTold, telling.take(at: now) {
                isTold = true
                steps.append(.tell(marks.mine))
            }
            if compared != marks, let heard, heard.isWhole, heard.mark == marks.theirs {
                compared = marks
                steps.append(.compare(heard.beliefs))
            }
            return steps
        }
    }

    private var files = OrderedTable<NodeID, File>()

    /// What `node` and this one believe differently; nil: nothing that lasted.
    func drift(with node: NodeID) -> Drift? { files[node]?.drift }

    /// All that lasted, by peer.
    var known: [(NodeID, Drift)] { files.compactMap { node, file in file.drift.map { (node, $0) } } }

    /// A ping of `node` came with its mark.
    /// - Parameter isAtRest: nothing of this node's that concerns `node` is under way.
    mutating func pinged(
        by node: NodeID, mine: BeliefMark, theirs: BeliefMark, isAtRest: Bool, at now: Instant
    ) -> [Step] {
        edit(node, at: now) { file in
            guard mine != theirs else {
                file.rest()
                file.heard = nil
                defer { file.drift = nil }
                return file.drift.map { [.over($0)] } ?? []
            }
            let marks = Marks(mine: mine, theirs: theirs)
            guard isAtRest else {
                file.rest()
                return []
            }
            if file.marks == marks {
                file.pings += 1
            } else {
                file.rest()
                file.marks = marks
                file.pings = 1
            }
            return file.due(at: now)
        }
    }

    /// A part of a report of `node` came; parts come in order, or the report counts for nothing.
    mutating func reported(by node: NodeID, _ report: BeliefReport, at now: Instant) -> [Step] {
        edit(node, at: now) { file in
            guard file.hearing.take(at: now) else { return [] }
            if report.part == 0 {
                // Who tells the same again has lost its link, and with it what it had been told.
                if let heard = file.heard, heard.isWhole, heard.mark == report.mark, !file.isToldAgain {
                    file.isTold = false
                    file.isToldAgain = true
                }
                file.heard = Heard(mark: report.mark, parts: report.parts, beliefs: report.beliefs)
            } else if let heard = file.heard, heard.mark == report.mark, heard.parts == report.parts,
                heard.next == report.part
            {
                file.heard?.beliefs = heard.beliefs.with(heard.beliefs.agreements + report.beliefs.agreements)
                file.heard?.next += 1
            } else {
                file.heard = nil
            }
            return file.due(at: now)
        }
    }

    /// The answer to `.compare`: the drift, when it is new or another than before, or the one that is over;
    /// nil where nothing changed.
    mutating func found(
        with node: NodeID, _ differences: [BeliefDifference], at now: Moment
    ) -> Finding? {
        edit(node, at: now.instant) { file in
            guard file.drift?.differences ?? [] != differences else { return nil }
            guard !differences.isEmpty else {
                defer { file.drift = nil }
                return file.drift.map { .over($0) }
            }
            let drift = Drift(since: file.drift?.since ?? now.wall, differences: differences)
            file.drift = drift
            return .drift(drift)
        }
    }

    /// What a comparison changed.
    enum Finding: Equatable, Sendable {
        case drift(Drift)
        case over(Drift)
    }

    /// The link is gone, or another connection carries it from now on, and what was told over the one before
    /// may be lost with it: what was seen over it begins anew; what was found stays.
    mutating func linkChanged(with node: NodeID) {
        files.update(node) { file in
            file.rest()
            file.heard = nil
        }
    }

    /// The peer is not trusted any more.
    mutating func forget(_ node: NodeID) { files[node] = nil }

    private mutating func edit<Result>(
        _ node: NodeID, at now: Instant, _ change: (inout File) -> Result
    ) -> Result {
        var file = files[node] ?? File(at: now)
        defer { files[node] = file }
        return change(&file)
    }
}
