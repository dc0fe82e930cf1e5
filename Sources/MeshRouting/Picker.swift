import MeshBase

/// Which of several places takes the next attempt: a local one where that comes first, else the better of two
/// drawn at random, by weight (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001):
/// the one of the lower latency x (in flight + 1) / weight.
public enum Picker {
    /// One place that may take the attempt.
    public struct Candidate: Equatable, Sendable {
        /// Whether it is this node.
        public let isLocal: Bool
        /// From `LatencyEstimate`, 0 when nothing is known.
        public let microseconds: Int64
        /// Attempts on their way there.
        public let inFlight: Int
        /// One of weight 2 is taken as if it were twice as fast.
        public let weight: RouteWeight

        public init(isLocal: Bool, microseconds: Int64, inFlight: Int, weight: RouteWeight = .even) {
            self.isLocal = isLocal
            self.microseconds = microseconds
            self.inFlight = inFlight
            self.weight = weight
        }

        /// In microseconds; lower is better.
        public var score: Int64 { cost / 1000 }

        /// The score in nanoseconds, so that great weights leave a difference; saturates.
        var cost: Int64 {
            let (product, overflow) = max(microseconds, 1).multipliedReportingOverflow(
                by: Int64(inFlight) + 1)
            let (scaled, isOver) = product.multipliedReportingOverflow(by: 1_000_000)
            return overflow || isOver ? .max : scaled / weight.thousandths
        }
    }

    /// The index of the one that takes the attempt; nil when there is none.
    public static func pick(
        _ candidates: [Candidate], order: RouteOrder = .localFirst, using generator: inout SeededGenerator
    ) -> Int? {
        if order == .localFirst, let local = candidates.firstIndex(where: \.isLocal) { return local }
        guard candidates.count > 1 else { return candidates.isEmpty ? nil : 0 }
        let (first, second) = pair(of: candidates, using: &generator)
        return candidates[second].cost < candidates[first].cost ? second : first
    }

    /// Two of them, one of twice the weight drawn twice as often: among many the few that are preferred would
    /// hardly be drawn otherwise.
    private static func pair(
        of candidates: [Candidate], using generator: inout SeededGenerator
    ) -> (Int, Int) {
        guard candidates.contains(where: { $0.weight != candidates[0].weight }) else {
            let first = Int(generator.number(below: UInt64(candidates.count)))
            let step = 1 + Int(generator.number(below: UInt64(candidates.count - 1)))
            return (first, (first + step) % candidates.count)
        }
        let total = candidates.reduce(Int64(0)) { $0 + $1.weight.thousandths }
        let first = place(at: generator.number(below: UInt64(total)), in: candidates, without: nil)
        let rest = total - candidates[first].weight.thousandths
        return (first, place(at: generator.number(below: UInt64(rest)), in: candidates, without: first))
    }

    /// Who stands at `number` where each takes as much room as it weighs.
    private static func place(at number: UInt64, in candidates: [Candidate], without taken: Int?) -> Int {
        var left = Int64(number)
        for index in candidates.indices where index != taken {
            left -= candidates[index].weight.thousandths
            if left < 0 { return index }
        }
        preconditionFailure("\(number) is beyond the weights of \(candidates)")
    }
}
