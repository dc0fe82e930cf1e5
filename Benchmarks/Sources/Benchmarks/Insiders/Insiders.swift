import MeshBase
import MeshSimulator

/// What one insider among eight members of a domain costs the others, in simulated time: nothing that this machine
/// does changes it, and each figure is found once. `InsiderMeasure` says what is modelled.
func insiderComparisons() -> [Comparison] {
    let measures = InsiderMeasures()
    func comparison(_ share: Int, _ title: String, of times: @escaping (InsiderMeasure) -> [Duration])
        -> Comparison
    {
        func sample(_ manner: InsiderManner?) -> Sample {
            Sample(told: manner.map { "one that \($0.rawValue)" } ?? "eight honest members", by: .simulation)
            {
                let measure = try measures.measure(manner)
                let time = InsiderMeasure.percentile(share, of: times(measure))
                return { Double(time.wholeNanoseconds) }
            }
        }
        return Comparison(
            area: "insiders", title: title, baseline: sample(nil), others: InsiderManner.allCases.map(sample))
    }
    return [
        comparison(50, "median of calls between honest members", of: \.calls),
        comparison(95, "95th percentile of calls between honest members", of: \.calls),
        comparison(99, "99th percentile of calls between honest members", of: \.calls),
        comparison(50, "median of how long news takes to all that are told of it", of: \.spreads),
        comparison(99, "99th percentile of how long news takes to all that are told of it", of: \.spreads),
    ]
}

/// Each is made once.
private final class InsiderMeasures {
    private static let seeds: ClosedRange<UInt64> = 1...4
    private var made: [InsiderManner?: InsiderMeasure] = [:]

    func measure(_ manner: InsiderManner?) throws -> InsiderMeasure {
        if let measure = made[manner] { return measure }
        let measure = InsiderMeasure(manner, seeds: Self.seeds)
        try require(measure.isFlawless, "\(measure): \(measure.breaches)")
        made[manner] = measure
        return measure
    }
}
