import MeshBase

/// Which of several places takes the next attempt: a local one if there is one, else the better of two
/// drawn at random (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001), by
/// latency x (in flight + 1) / weight.
public enum Picker {
    /// One place that may take the attempt.
    public struct Candidate: Equatable, Sendable {
        /// Whether it is this node.
        public let isLocal: Bool
        /// From `LatencyEstimate`, 0 when nothing is known.
        public let microseconds: Int64
        /// Attempts on their way there.
        public let inFlight: Int
        /// At least 1; one of weight 2 is taken as if it were twice as fast.
        public let weight: Int64

        public init(isLocal: Bool, microseconds: Int64, inFlight: Int, weight: Int64 = 1) {
            precondition(weight > 0, "a weight of \(weight)")
            self.isLocal = isLocal
            self.microseconds = microseconds
            self.inFlight = inFlight
            self.weight = weight
        }

        /// Lower is better; saturates.
        public var score: Int64 {
            let (product, overflow) = max(microseconds, 1).multipliedReportingOverflow(
                by: Int64(inFlight) + 1)
            return overflow ? .max : product / weight
        }
    }

    /// The index of the one that takes the attempt; nil when there is none.
    public static func pick(_ candidates: [Candidate], using generator: inout SeededGenerator) -> Int? {
        if let local = candidates.firstIndex(where: \.isLocal) { return local }
        guard candidates.count > 1 else { return candidates.isEmpty ? nil : 0 }
        let first = Int(generator.number(below: UInt64(candidates.count)))
        let step = 1 + Int(generator.number(below: UInt64(candidates.count - 1)))
        let second = (first + step) % candidates.count
        return candidates[second].score < candidates[first].score ? second : first
    }
}
