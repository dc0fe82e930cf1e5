import Foundation
import MeshBase

@testable import MeshRouting

/// A service with so many places that serves one call after the other at each, behind a `ServiceLoad`; all
/// that waits, waits in one line.
struct SimulatedService {
    /// Who calls, how often a second, and since when.
    struct Caller {
        let partner: Digest
        let rate: Double
        var from: Double = 0
    }

    /// What became of one caller's calls.
    struct Fate {
        var refused = 0
        /// In seconds, of those that began after the measured time did.
        var latencies: [Double] = []

        func percentile(_ share: Double) -> Double {
            latencies.sorted()[min(latencies.count - 1, Int(Double(latencies.count) * share))]
        }
    }

    private enum Event {
        case arrival(Int)
        case end(Int, Double, ServicePlace?)
    }

    let places: Int
    /// What a call takes, in seconds, at a time.
    var work: (Double) -> Double
    /// Whether what calls take differs (exponentially), or not at all.
    var isEven = false
    /// Whether anything is refused.
    var isLimited = true
    var load = ServiceLoad()
    var fates: [Fate] = []
    /// The limit whenever a call came, after the measured time began.
    var limits: [Int] = []
    /// Refusals of who was within its share, and places that nobody may have had.
    var problems: [String] = []
    private var generator: SeededGenerator
    private var events: [(time: Double, event: Event)] = []
    private var line: [(caller: Int, since: Double, place: ServicePlace?)] = []
    private var isBusy = 0

    init(places: Int, seconds: Double, seed: UInt64) {
        self.places = places
        work = { _ in seconds }
        generator = SeededGenerator(seed: seed)
    }

    mutating func run(_ callers: [Caller], until end: Double, measuredFrom start: Double) {
        fates = callers.map { _ in Fate() }
        var held = callers.map { _ in 0 }
        for (index, caller) in callers.enumerated() {
            push(caller.from + drawn(1 / caller.rate), .arrival(index))
        }
        while let (time, event) = pop(), time < end {
            switch event {
            case .arrival(let index):
                let caller = callers[index]
                push(time + drawn(1 / caller.rate), .arrival(index))
                var place: ServicePlace?
                if isLimited {
                    if let refusal = load.ask(caller.partner, at: at(time)) {
                        check(refusal, held: held[index])
                        if time >= start { fates[index].refused += 1 }
                        continue
                    }
                    place = load.take(caller.partner, at: at(time))
                    if time >= start, let limit = load.standing { limits.append(limit) }
                }
                held[index] += 1
                if isBusy < places {
                    isBusy += 1
                    push(time + served(time), .end(index, time, place))
                } else {
                    line.append((index, time, place))
                }
            case .end(let index, let since, let place):
                held[index] -= 1
                if since >= start { fates[index].latencies.append(time - since) }
                if let place { load.settle(place, .answered, at: at(time)) }
                if line.isEmpty {
                    isBusy -= 1
                } else {
                    let next = line.removeFirst()
                    push(time + served(time), .end(next.caller, next.since, next.place))
                }
            }
        }
    }

    /// A refusal says what was compared, and it has to be true.
    private mutating func check(_ refusal: Refusal, held: Int) {
        func fact(_ name: String) -> Int {
            Int(refusal.facts.first { $0.name == name }?.value ?? "") ?? -1
        }
        let (inHand, limit, share) = (fact("calls in hand"), fact("limit"), fact("share of each"))
        if fact("this partner's") != held || inHand != isBusy + line.count { problems.append("\(refusal)") }
        if inHand < limit { problems.append("refused below the limit: \(refusal)") }
        if held < share, inHand < limit * 2 { problems.append("refused within its share: \(refusal)") }
        if share != max(1, limit / fact("partners")) { problems.append("\(refusal)") }
    }

    private mutating func served(_ time: Double) -> Double { isEven ? work(time) : drawn(work(time)) }

    private mutating func drawn(_ mean: Double) -> Double {
        -mean * log((Double(generator.number(below: 1 << 30)) + 1) / Double(1 << 30))
    }

    private func at(_ time: Double) -> Instant { Instant(nanoseconds: 1_000_000_000 + Int64(time * 1e9)) }

    private mutating func push(_ time: Double, _ event: Event) {
        events.append((time, event))
        var place = events.count - 1
        while place > 0, events[(place - 1) / 2].time > events[place].time {
            events.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func pop() -> (Double, Event)? {
        guard let first = events.first else { return nil }
        events.swapAt(0, events.count - 1)
        events.removeLast()
        var place = 0
        while place * 2 + 1 < events.count {
            var child = place * 2 + 1
            if child + 1 < events.count, events[child + 1].time < events[child].time { child += 1 }
            guard events[child].time < events[place].time else { break }
            events.swapAt(place, child)
            place = child
        }
        return (first.time, first.event)
    }
}

func partner(_ number: UInt8) -> Digest { Digest([UInt8](repeating: number, count: 32))! }
