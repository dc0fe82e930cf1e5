import MeshBase
import Testing

@testable import MeshControl

@Suite("How calls go, live")
struct TopTests {
    private let bounds = [1.0, 10, 100]

    private func node(_ byte: UInt8) -> NodeID { NodeID(Digest([UInt8](repeating: byte, count: 32))!) }

    private func counts(
        _ name: String, _ byte: UInt8, _ successes: UInt64, _ failures: UInt64, _ refused: UInt64,
        _ buckets: [UInt64]
    ) -> CallCounts {
        CallCounts(
            peer: NodeReference(name: NodeName(name), id: node(byte)), successes: successes,
            failures: failures, refused: refused, boundsMilliseconds: bounds, buckets: buckets)
    }

    private func report(_ seconds: Int64, _ calls: [CallCounts], routes: [RouteReport] = []) -> TopReport {
        TopReport(
            at: Timestamp(WallTime(milliseconds: 1_800_000_000_000) + .seconds(seconds)), calls: calls,
            routes: routes)
    }

    private func text(_ sample: TopSample) -> String { TopText.render(sample, plain) }

    private let plain = Presentation(
        hasColour: false, width: 120, now: WallTime(milliseconds: 1_800_000_000_000),
        zone: .fixed(seconds: 0))

    @Test("rates and times are those between two looks, the busiest node first")
    func rates() {
        let first = report(0, [counts("mill", 1, 100, 0, 0, [100, 0, 0, 0])])
        let second = report(
            2,
            [
                counts("mill", 1, 110, 0, 5, [110, 0, 0, 0]),
                counts("bakery", 2, 190, 10, 0, [0, 100, 98, 2]),
            ])
        let sample = TopSample(second, since: first)
        #expect(sample.seconds == 2)
        #expect(sample.calls.map(\.peer.title) == ["bakery", "mill"])
        #expect(sample.calls.map(\.perSecond) == [100, 7.5])
        #expect(sample.calls.map(\.failuresPerSecond) == [5, 0])
        #expect(sample.calls.map(\.refusedPerSecond) == [0, 2.5])
        #expect(sample.calls.map(\.ended) == [200, 115])
        // 100 of 200 lie up to 10 ms, 198 up to 100 ms.
        #expect(sample.calls.map(\.medianMilliseconds) == [10, 0.5])
        #expect(sample.calls.map(\.p99Milliseconds) == [100, 0.99])
        #expect(text(sample).contains("108 calls a second, 5 failed, 2.5 refused, in the last 2 s"))
    }

    @Test("the first look has no rates, and neither has one behind a new start of the agent")
    func noRates() {
        let before = report(0, [counts("mill", 1, 100, 0, 0, [100, 0, 0, 0])])
        let fewer = report(1, [counts("mill", 1, 3, 0, 0, [3, 0, 0, 0])])
        let gone = report(1, [])
        let same = report(0, before.calls)
        for sample in [
            TopSample(before, since: nil), TopSample(fewer, since: before), TopSample(gone, since: before),
            TopSample(same, since: before),
        ] {
            #expect(sample.seconds == nil)
            #expect(sample.calls.allSatisfy { $0.perSecond == nil && $0.p99Milliseconds == nil })
        }
        #expect(text(TopSample(before, since: nil)).contains("calls since the agent started"))
    }

    @Test("a quantile stays within its bucket, and beyond all bounds says the last one")
    func quantiles() {
        #expect(CallRates.quantile(0.5, [0, 0, 0, 0], bounds) == nil)
        #expect(CallRates.quantile(0.5, [0, 4, 0, 0], bounds) == 5.5)
        #expect(CallRates.quantile(0.99, [1, 0, 0, 1], bounds) == 100)
        #expect(CallRates.quantile(1, [2, 0, 0, 0], bounds) == 1)
        #expect(CallRates.quantile(0.5, [1], []) == nil)
    }

    @Test("a picture is no longer than the terminal, and says what it leaves out")
    func cut() {
        let routes = (0..<30).map { RouteReport(resource: ResourceName("r\($0)")!, candidates: []) }
        let sample = TopSample(report(0, [], routes: routes), since: nil)
        #expect(TopText.render(sample, plain, rows: 1_000).count > 60)
        let lines = TopText.render(sample, plain, rows: 20)
        #expect(lines.count == 20)
        #expect(lines.last?.hasPrefix("… ") == true && lines.last?.contains("comity routes") == true)
    }
}
