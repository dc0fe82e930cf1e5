import MeshBase
import Testing

@testable import MeshNode

@Suite("What is counted of calls")
struct CallTallyTests {
    @Test("each call once, by the node that was tried last, with how it ended and how long it took")
    func ends() throws {
        var rig = DeskRig()
        rig.call("B")
        rig.pass(7)
        rig.answerLast()
        rig.call("B", "nothing", "list")
        rig.call("D")
        rig.call("C", "orders", "buy")
        rig.pass(3)
        rig.failLast()
        let tally = rig.desk.tally
        let (b, c) = (try #require(tally.ends[node(1)]), try #require(tally.ends[node(2)]))
        #expect(CallTally.Outcome.allCases.map(b.count) == [1, 0, 1])
        #expect(b.durations.total == .milliseconds(7) && b.durations.buckets[4] == 1)
        #expect(CallTally.Outcome.allCases.map(c.count) == [0, 1, 0])
        // A peer that nobody knows makes no place of its own.
        #expect(tally.ends.keys == [node(0), node(1), node(2)])
        #expect(tally.ends[node(0)]?.count(.refused) == 1)
        #expect(tally.lookups[resource("orders")] == 3 && tally.lookups[resource("nothing")] == 1)
    }

    @Test("names beyond the bound count together")
    func bound() {
        var tally = CallTally()
        for number in 0..<CallTally.resourcesMost + 3 {
            tally.note(resource("r\(number)"), to: node(1), .success, took: .zero)
        }
        tally.note(resource("r0"), to: node(1), .success, took: .seconds(60))
        #expect(tally.lookups.count == CallTally.resourcesMost && tally.otherLookups == 3)
        #expect(tally.lookups[resource("r0")] == 2)
        #expect(tally.ends[node(1)]?.durations.buckets.last == 1)
    }

    @Test("a node's condition is that of its worst breaker")
    func breakers() {
        var rig = DeskRig()
        func condition(_ number: UInt8) -> BreakerCondition? {
            rig.desk.breakers(at: moment(rig.now).instant)[node(number)]
        }
        #expect(condition(1) == .closed && condition(2) == .closed)
        rig.openBreaker("B")
        #expect(condition(1) == .open && condition(2) == .closed)
        rig.now += 1_100
        #expect(condition(1) == .halfOpen)
        rig.take(.linkWentDown(node(1)))
        #expect(condition(1) == .open)
    }
}
