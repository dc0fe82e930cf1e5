import MeshBase
import Testing

@testable import MeshSimulator

/// What one insider costs the others (protocol section 11): the same seeds with it and with an honest node in
/// its place, in simulated time. Run with the seeds, optimised: each manner is a minute of eight busy nodes,
/// four times.
@Suite(
    "An insider among the members of a domain",
    .enabled(if: SeedRangeTests.seeds != nil, "run by Scripts/simulate --insiders and by Scripts/test"))
struct InsiderMeasureTests {
    private static let seeds: ClosedRange<UInt64> = 1...4
    private static let without = InsiderMeasure(nil, seeds: seeds)

    @Test("has room to be measured, with nobody who lies")
    func baseline() {
        #expect(Self.without.isFlawless && Self.without.evidence.isEmpty, "\(Self.without)")
        #expect(Self.without.calls.count > 800 && Self.without.spreads.count > 200, "\(Self.without)")
    }

    @Test(
        "costs the others less than a fifth of what calls and news take, and nothing of it is taken",
        arguments: InsiderManner.allCases)
    func measured(manner: InsiderManner) {
        let with = InsiderMeasure(manner, seeds: Self.seeds)
        print("\(with)\n    honest: \(Self.without)")
        #expect(with.isFlawless, "\(with.breaches), \(with.blamed) blamed, \(with.served) served")
        // What two signatures prove, and nothing else, is kept for good.
        #expect(manner != .equivocates || with.evidence.count >= 4, "\(with.evidence)")
        #expect(with.calls.count > 800 && with.spreads.count > 200, "\(with)")
        // One call in a hundred waits for something else than work, with and without an insider: there the
        // 99th percentile of so few says nothing.
        #expect(ratio(95, of: \.calls, with) < 1.2, "\(with); honest: \(Self.without)")
        #expect(ratio(99, of: \.spreads, with) < 1.2, "\(with); honest: \(Self.without)")
    }

    private func ratio(_ share: Int, of times: KeyPath<InsiderMeasure, [Duration]>, _ with: InsiderMeasure)
        -> Double
    {
        InsiderMeasure.percentile(share, of: with[keyPath: times])
            / InsiderMeasure.percentile(share, of: Self.without[keyPath: times])
    }
}
