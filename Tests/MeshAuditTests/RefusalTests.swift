import MeshBase
import Testing

@testable import MeshAudit

@Suite struct RefusalTests {
    @Test func `keeps sixty refusals of one peer with one code a minute, and one event for all others`()
        throws
    {
        var bench = Bench()
        for number in 0..<1_000 { bench.tell(.refused(refusal()), at: Int64(number)) }
        #expect(bench.events().count == 60)
        #expect(bench.log.nextDeadline == moment(60_000).instant)
        bench.tell(.alarmRang, at: 60_000)
        let summary = try #require(bench.events().first)
        #expect(summary.metadata.first == Fact("refusals", "940"))
        #expect(summary.refusals.map(\.code) == [.peerUnknown])
        #expect(summary.source == partner)
        #expect(summary.correlation == nil)
        #expect(bench.log.nextDeadline == nil)
    }

    @Test func `counts anew in the next minute`() {
        var bench = Bench()
        for number in 0..<61 { bench.tell(.refused(refusal()), at: Int64(number)) }
        bench.tell(.alarmRang, at: 60_000)
        #expect(bench.events().count == 61)
        for number in 0..<60 { bench.tell(.refused(refusal()), at: 60_001 + Int64(number)) }
        #expect(bench.events().count == 60)
    }

    @Test func `says nothing more about a minute in which none was held back`() {
        var bench = Bench()
        bench.tell(.refused(refusal()))
        #expect(bench.events().count == 1)
        bench.tell(.alarmRang, at: 60_000)
        #expect(bench.events().isEmpty)
        #expect(bench.log.nextDeadline == nil)
    }

    @Test func `counts each peer and each code by itself`() {
        var bench = Bench()
        for _ in 0..<60 {
            bench.tell(.refused(refusal(by: partner, .peerUnknown)))
            bench.tell(.refused(refusal(by: partner, .peerRevoked)))
            bench.tell(.refused(refusal(by: third, .peerUnknown)))
        }
        #expect(bench.events().count == 180)
        bench.tell(.refused(refusal(by: third, .peerUnknown)))
        #expect(bench.events().isEmpty)
    }

    @Test func `takes who asked for the peer, or who was asked when this node did`() {
        var bench = Bench()
        var own = attempt()
        own.refusals = [Refusal(.breakerOpen)]
        for _ in 0..<61 { bench.tell(.refused(own)) }
        var other = attempt(to: third)
        other.refusals = [Refusal(.breakerOpen)]
        bench.tell(.refused(other))
        #expect(bench.events().filter { $0.target == third }.count == 1)
    }

    @Test func `sums up the oldest minute early when more peers are refused than it counts`() {
        var bench = Bench()
        for _ in 0..<61 { bench.tell(.refused(refusal(by: node(10)))) }
        for number in UInt8(11)...12 { bench.tell(.refused(refusal(by: node(number))), at: 1) }
        #expect(bench.events().count == 62)
        bench.tell(.refused(refusal(by: node(13))), at: 2)
        let found = bench.events()
        #expect(found.map(\.source) == [node(10), node(13)])
        #expect(found.first?.metadata.first == Fact("refusals", "1"))
    }

    @Test func `gives refusals no more than a tenth of the store, and tells how many it did not keep`() {
        let store: Int64 = 200_000
        var bench = Bench(storeBytes: store)
        var kept = 0
        for number in 0..<4_000 {
            bench.tell(.refused(refusal(by: node(UInt8(number % 200)))), at: Int64(number))
            kept += bench.events().count
        }
        #expect(Int64(kept) * 100 <= store / 10)
        #expect(kept > 0)
        bench.tell(.alarmRang, at: 700_000)
        let told = bench.events().filter { $0.action == "events not kept" }
        #expect(told.count == 1)
        guard case .admitted = bench.admit(at: 700_001) else { return #expect(Bool(false), "refused") }
    }

    @Test func `keeps sixty comings of one peer's link a minute, and one event for all others`() throws {
        var bench = Bench()
        for number in 0..<60 { bench.tell(.happened(link("link up", with: partner)), at: Int64(number)) }
        #expect(bench.events().count == 60)
        bench.tell(.happened(link("link up", with: partner)), at: 60)
        #expect(bench.events().isEmpty)
        bench.tell(.happened(link("link down", with: partner)), at: 60)
        bench.tell(.happened(link("link up", with: third)), at: 60)
        #expect(bench.events().count == 2, "each peer and each action is counted by itself")
        bench.tell(.alarmRang, at: 60_000)
        let summary = try #require(bench.events().first)
        #expect(summary.action == "link up")
        #expect(summary.metadata == [Fact("events", 1)])
        #expect(summary.success)
    }

    @Test func `gives what peers bring about no more than a tenth of the store, and strangers no part of it`()
    {
        let store: Int64 = 200_000
        var bench = Bench(storeBytes: store)
        for number in 0..<4_000 {
            bench.tell(.refused(refusal(by: node(UInt8(number % 200)))), at: Int64(number))
        }
        _ = bench.events()
        var kept = 0
        for number in 0..<4_000 {
            let peer = node(UInt8(2 + number % 200))
            bench.tell(.happened(link("link up", with: peer)), at: 4_000 + Int64(number))
            kept += bench.events().count
        }
        #expect(Int64(kept) * 100 <= store / 10)
        #expect(kept > 0)
    }

    @Test func `keeps every event of what this node did itself`() {
        var bench = Bench()
        for _ in 0..<100 {
            bench.tell(
                .happened(
                    AuditEvent(
                        type: .administration, source: here, target: here, action: "resource added",
                        success: true)))
        }
        #expect(bench.events().count == 100)
    }

    private func link(_ action: String, with peer: NodeID) -> AuditEvent {
        AuditEvent(type: .link, source: here, target: peer, action: action, success: true)
    }

    @Test func `drains a twentieth of the store in the time for which events are kept`() {
        var share = RefusalShare(storeBytes: 20_000_000, retention: .seconds(100_000))
        let asked: [(bytes: Int64, milliseconds: Int64)] = [
            (1_000_000, 0), (1, 0), (1, 99), (500_000, 50_000_000), (1, 50_000_000),
            (1_000_000, 10_000_000_000),
        ]
        let taken = asked.map { share.take($0.bytes, at: moment($0.milliseconds).instant) }
        #expect(taken == [true, false, false, true, false, true])
    }

    @Test func `keeps no refusal that the store has no room for`() {
        var bench = Bench(room: 10)
        bench.tell(.refused(refusal()))
        #expect(bench.events().isEmpty)
        #expect(bench.log.nextDeadline == moment(60_000).instant)
    }
}
