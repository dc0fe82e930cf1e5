import Foundation
import MeshBase

/// What a trusted partner that floods costs the others: the 99th percentile of calls that come 200 a second through
/// two agents, while a third node, with an agreement of its own, is quiet or not.
func floodComparisons() -> [Comparison] {
    let scene = Result { try FloodScene.found() }
    func sample(_ name: String, _ manner: Insider.Manner) -> Sample {
        Sample(told: name) {
            let scene = try scene.get()
            return { try scene.percentile(while: manner) }
        }
    }
    return [
        Comparison(
            area: "floods",
            title: "99th percentile of \(FloodScene.perSecond) calls a second, beside a trusted node",
            baseline: sample("that is quiet", .quiet),
            others: [
                sample("that calls ten times as often", .calls(perSecond: 10 * FloodScene.perSecond)),
                sample("that tells heads without end", .heads),
                sample("that calls without end", .callsWithoutEnd),
            ],
            note: { try scene.get().words })
    ]
}

/// The agents that Scripts/benchmark started, and the insider.
private final class FloodScene {
    static let perSecond = 200
    private static let seconds = 4

    private let calls: PacedCalls
    private let insider: Insider
    private var sent: [(manner: Insider.Manner, calls: UInt64, documents: Int, links: Int)] = []

    private init(_ calls: PacedCalls, _ insider: Insider) {
        self.calls = calls
        self.insider = insider
    }

    /// `COMITY_BENCHMARKS_FLOOD`: the homes of the resource's agent and of one that it trusts and that has ended,
    /// where the first listens, the gateway's port and the path of the resource there.
    static func found() throws -> FloodScene {
        let words =
            ProcessInfo.processInfo.environment["COMITY_BENCHMARKS_FLOOD"]?.split(separator: " ").map {
                String($0)
            } ?? []
        guard words.count == 5, let place = Endpoint(words[2]), let port = UInt16(words[3]),
            let resource = ResourceName("data"), let capability = ResourceName("small")
        else { throw Unfit("there is nobody to flood: Scripts/benchmark starts agents") }
        let insider = try Insider(
            home: words[1], provider: words[0], at: place, calling: resource, capability)
        return FloodScene(PacedCalls(port: port, path: words[4], perSecond: perSecond), insider)
    }

    /// The 99th percentile in nanoseconds.
    func percentile(while manner: Insider.Manner) throws -> Double {
        try insider.behave(manner)
        Thread.sleep(forTimeInterval: 0.3)
        let before = insider.counts
        let times = try calls.run(for: Self.seconds)
        let after = insider.counts
        sent.append(
            (
                manner, after.calls - before.calls, after.documents - before.documents,
                after.links - before.links
            ))
        try insider.behave(.quiet)
        // What was under way must not be told to the next.
        Thread.sleep(forTimeInterval: 0.7)
        return Double(times[times.count * 99 / 100])
    }

    /// What the insider sent a second, in all rounds together.
    var words: String {
        let calls = sent.map { Int($0.calls) }.max() ?? 0
        let documents = sent.map(\.documents).max() ?? 0
        let links = sent.map(\.links).max() ?? 0
        return
            "at most \(calls / Self.seconds) calls a second, \(documents / Self.seconds) documents a second, "
            + "\(links) new links in \(Self.seconds) s"
    }
}
