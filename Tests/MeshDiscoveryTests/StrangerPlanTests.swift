import MeshBase
import Testing

@testable import MeshDiscovery

@Suite("Strangers")
struct StrangerPlanTests {
    private let bench = Bench()

    private func strangers(_ input: DiscoveryInput, _ moment: Moment) -> [Endpoint] {
        bench.handle(input, moment).compactMap {
            if case .dialStranger(let place) = $0 { place } else { nil }
        }
    }

    /// Lets time pass up to a second; what was dialled, with when.
    private func pass(to second: Double, failing why: StrangerFailure? = nil) -> [(Double, Endpoint)] {
        var dialled: [(Double, Endpoint)] = []
        while let deadline = bench.discovery.nextDeadline, deadline <= at(second).instant {
            let when = Double(deadline.nanoseconds) / 1e9
            let moment = Moment(instant: deadline, wall: at(when).wall)
            for place in strangers(.timeReached, moment) {
                dialled.append((when, place))
                guard let why else { continue }
                dialled += strangers(.strangerFailed(place, why), moment).map { (when, $0) }
            }
        }
        return dialled
    }

    @Test("are dialled from when somebody is sought among them, and no more when nobody is")
    func sought() {
        #expect(strangers(.sighted(.heard("x", tag: nil, 1)), at(1)).isEmpty)
        #expect(pass(to: 5).isEmpty)
        _ = strangers(.strangersSought(.members), at(5))
        let dialled = pass(to: 5.3)
        #expect(dialled.map(\.1) == [endpoint(1)])
        _ = strangers(.strangerFailed(endpoint(1), .refused), at(6))
        _ = strangers(.strangersSought(.never), at(6))
        #expect(pass(to: 1_000).isEmpty)
        #expect(strangers(.sighted(.heard("y", tag: nil, 2)), at(1_001)).isEmpty)
    }

    @Test("whom the list names without a node is dialled, and before what the network says")
    func listed() {
        for number in 0..<20 { _ = strangers(.sighted(.heard("s\(number)", tag: nil, 10 + number)), at(1)) }
        _ = strangers(.sighted(.fixed(nil, 200)), at(1))
        #expect(bench.discovery.book.strangers.count == 21)
        // All at once: whoever is dialled has the same time behind it.
        _ = strangers(.strangersSought(.members), at(2))
        var plan = StrangerPlan(DiscoveryConfiguration())
        var generator = SeededGenerator(seed: 1)
        plan.seek(.members)
        let seen = [endpoint(200)] + (0..<20).map { endpoint(10 + $0) }
        #expect(plan.due(at: at(1).instant, seen: seen, using: &generator).isEmpty)
        let first = plan.due(at: at(2).instant, seen: seen, using: &generator)
        #expect(first == Array(seen.prefix(StrangerPlan.dialsMax)))
        plan.fail(endpoint(200), because: .refused, at: at(2.1).instant, using: &generator)
        #expect(plan.due(at: at(9).instant, seen: seen, using: &generator) == [seen[StrangerPlan.dialsMax]])
    }

    @Test("are dialled at most eight at once, each once a time")
    func atOnce() {
        for number in 0..<9 { _ = strangers(.sighted(.heard("s\(number)", tag: nil, 10 + number)), at(1)) }
        _ = strangers(.strangersSought(.members), at(2))
        #expect(pass(to: 3).count == 8)
        #expect(Set(pass(to: 21).map(\.1)).isEmpty)
        // Nobody answered for twenty seconds: they count as failed.
        #expect(pass(to: 24).count >= 1)
    }

    @Test("that refuse are dialled ever more seldom, and never more than ten minutes apart")
    func backsOff() {
        _ = strangers(.sighted(.heard("x", tag: nil, 1, life: .seconds(100_000))), at(1))
        _ = strangers(.strangersSought(.members), at(1))
        let times = pass(to: 20_000, failing: .refused).map(\.0)
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect(gaps.allSatisfy { $0 >= 0.5 && $0 <= 600 })
        #expect(gaps.last ?? 0 >= 300)
        #expect((20...80).contains(times.count))
    }

    @Test("are dialled at least once a minute where nobody answers, as any peer whose word is awaited")
    func unanswered() {
        _ = strangers(.sighted(.heard("x", tag: nil, 1, life: .seconds(100_000))), at(1))
        _ = strangers(.strangersSought(.members), at(1))
        // Who refused before may have gone since.
        _ = pass(to: 5_000, failing: .refused)
        let times = pass(to: 20_000, failing: .unanswered).map(\.0)
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect(gaps.allSatisfy { $0 >= 30 && $0 <= 60 })
    }

    @Test("are dialled at least every half minute by a newcomer, who finds nobody else to enrol it")
    func newcomer() {
        _ = strangers(.sighted(.heard("x", tag: nil, 1, life: .seconds(100_000))), at(1))
        _ = strangers(.strangersSought(.issuer), at(1))
        let times = pass(to: 20_000, failing: .refused).map(\.0)
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect(gaps.allSatisfy { $0 >= 0.5 && $0 <= 30 })
        #expect(gaps.last ?? 0 >= 15)
    }

    @Test("are dialled a second after a new sighting of where they are, however often that failed before")
    func seenAnew() {
        _ = strangers(.sighted(.heard("x", tag: nil, 1, life: .seconds(100_000))), at(1))
        _ = strangers(.strangersSought(.members), at(1))
        _ = pass(to: 10_000, failing: .refused)
        // The same sighting again says nothing new; the next run of a node has another name.
        _ = strangers(.sighted(.heard("x", tag: nil, 1, life: .seconds(100_000))), at(10_000))
        #expect(pass(to: 10_002).isEmpty)
        _ = strangers(.sighted(.heard("y", tag: nil, 1)), at(10_002))
        #expect(pass(to: 10_002.9).isEmpty)
        #expect(pass(to: 10_003.1).map(\.1) == [endpoint(1)])
    }

    @Test("who turns out to be somebody is no stranger")
    func found() {
        _ = strangers(.sighted(.heard("x", tag: bench.tag(of: node(1), at(1)), 1)), at(1))
        _ = strangers(.strangersSought(.members), at(1))
        #expect(pass(to: 1.3).map(\.1) == [endpoint(1)])
        _ = bench.handle(.peerTrusted(node(1)), at(1.4))
        _ = bench.handle(.linkUp(node(1), endpoint(1)), at(1.4))
        #expect(pass(to: 3_000).isEmpty)
        #expect(bench.discovery.book.strangers.isEmpty)
    }

    @Test("a peer that has a link there is no stranger, whatever the tag says; without one it may be")
    func wrongTag() {
        _ = strangers(.strangersSought(.members), at(1))
        _ = bench.handle(.peerTrusted(node(1)), at(1))
        _ = strangers(
            .sighted(.heard("x", tag: bench.tag(of: node(9), at(1)), 1, life: .seconds(100_000))), at(1))
        #expect(pass(to: 1.3).map(\.1) == [endpoint(1)])
        _ = bench.handle(.linkUp(node(1), endpoint(1)), at(1.4))
        #expect(pass(to: 3_000).isEmpty)
        _ = bench.handle(.linkDown(node(1)), at(3_000))
        #expect(pass(to: 3_001).map(\.1) == [endpoint(1)])
    }

    @Test("a peer that dialled this node, and says on its link where it listens, is no stranger there")
    func saidSo() {
        _ = strangers(.strangersSought(.members), at(1))
        _ = bench.handle(.peerTrusted(node(1)), at(1))
        // What an earlier run remembers of it, somebody else may have today.
        _ = strangers(.sighted(.seen(by: .link, "old", 2, claim: .node(node(1)))), at(1))
        _ = bench.handle(.linkUp(node(1), nil), at(1.4))
        _ = strangers(
            .sighted(.seen(by: .link, "new", 1, claim: .node(node(1)), life: .seconds(100_000))), at(1.5))
        let tag = bench.tag(of: node(9), at(1))
        _ = strangers(.sighted(.heard("x", tag: tag, 1, life: .seconds(100_000))), at(2))
        _ = strangers(.sighted(.fixed(nil, 2)), at(2))
        #expect(pass(to: 3).map(\.1) == [endpoint(2)])
        _ = bench.handle(.linkDown(node(1)), at(3))
        #expect(pass(to: 3.5).map(\.1) == [endpoint(1)])
    }

    @Test("whose sighting is withdrawn, and this node itself, are not dialled")
    func gone() {
        _ = strangers(.strangersSought(.members), at(1))
        _ = strangers(.sighted(.heard("x", tag: nil, 1)), at(1))
        _ = strangers(.withdrawn(SightingKey(witness: .mdns(interface: "eth0"), source: "x")), at(1))
        #expect(pass(to: 100).isEmpty)
        _ = strangers(.sighted(.fixed(nil, 2)), at(100))
        #expect(pass(to: 100.3).map(\.1) == [endpoint(2)])
        #expect(bench.discovery.peers(at: at(100.4).instant).count == 1)
        _ = strangers(.provedMyself(endpoint(2)), at(100.4))
        #expect(pass(to: 300).isEmpty)
        #expect(bench.discovery.peers(at: at(300).instant).isEmpty)
    }

    @Test("a new reason to look forgets what was tried for another")
    func anew() {
        _ = strangers(.sighted(.heard("x", tag: nil, 1, life: .seconds(100_000))), at(1))
        _ = strangers(.strangersSought(.members), at(1))
        _ = pass(to: 3_000, failing: .refused)
        _ = strangers(.strangersSought(.members), at(3_000))
        #expect(pass(to: 3_000.3).count == 1)
    }
}
