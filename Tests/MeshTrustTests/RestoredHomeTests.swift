import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("A home that was restored")
struct RestoredHomeTests {
    @Test("goes on above the boot number that a trusted peer names, whoever dials, and raises no alarm twice")
    func rises() {
        for dialler in [0, 1] {
            var table = withReturn(named: 50, origin: .backup)
            let dialled = 1 - dialler
            // Both ends had dialled before either knew.
            table.open(dialler, dialled)
            table.open(dialled, dialler)
            table.settle()
            let me = table.parties[1].trust.me
            #expect(me.boot.number == 51 && table.parties[1].admitted.isEmpty)
            #expect(table.parties[1].persisted == [.ownBoot(me.boot)])
            let raised = table.parties[1].events.filter { if case .bootRaised = $0 { true } else { false } }
            #expect(raised.count == 1)
            #expect(alarms(table) == 1)
            table.open(dialler, dialled)
            table.settle()
            #expect(table.parties[0].admitted.count == 1 && table.parties[1].admitted.count == 1)
            #expect(table.parties[0].trust.pins[table.parties[1].node]?.boot == me.boot)
            #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node))
        }
    }

    @Test(
        "that does not say so stays where it is, and is suspended for a copy when it returns the third time")
    func ownHome() {
        var table = withReturn(named: 50, origin: .own)
        for _ in 0..<3 {
            #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node))
            table.pass(.seconds(10))
            table.open(1, 0)
            table.settle()
        }
        #expect(table.parties[1].trust.me.boot.number == 1 && table.parties[1].persisted.isEmpty)
        #expect(alarms(table) == 3)
        #expect(table.parties[0].trust.pins[table.parties[1].node]?.state == .suspended)
    }

    @Test("two runs that return one after the other are no copy, and the same one three times is")
    func twoRuns() {
        var table = withReturn(named: 50, origin: .own)
        for (number, isTrusted) in [(1, true), (2, true), (2, true), (2, false)] as [(Int64, Bool)] {
            let me = table.parties[1].trust.me
            table.parties[1].trust.me = me.running(as: BootID(number: number, random: 9))
            table.pass(.seconds(11))
            table.open(1, 0)
            table.settle()
            #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node) == isTrusted)
        }
        #expect(alarms(table) == 4)
    }

    @Test("returns within ten seconds are one, and those before a pause of ten minutes count no more")
    func returns() {
        var table = withReturn(named: 50, origin: .own)
        for pause in [0, 9, 20, 601, 20] {
            table.pass(.seconds(pause))
            table.open(1, 0)
            table.settle()
        }
        #expect(alarms(table) == 4)
        #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node))
    }

    @Test("takes no boot number above which there is no room, and the highest that leaves it")
    func bound() {
        for (named, isTaken) in [(Limits.bootNumberNamed, true), (Limits.bootNumberNamed + 1, false)] {
            var table = withReturn(named: named, origin: .backup)
            table.open(1, 0)
            table.settle()
            #expect((table.parties[1].trust.me.boot.number == named + 1) == isTaken)
            #expect(table.parties[1].persisted.isEmpty != isTaken)
        }
    }

    @Test("believes who is not trusted no number beyond what its clock reaches, and nobody one below its own")
    func strangers() {
        var table = withReturn(named: 50, origin: .backup)
        let now = table.now
        var outbox = Outbox<TrustEffect>()
        let stranger = SimulatedKey(9).node
        let denial = named((now.wall + .seconds(86_400)).milliseconds + 1)
        table.parties[1].trust.take(denial, from: stranger, at: now, into: &outbox)
        table.parties[1].trust.take(named(900), from: nil, at: now, into: &outbox)
        table.parties[1].trust.take(
            denial, from: stranger, member: SimulatedKey(8).node, at: now, into: &outbox)
        let peer = table.parties[0].node
        table.parties[1].trust.take(named(0), from: peer, at: now, into: &outbox)
        let other = Denial(code: .peerNotTrusted, reference: Octets([]), facts: [], boot: 900)
        table.parties[1].trust.take(other, from: peer, at: now, into: &outbox)
        #expect(outbox.drain().isEmpty && table.parties[1].trust.me.boot.number == 1)
    }

    @Test(
        "takes from a stranger what its own clock reaches within a day, in a restored home only"
    )
    func beforeItsTrust() {
        for (origin, isTaken) in [(HomeOrigin.backup, true), (.own, false)] {
            var table = withReturn(named: 50, origin: origin)
            var outbox = Outbox<TrustEffect>()
            let highest = (table.now.wall + .seconds(86_400)).milliseconds
            table.parties[1].trust.take(
                named(highest), from: SimulatedKey(9).node, at: table.now, into: &outbox)
            #expect(table.parties[1].trust.me.boot.number == (isTaken ? highest + 1 : 1))
            // Its own earlier rise does not bring the next within reach.
            table.parties[1].trust.take(
                named(highest + 1_000), from: SimulatedKey(9).node, at: table.now, into: &outbox)
            #expect(table.parties[1].trust.me.boot.number == (isTaken ? highest + 1 : 1))
        }
    }

    @Test("whose clock is years behind takes from a stranger what is a day above its own number")
    func behind() {
        var table = withReturn(named: 50, origin: .backup, number: 90_000_000_000)
        var outbox = Outbox<TrustEffect>()
        for (number, isTaken) in [(90_086_400_001, false), (90_086_400_000, true)] as [(Int64, Bool)] {
            table.parties[1].trust.take(
                named(number), from: SimulatedKey(9).node, at: table.now, into: &outbox)
            #expect((table.parties[1].trust.me.boot.number > number) == isTaken)
        }
    }

    private func named(_ boot: Int64) -> Denial {
        Denial(code: .bootReturned, reference: Octets([]), facts: [], boot: boot)
    }

    /// Two that trust one another; the second is back with boot `number` after the first accepted `named`.
    private func withReturn(named: Int64, origin: HomeOrigin, number: Int64 = 1) -> TrustTable {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b", boot: named, run: 7))
        table.makeTrust()
        table.open(1, 0)
        table.settle()
        let pins = table.parties[1].trust.pins
        table.parties[1] = Party(2, name: "b", boot: number, run: 8, pins: pins, origin: origin)
        table.parties[0].admitted = [:]
        table.parties[0].events = []
        return table
    }

    private func alarms(_ table: TrustTable) -> Int {
        table.parties[0].events.count { if case .bootReturned = $0 { true } else { false } }
    }
}
