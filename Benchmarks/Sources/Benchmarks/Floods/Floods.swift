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
    /// What the insider did in each measurement, and what became of it.
    private var sent: [Insider.Counts] = []

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

    /// The 99th percentile in nanoseconds; throws when there was less of a flood than there was to be.
    func percentile(while manner: Insider.Manner) throws -> Double {
        try insider.behave(manner)
        Thread.sleep(forTimeInterval: 0.3)
        let before = insider.counts
        let times = try calls.run(for: Self.seconds)
        let done = insider.counts - before
        sent.append(done)
        try insider.behave(.quiet)
        // What was under way must not be told to the next.
        Thread.sleep(forTimeInterval: 0.7)
        try Self.requireFlood(manner, done)
        return Double(times[times.count * 99 / 100])
    }

    /// A flood that was starved of processor time, or had no link, floods nobody: no ratio is better than one of
    /// that.
    private static func requireFlood(_ manner: Insider.Manner, _ done: Insider.Counts) throws {
        let ended = done.answered + done.turnedAway
        switch manner {
        case .quiet: break
        case .calls(let perSecond):
            let due = perSecond * seconds
            // Not all that was called must have ended, and nothing is late by more than what a link has under way.
            try require(
                Int(done.calls) >= due * 9 / 10 && ended >= due * 8 / 10,
                "there was no flood: of \(due) calls that were due \(done.calls) were made, and \(done.answered) "
                    + "of them answered and \(done.turnedAway) turned away in the time: the machine is too busy"
            )
        case .callsWithoutEnd:
            let least = 5 * perSecond * seconds
            try require(
                ended >= least,
                "there was no flood: \(ended) calls ended in the time, and a flood is \(least) at least: the "
                    + "machine is too busy")
        case .heads:
            let least = 1_000 * seconds
            try require(
                done.documentsRead >= least,
                "there was no flood: \(done.documentsRead) documents were read in the time, and a flood is \(least) "
                    + "at least: the machine is too busy")
        }
    }

    /// What the insider did a second, and what became of it, at most and together.
    var words: String {
        func most(_ count: (Insider.Counts) -> Int) -> Int { (sent.map(count).max() ?? 0) / Self.seconds }
        let (turnedAway, links) = (
            sent.reduce(0) { $0 + $1.turnedAway }, sent.reduce(0) { $0 + $1.links }
        )
        return "at most \(most { Int($0.calls) }) calls a second made and \(most(\.answered)) answered, "
            + "\(most(\.documents)) documents sent and \(most(\.documentsRead)) read; in all \(turnedAway) calls "
            + "turned away, \(links) new links"
    }
}
