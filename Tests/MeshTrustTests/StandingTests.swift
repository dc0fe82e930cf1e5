import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("A peer's standing")
struct StandingTests {
    private func trusting() -> TrustTable {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.makeTrust()
        for index in table.parties.indices { table.parties[index].events = [] }
        return table
    }

    private func decide(_ decision: PeerDecision, in table: inout TrustTable) {
        table.handle(0, .decided(table.ticket(), table.parties[1].node, decision, note: "test"))
    }

    @Test("suspended: no link, until it is resumed")
    func suspension() {
        var table = trusting()
        decide(.suspend, in: &table)
        table.open(1, 0)
        table.settle()
        #expect(table.refusals(0) == [.peerSuspended])
        decide(.resume, in: &table)
        let (mine, _) = table.open(1, 0)
        table.settle()
        #expect(table.parties[1].admitted[mine] != nil)
    }

    @Test("revoked: final for that key, also when it is forgotten and invited again")
    func revocation() {
        var table = trusting()
        decide(.revoke, in: &table)
        decide(.resume, in: &table)
        #expect(table.parties[0].trust.pins[table.parties[1].node]?.state == .revoked)
        decide(.forget, in: &table)
        #expect(table.parties[0].trust.pins.peers.isEmpty)
        table.makeTrust(secret: Octets(Array(41...56)))
        #expect(table.refusals(0) == [.peerRevoked])
        #expect(table.parties[0].trust.pins.peers.isEmpty)
    }

    @Test("a handshake under way ends when trust does")
    func fallsDuringHandshake() {
        var table = trusting()
        table.open(1, 0)
        table.deliver()
        decide(.suspend, in: &table)
        table.settle()
        #expect(table.refusals(0) == [.peerNotTrusted])
        #expect(table.parties[0].admitted.isEmpty)
    }

    @Test(
        "a higher boot replaces silently, one that returns alarms, the third within ten minutes suspends"
    )
    func bootIDs() {
        var table = trusting()
        table.open(1, 0)
        table.settle()
        let b = table.parties[1]
        table.parties[1] = Party(2, name: "b", boot: 5, pins: b.trust.pins)
        table.open(1, 0)
        table.settle()
        #expect(table.parties[0].trust.pins[b.node]?.boot?.number == 5)

        table.parties[1] = Party(2, name: "b", boot: 4, pins: b.trust.pins)
        table.open(1, 0)
        table.settle()
        #expect(table.parties[0].trust.pins.isTrusted(b.node))
        #expect(table.parties[0].admitted.count == 2)
        for state in [TrustState.trusted, .suspended] {
            table.pass(.seconds(10))
            table.open(1, 0)
            table.settle()
            #expect(table.parties[0].trust.pins[b.node]?.state == state)
        }
    }

    @Test("suspended: no link by a dial of one's own either, though it left before")
    func suspendedDial() {
        var table = trusting()
        decide(.suspend, in: &table)
        table.open(0, 1)
        table.settle()
        #expect(table.refusals(0) == [.peerSuspended])
        #expect(table.parties[0].admitted.isEmpty && table.parties[1].admitted.isEmpty)
    }

    @Test("a handshake under way ends when the peer is forgotten")
    func forgottenDuringHandshake() {
        var table = trusting()
        table.open(1, 0)
        table.deliver()
        decide(.forget, in: &table)
        table.settle()
        #expect(table.refusals(0) == [.peerNotTrusted])
        #expect(table.parties[0].admitted.isEmpty && table.parties[1].admitted.isEmpty)
    }

    @Test("two runs that claim one boot number are an alarm: only the first is linked")
    func twoRunsOfOneNumber() {
        var table = trusting()
        let b = table.parties[1]
        table.parties[1] = Party(2, name: "b", boot: 5, run: 1, pins: b.trust.pins)
        table.open(1, 0)
        table.settle()
        table.parties[1] = Party(2, name: "b", boot: 5, run: 2, pins: b.trust.pins)
        let (_, theirs) = table.open(1, 0)
        table.settle()
        #expect(table.parties[0].closed[theirs] == .some(.bootReturned))
        #expect(table.parties[0].admitted.count == 1)
        #expect(table.parties[0].trust.pins[b.node]?.boot?.random == 1)
    }

    @Test("a peer that tells its decisions again and again is written down once a minute")
    func noticesAreFew() {
        var table = trusting()
        let b = table.parties[1].node
        func tell() {
            for decision in [PeerDecision.suspend, .resume, .suspend] {
                table.handle(0, .noticeArrived(b, TrustNotice(decision: decision)))
            }
        }
        tell()
        #expect(table.parties[0].events == [.noticed(b, TrustNotice(decision: .suspend))])
        table.pass(.seconds(60))
        tell()
        #expect(table.parties[0].events.count == 2)
    }

    @Test("every change is written down before it is felt")
    func persistsFirst() {
        var table = trusting()
        var outbox = Outbox<TrustEffect>()
        table.parties[0].trust.handle(
            .decided(table.ticket(), table.parties[1].node, .revoke, note: "test"), at: table.now,
            into: &outbox)
        let effects = outbox.drain()
        let persisted = effects.firstIndex { if case .persist = $0 { true } else { false } }
        let felt = effects.firstIndex { if case .standingChanged = $0 { true } else { false } }
        let told = effects.firstIndex { if case .notify = $0 { true } else { false } }
        #expect(persisted! < told! && told! < felt!)
    }
}
