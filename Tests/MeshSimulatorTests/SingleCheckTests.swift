import MeshAudit
import MeshBase
import MeshGossip
import MeshNode
import MeshRouting
import MeshTrust
import Testing

@testable import MeshSimulator

/// What no lie of the world brings about is shown to the checkers by hand.
@Suite struct SingleCheckTests {
    let suite = SimulatedSuite()
    let mine = SimulatedKey(1)
    let theirs = SimulatedKey(2)
    let run = RunID(host: 0, number: 1)

    func peer(_ evidence: TrustEvidence, _ state: TrustState) throws -> PeerRecord {
        PeerRecord(
            node: theirs.node, key: theirs.publicKey, pin: suite.pin(of: theirs.publicKey),
            inception: theirs.sign(Inception(key: theirs.publicKey, nextKeyDigest: .zero)),
            name: try #require(NodeName("other")), state: state, since: WallTime(milliseconds: 0),
            evidence: evidence, boot: nil)
    }

    @Test func `trust with the grants of one side is found`() throws {
        var check = TrustCheck()
        let transcript = suite.digest([1])
        let trusted = try peer(TrustEvidence(kind: .invite, transcript: transcript, note: ""), .trusted)
        check.granted(transcript, by: mine.node)
        #expect(check.wrote(trusted, by: mine.node, host: 0, isPeerHonest: true).map(\.0) == [.bothGranted])
        check.granted(transcript, by: theirs.node)
        #expect(check.wrote(trusted, by: mine.node, host: 0, isPeerHonest: true).isEmpty)
    }

    @Test func `an alarm over an honest node is found`() throws {
        var check = TrustCheck()
        let suspended = try peer(TrustEvidence(kind: .alarm, transcript: nil, note: "two heads"), .suspended)
        #expect(
            check.wrote(suspended, by: mine.node, host: 0, isPeerHonest: true).map(\.0) == [
                .honestUnconvicted
            ])
        #expect(check.wrote(suspended, by: mine.node, host: 0, isPeerHonest: false).isEmpty)
    }

    @Test func `two probes on one way are found`() {
        var check = CallCheck()
        check.begin(run)
        let way = CallCheck.Way(node: theirs.node, resource: nil)
        check.breakerChanged(CallCheck.Way(node: theirs.node, resource: nil), to: "half-open", of: run)
        let (first, second) = (attempt(1, 1), attempt(2, 1))
        #expect(check.left(first, along: [way], of: run, upFor: .zero).isEmpty)
        #expect(check.left(second, along: [way], of: run, upFor: .zero).map(\.0) == [.oneProbe])
        check.settled(second, of: run)
        #expect(check.left(attempt(3, 1), along: [way], of: run, upFor: .zero).isEmpty)
    }

    @Test func `retries beyond their budget are found`() {
        var check = CallCheck()
        check.begin(run)
        let found = (1...200).map { check.left(attempt($0, 2), along: [], of: run, upFor: .seconds(10)) }
        let isQuiet = found.prefix(111).allSatisfy { $0.isEmpty }
        #expect(isQuiet)
        #expect(found[111].map(\.0) == [.retryBudget])
    }

    @Test func `a call that is told twice is found`() {
        let event = AuditEvent(
            type: .call, correlation: CorrelationID(high: 1, low: 2), source: mine.node, target: theirs.node,
            action: "invoke", success: true)
        #expect(AuditCheck.repeated(in: [event], of: 0).isEmpty)
        #expect(AuditCheck.repeated(in: [event, event], of: 0).count == 1)
    }

    @Test func `an attempt after its deadline is found`() {
        var world = World(SimulationPlan(nodes: 2, seed: 1, faults: []), tampering: nil)
        world.checks.begin(run)
        let request = LocalRequest(
            id: RequestID(1), target: .any, resource: .echo, form: .invoke(capability: nil, query: nil),
            deadline: .seconds(1), body: .none)
        world.checks.calls.asked(request, of: run, at: .zero)
        world.time = .zero + .seconds(2)
        world.checkOrders([.serve(.own(attempt(1, 1)), .echo, .sample)], of: run)
        #expect(world.checks.violations.map(\.invariant) == [.withinDeadline])
    }

    @Test func `a table beyond its bound is found`() {
        var simulation = Simulation(SimulationPlan(nodes: 2, seed: 1, duration: .seconds(10), faults: []))
        simulation.advance(by: .seconds(12))
        var world = simulation.world
        guard let record = world.hosts[0].disk.agreements.values.first else {
            Issue.record("nothing was agreed in twelve seconds")
            return
        }
        for number in UInt64(0)..<1_100 {
            let copy = record.renamed(suite.digest(number.bigEndianBytes))
            world.hosts[0].disk.commit(.agreement(copy))
        }
        world.inspect(.routine)
        #expect(world.checks.violations.map(\.invariant) == [.bounded])
    }

    @Test func `a table is found wherever it stands, and the largest at each place counts`() {
        struct Inner { var keyed = OrderedTable<Int, [String]>() }
        struct Outer {
            let name = "text is no table"
            let bytes: [UInt8] = [1, 2, 3]
            var inner: Inner? = Inner()
            var list = [1, 2]
        }
        var outer = Outer()
        outer.inner?.keyed[1] = ["a"]
        outer.inner?.keyed[2] = ["a", "b", "c"]
        var census = TableCensus()
        census.count(outer, at: "outer")
        #expect(census.sizes == ["outer.inner.keyed": 2, "outer.inner.keyed[]": 3, "outer.list": 2])
        #expect(census.beyond(2).map(\.place) == ["outer.inner.keyed[]"])
        #expect(census.beyond(3).isEmpty)
    }

    @Test func `a node's own tables are among those that are counted`() {
        var simulation = Simulation(SimulationPlan(nodes: 2, seed: 1, duration: .seconds(10), faults: []))
        simulation.advance(by: .seconds(12))
        guard let agent = simulation.world.hosts[0].agent else {
            Issue.record("nobody runs")
            return
        }
        var census = TableCensus()
        census.count(agent.node, at: "node")
        #expect(census.sizes.count > 30, "\(census.sizes)")
        #expect(census.sizes["node.trust.pins.peers"] == 1, "\(census.sizes)")
    }

    private func attempt(_ request: Int, _ number: UInt8) -> AttemptID {
        AttemptID(request: RequestID(UInt64(request)), number: number)
    }
}
