import MeshBase
import Testing

@testable import MeshRouting

@Suite("What the operator says about the providers of a resource")
struct RouteRuleTests {
    private func node(_ number: UInt8) -> NodeID {
        NodeID(Digest([UInt8](repeating: number, count: 32))!)
    }

    private func label(_ key: String, _ value: String) -> ResourceLabel {
        ResourceLabel(key: ResourceName(key)!, value: value)
    }

    private func preference(_ key: String, _ value: String, _ factor: String) -> LabelPreference {
        LabelPreference(label: label(key, value), factor: WeightFactor(factor)!)
    }

    @Test("a factor is a whole number or one part, to a hundred, and nothing else")
    func factors() {
        for text in ["1", "10", "100", "1/2", "1/100"] {
            #expect(WeightFactor(text)?.description == text)
        }
        #expect(WeightFactor("1/1")?.description == "1")
        for text in [
            "", "0", "01", "101", "-1", "+1", "1/0", "1/101", "2/3", "1/", "/4", "1/-2", "1/+2", "0.5", "x",
        ] {
            #expect(WeightFactor(text) == nil, "\(text)")
        }
    }

    @Test("calls are hedged after a percentile or a time within bounds, and after nothing else")
    func hedgeTimes() {
        for text in ["p50", "p95", "p99", "1ms", "200ms", "600000ms"] {
            #expect(HedgeTime(text)?.description == text)
        }
        #expect(HedgeTime("2s") == .milliseconds(2_000) && HedgeTime("600s") == .milliseconds(600_000))
        for text in [
            "", "p", "p49", "p100", "p095", "p+95", "95", "0ms", "-1ms", "01ms", "600001ms", "601s", "ms",
            "s",
            "1.5s", "1m", "off", "9223372036854775807s", "p95ms", " 1s",
        ] {
            #expect(HedgeTime(text) == nil, "\(text)")
        }
    }

    @Test("the weights of a provider and of its labels multiply, whatever their order, within bounds")
    func weights() {
        let preferences = [
            preference("region", "eu", "10"), preference("zone", "a", "3"), preference("cost", "high", "1/4"),
        ]
        var rule = RouteRule(providers: [RouteProvider(node(1), weight: 2)], preferences: preferences)
        func weight(_ number: UInt8, _ labels: [ResourceLabel]) -> String {
            rule.weight(of: node(number), labels: labels).description
        }
        #expect(weight(1, []) == "2" && weight(2, []) == "1")
        #expect(weight(2, [label("region", "eu"), label("team", "x")]) == "10")
        #expect(weight(2, [label("region", "us"), label("zone", "a")]) == "3")
        #expect(weight(1, [label("cost", "high")]) == "0.5")
        #expect(weight(1, preferences.map(\.label)) == "15")
        #expect(weight(2, [label("cost", "high"), label("zone", "a")]) == "0.75")
        rule.preferences.reverse()
        #expect(weight(1, preferences.map(\.label)) == "15")
        let many = (0..<8).map { preference("k\($0)", "v", "100") }
        rule.preferences = many
        #expect(weight(1, many.map(\.label)) == "10000")
        rule.preferences = (0..<8).map { preference("k\($0)", "v", "1/100") }
        #expect(weight(1, many.map(\.label)) == "0.001")
        rule.preferences = many.dropLast(4) + (4..<8).map { preference("k\($0)", "v", "1/100") }
        #expect(weight(1, many.map(\.label)) == "2")
    }

    @Test("of several labels with one key the least counts: to claim them all gains nothing")
    func keys() {
        let rule = RouteRule(preferences: [
            preference("region", "eu", "10"), preference("region", "us", "3"), preference("zone", "a", "2"),
            preference("region", "moon", "1/5"),
        ])
        func weight(_ labels: ResourceLabel...) -> String {
            rule.weight(of: node(1), labels: labels).description
        }
        #expect(weight(label("region", "eu")) == "10" && weight(label("region", "us")) == "3")
        #expect(weight(label("region", "eu"), label("region", "us")) == "3")
        #expect(weight(label("zone", "a"), label("region", "us"), label("region", "eu")) == "6")
        #expect(weight(label("region", "us"), label("region", "moon"), label("region", "eu")) == "0.2")
        #expect(
            rule.matches(in: [label("region", "us"), label("region", "eu")]).map(\.description) == [
                "region=us:3"
            ])
    }

    @Test("what is said of one thing leaves the others, and a rule that says nothing is none")
    func terms() {
        var rule = RouteRule()
        #expect(rule.isEmpty)
        let said: [RouteTerm] = [
            .via([RouteProvider(node(1))]), .prefer([preference("region", "eu", "2")]), .preferNode(node(2)),
            .order(.spread), .hedge(.percentile(95)),
        ]
        for term in said { rule.take(term) }
        #expect(
            rule
                == RouteRule(
                    providers: [RouteProvider(node(1))], preferences: [preference("region", "eu", "2")],
                    preferred: node(2), order: .spread, hedge: .percentile(95)))
        let unsaid: [RouteTerm] = [
            .via([]), .prefer([]), .preferNode(nil), .order(.localFirst), .hedge(nil),
        ]
        for term in unsaid {
            #expect(!rule.isEmpty)
            rule.take(term)
        }
        #expect(rule.isEmpty)
    }

    @Test("of two, one of twice the weight is picked until it is twice as busy")
    func shares() {
        var generator = SeededGenerator(seed: 9)
        // Each takes as long as the other; what is picked stays under way for 30 picks.
        let weights = [RouteWeight(times: 1), RouteWeight(times: 2), RouteWeight(times: 6)]
        var (underWay, counts, queue) = ([0, 0, 0], [0, 0, 0], [Int]())
        for _ in 0..<9_000 {
            let candidates = weights.indices.map {
                Picker.Candidate(
                    isLocal: $0 == 0, microseconds: 10_000, inFlight: underWay[$0], weight: weights[$0])
            }
            let index = Picker.pick(candidates, order: .spread, using: &generator)!
            counts[index] += 1
            underWay[index] += 1
            queue.append(index)
            if queue.count > 30 { underWay[queue.removeFirst()] -= 1 }
        }
        // Of 9: 1, 2 and 6.
        #expect((800...1_200).contains(counts[0]), "\(counts)")
        #expect((1_800...2_200).contains(counts[1]), "\(counts)")
        #expect((5_700...6_300).contains(counts[2]), "\(counts)")
    }

    @Test("one that is preferred is drawn among many, and one that is not among many that are avoided")
    func many() {
        func share(_ first: RouteWeight, _ others: RouteWeight, of count: Int) -> Double {
            var generator = SeededGenerator(seed: UInt64(count))
            let candidates = (0..<count).map {
                Picker.Candidate(
                    isLocal: false, microseconds: 10_000, inFlight: 0, weight: $0 == 0 ? first : others)
            }
            let picks = (0..<20_000).map { _ in Picker.pick(candidates, using: &generator) }
            return Double(picks.count { $0 == 0 }) / 20_000
        }
        let quarter = RouteWeight.even.multiplied(by: [WeightFactor("1/4")!])
        // What pairs drawn by weight give; drawn evenly they gave 0.67 and 0.20 of both.
        for (count, preferred, spared) in [(2, 1.0, 1.0), (3, 0.985, 0.933), (10, 0.789, 0.538)] {
            let eager = share(RouteWeight(times: 10), .even, of: count)
            #expect(abs(eager - preferred) < 0.02, "\(eager) of \(count)")
            let cheap = share(.even, quarter, of: count)
            #expect(abs(cheap - spared) < 0.02, "\(cheap) of \(count)")
        }
    }

    @Test("a great weight leaves a difference between two that are quick")
    func resolution() {
        let (one, other) = (1...2).map {
            Picker.Candidate(
                isLocal: false, microseconds: Int64($0) * 100, inFlight: 0,
                weight: RouteWeight(times: 100).multiplied(by: [WeightFactor(times: 100)]))
        }.splitPair
        #expect(one.cost < other.cost)
        let endless = Picker.Candidate(isLocal: false, microseconds: .max, inFlight: 9, weight: .even)
        #expect(endless.cost == .max)
    }
}

extension [Picker.Candidate] {
    fileprivate var splitPair: (Picker.Candidate, Picker.Candidate) { (self[0], self[1]) }
}
