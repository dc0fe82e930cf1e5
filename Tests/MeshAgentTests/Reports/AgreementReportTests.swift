import MeshAgreements
import MeshBase
import MeshControl
import MeshStore
import MeshTrust
import Testing

@testable import MeshAgent
@testable import MeshCredentials

@Suite("Reports on agreements and what needs attention")
struct AgreementReportTests {
    private let bakery = ReportRig.Person("bakery")
    private static let day = ReportRig.day

    private func attention(_ rig: ReportRig) throws -> [AttentionReport] {
        let circumstances = ReportWriter<SystemSuite>.Circumstances(
            started: ReportRig.now.wall,
            listening: ListeningReport(link: [], gateway: nil, gatewaySocket: nil, control: ""),
            discovery: [],
            breakers: [], storeTrouble: nil)
        return try rig.writer.status(circumstances).attention
    }

    private func rig() throws -> ReportRig {
        var rig = ReportRig()
        try rig.add(bakery)
        return rig
    }

    @Test func `tells the state with the times, not only with the signatures`() throws {
        var rig = try rig()
        try rig.provide("active", to: bakery, life: Self.day * 20)
        try rig.provide("early", to: bakery, life: Self.day * 20, from: Self.day)
        try rig.provide("offered", to: bakery, state: .offered, life: Self.day * 20)
        try rig.provide("over", to: bakery, offered: Self.day * 2, life: Self.day)
        try rig.provide("rejected", to: bakery, state: .ended(.rejected([])), life: Self.day * 20)
        let states = try rig.writer.agreements.map { "\($0.resources[0]) \($0.state.rawValue)" }
        #expect(
            Set(states).isSuperset(of: [
                "active active", "early early", "offered offered", "over expired", "rejected ended",
            ]))
    }

    @Test func `finds an agreement by the beginning of its id`() throws {
        var rig = try rig()
        try rig.provide("orders", to: bakery, life: Self.day * 20)
        let id = rig.restored.agreements[0].contentID.description
        let writer = try rig.writer
        guard case .allowed(.pair(let found)) = writer.agreementReport(String(id.prefix(12)).uppercased())
        else {
            Issue.record("not found")
            return
        }
        #expect(found.id == id && found.role == .provider && found.peer.name == bakery.name)
        // Refusals name an agreement by its own id, which all of its versions share.
        let own = rig.restored.agreements[0].agreement.id.description
        for text in [own, String(own.prefix(9)).uppercased()] {
            guard case .allowed(.pair(let same)) = writer.agreementReport(text) else {
                Issue.record("not found by \(text)")
                return
            }
            #expect(same.id == id)
        }
        guard case .refused(let refusal) = writer.agreementReport("") else {
            Issue.record("found by nothing")
            return
        }
        #expect(refusal.code == .nothingFound)
    }

    @Test func `warns of an agreement in the last third of its life and its last week`() throws {
        var rig = try rig()
        try rig.provide("orders", to: bakery, offered: Self.day * 26, life: Self.day * 30)
        let id = rig.restored.agreements[0].contentID.description.prefix(12)
        #expect(try attention(rig).map(\.next) == ["comity agreement renew \(id)"])
    }

    @Test func `says what is used of an agreement's quotas, and warns at 80 percent of one`() throws {
        var rig = try rig()
        try rig.provide(
            "orders", to: bakery, life: Self.day * 20, limits: UsageLimits(callsPerDay: 5, callsPerMonth: 50))
        let agreement = rig.restored.agreements[0].agreement
        for used in 1...5 {
            _ = rig.meters.take(agreement, at: ReportRig.now)
            let report = try #require(try rig.writer.agreements.first)
            #expect(report.limits == LimitsReport(callsPerDay: 5, callsPerMonth: 50))
            #expect(report.usage.map(\.left) == [Int64(5 - used), Int64(50 - used)])
            let lines = try attention(rig)
            #expect(lines.count == (used < 4 ? 0 : 1))
            guard used == 5 else { continue }
            #expect(lines[0].what.hasPrefix("5 of 5 calls of bakery to orders here are used in 2026-11-18"))
            #expect(lines[0].next == "comity agreement show \(report.id.prefix(12))")
        }
    }

    @Test func `does not warn of what is young, renewed by itself, or covered for longer`() throws {
        var rig = try rig()
        try rig.provide("young", to: bakery, life: .seconds(3_600))
        try rig.provide("echo", to: bakery, offered: Self.day * 26, life: Self.day * 30, origin: .builtIn)
        try rig.provide("orders", to: bakery, offered: Self.day * 26, life: Self.day * 30)
        try rig.provide("orders", to: bakery, life: Self.day * 30)
        #expect(try attention(rig) == [])
    }

    @Test func `warns of a peer that an alarm suspended, and not of one that the operator did`() throws {
        var rig = ReportRig()
        try rig.add(bakery, .suspended, by: .alarm, note: "two heads with one number")
        try rig.add(ReportRig.Person("mill"), .suspended, by: .operator)
        let lines = try attention(rig)
        #expect(lines.map(\.next) == ["comity explain peer bakery"])
        #expect(lines[0].what.contains("two heads with one number"))
    }

    @Test func `fills the words of a remedy that it knows`() {
        let terms = Remedy.Terms(peer: "bakery", resource: "orders")
        #expect(Remedy.command(after: .agreementMissing, terms) == "comity offer orders --to bakery")
        #expect(Remedy.command(after: .deadlineExceeded, terms) == "comity call bakery/orders --deadline 30s")
        #expect(Remedy.command(after: .outcomeUnknown, terms) == "comity audit trace CORRELATION-ID")
        #expect(Remedy.command(after: .bodyTooLarge, terms) == nil)
    }

    @Test func `names a member that was caught and never met, as the store kept it, and finds it by its ID`()
        throws
    {
        var rig = try rig()
        let caught = ReportRig.Person("gamma").node
        let conviction = Conviction(node: caught, evidence: "two heads", since: ReportRig.now.wall)
        var state = StoredState()
        for change in try StoredNode.changes(for: .trust(.conviction(conviction)), at: ReportRig.now.wall) {
            guard case .putConviction(let row) = change else { continue }
            state.convictions.append(row)
        }
        rig.restored.convictions = try StoredNode.restored(from: state).convictions
        let line = try #require(try attention(rig).first)
        #expect(line.what.contains("never met") && line.what.hasSuffix("two heads"))
        #expect(line.next == "comity peer show \(caught)")
        let writer = try rig.writer
        #expect(writer.peer(caught.description) == .allowed(caught))
        let shown = try #require(writer.peers.first { $0.id == caught })
        #expect(shown == writer.peer(caught))
        #expect(shown.trust == .suspended && shown.evidence.map(\.what) == ["suspended: two heads"])
    }
}
