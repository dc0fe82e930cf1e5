import MeshBase
import Testing

@testable import MeshRouting

@Suite("The place that a key belongs to")
struct RendezvousTests {
    private let keys = (0..<4_000).map { Rendezvous.hash("customer-\($0)") }

    private func places(_ weights: [Int64]) -> [(name: UInt64, weight: RouteWeight)] {
        places(weights.map { RouteWeight(times: $0) })
    }

    private func places(_ weights: [RouteWeight]) -> [(name: UInt64, weight: RouteWeight)] {
        weights.enumerated().map { (UInt64($0.offset) &* 0x1234_5678_9abc_def1 &+ 99, $0.element) }
    }

    @Test("each has a share of the keys by its weight")
    func shares() {
        let places = places([1, 1, 2, 4])
        var counts = [0, 0, 0, 0]
        for key in keys { counts[Rendezvous.pick(places, for: key)!] += 1 }
        // Of 4 000 draws a share of 1/8 is 500 +- 21 (one standard deviation).
        for (count, share) in zip(counts, [500, 500, 1_000, 2_000]) {
            #expect(abs(count - share) < 130, "\(counts)")
        }
    }

    @Test("a place that goes takes only its own keys with it, to all the others, and they return with it")
    func onlyItsOwn() {
        let all = places([1, 2, 1])
        let before = keys.map { all[Rendezvous.pick(all, for: $0)!].name }
        let gone = all[1].name
        // In another order: where a place stands does not matter.
        let left = [all[2], all[0]]
        let after = keys.map { left[Rendezvous.pick(left, for: $0)!].name }
        for (one, other) in zip(before, after) where one != gone { #expect(one == other) }
        let moved = zip(before, after).filter { $0.0 == gone }.map(\.1)
        #expect(moved.count > 1_500 && Set(moved).count == 2)
        let again = [all[1], all[2], all[0]]
        #expect(keys.map { again[Rendezvous.pick(again, for: $0)!].name } == before)
    }

    @Test("a greater weight only draws keys to its place, and none between others")
    func weights() {
        let (light, heavy) = (places([1, 1, 1]), places([1, 3, 1]))
        for key in keys {
            let (before, after) = (Rendezvous.pick(light, for: key)!, Rendezvous.pick(heavy, for: key)!)
            #expect(after == before || after == 1)
        }
    }

    @Test("the greatest weight against the least takes all but a few of many keys")
    func span() throws {
        let hundred = try #require(WeightFactor("100"))
        let part = try #require(WeightFactor("1/100"))
        let most = RouteWeight(times: 100).multiplied(by: [hundred])
        let least = RouteWeight.even.multiplied(by: [part, part])
        #expect(most.description == "10000" && least.description == "0.001")
        let places = places([least, most])
        for key in keys { #expect(Rendezvous.pick(places, for: key) == 1) }
        // The lowest ticket there is loses to any other by far, without a product that is too great.
        #expect(Rendezvous.rarity(of: 0) * UInt64(Limits.routeWeightSpan * 1_000) < UInt64(Int64.max))
    }

    @Test("a part of a weight draws a part of the keys")
    func parts() throws {
        let quarter = RouteWeight.even.multiplied(by: [try #require(WeightFactor("1/4"))])
        let places = places([.even, quarter, .even])
        var counts = [0, 0, 0]
        for key in keys { counts[try #require(Rendezvous.pick(places, for: key))] += 1 }
        // Shares of 4, 1 and 4 in 9, within four standard deviations.
        for (count, share) in zip(counts, [1_778, 444, 1_778]) {
            #expect(abs(count - share) < 130, "\(counts)")
        }
    }

    @Test("how rare a ticket is falls as it rises, and is its logarithm")
    func rarity() {
        let tickets: [UInt64] = [.max, .max / 2, .max / 3, .max / 4, 1 << 33, 3, 1, 0]
        let rarities = tickets.map { Double(Rendezvous.rarity(of: $0)) / 4_294_967_296 }
        for (rarity, bits) in zip(rarities, [0, 1, 1.584_962_5, 2, 31, 62.415_037_5, 64, 64]) {
            #expect(abs(rarity - bits) < 0.000_001, "\(rarities)")
        }
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<10_000 {
            let (one, other) = (generator.next(), generator.next())
            #expect((Rendezvous.rarity(of: one) <= Rendezvous.rarity(of: other)) == (one >= other))
        }
    }

    @Test("there is none of none, and the only one of one")
    func few() {
        #expect(Rendezvous.pick([], for: 7) == nil)
        #expect(Rendezvous.pick(places([5]), for: 7) == 0)
    }

    @Test("is the published FNV-1a")
    func hash() {
        // From the published test vectors of 64 bits.
        #expect(Rendezvous.hash("") == 0xcbf2_9ce4_8422_2325)
        #expect(Rendezvous.hash("a") == 0xaf63_dc4c_8601_ec8c)
        #expect(Rendezvous.hash("foobar") == 0x8594_4171_f739_67e8)
    }
}
