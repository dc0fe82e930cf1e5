/// What was found of one sample.
struct Finding: Encodable {
    let area: String
    let title: String
    /// What besides time was found of the comparison.
    let note: String?
    let name: String
    /// By which clock.
    let clock: String
    /// How often it was done for one measurement.
    let times: Int
    /// Nanoseconds for one.
    let cost: Spread
    /// How many times the baseline's cost in the same round; 1 for the baseline.
    let ratio: Spread
    /// Of the measuring thread, for one; nil where others do the work.
    let allocations: Allocations?

    /// What was asked of the heap.
    struct Allocations: Encodable {
        let blocks: Double
        let bytes: Double
    }
}

/// What the rounds gave.
struct Spread: Encodable {
    let median: Double
    let least: Double
    let most: Double

    /// - Precondition: there is at least one value.
    init(_ values: [Double]) {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
        least = sorted[0]
        most = sorted[sorted.count - 1]
    }
}
