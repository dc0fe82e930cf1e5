import MeshAudit
import MeshBase
import MeshControl
import MeshNode
import Testing

@testable import MeshAgent
@testable import MeshCredentials

@Suite("Traces and explanations of calls")
struct CallReportTests {
    private let bakery = ReportRig.Person("bakery")

    private func rig() throws -> ReportRig {
        var rig = ReportRig()
        try rig.add(bakery)
        return rig
    }

    @Test func `joins both halves and finds them alike`() throws {
        let rig = try rig()
        let own = [
            ReportRig.event(.attempt, from: rig.me, to: bakery),
            ReportRig.event(.call, from: rig.me, to: bakery, at: 5),
        ]
        let half = TraceHalf(
            node: bakery.node, answer: .told([ReportRig.event(.service, from: rig.me, to: bakery, at: 2)]))
        let trace = try rig.writer.trace(ReportRig.memory(own, halves: [half]))
        #expect(trace.sides.map(\.missing) == [nil, nil])
        #expect(trace.events.map(\.event.type) == ["attempt", "service", "call"])
        #expect(trace.events.map(\.side.name) == [rig.me.name, bakery.name, rig.me.name])
        #expect(trace.disagreements.isEmpty)
    }

    @Test func `shows where the sides differ, with what each says`() throws {
        let rig = try rig()
        let own = [ReportRig.event(.attempt, from: rig.me, to: bakery, status: 200)]
        let half = TraceHalf(
            node: bakery.node,
            answer: .told([ReportRig.event(.service, from: rig.me, to: bakery, status: 204)]))
        let found = try rig.writer.trace(ReportRig.memory(own, halves: [half])).disagreements
        #expect(found.map(\.what) == ["status"])
        #expect(found[0].values == [Fact("here", "200"), Fact("bakery", "204")])
    }

    @Test func `calls an answer without the provider's event a contradiction, a failure without one not`()
        throws
    {
        let rig = try rig()
        let silent = TraceHalf(node: bakery.node, answer: .told([]))
        let answered = ReportRig.event(.attempt, from: rig.me, to: bakery)
        let failed = ReportRig.event(
            .attempt, from: rig.me, to: bakery, status: nil, refusals: [Refusal(.peerUnreachable)])
        #expect(
            try rig.writer.trace(ReportRig.memory([answered], halves: [silent])).disagreements.map(\.what)
                == ["event missing"])
        #expect(try rig.writer.trace(ReportRig.memory([failed], halves: [silent])).disagreements.isEmpty)
    }

    @Test func `does not show what a peer could not know`() throws {
        let rig = try rig()
        let stranger = ReportRig.Person("stranger")
        let own = [ReportRig.event(.attempt, from: rig.me, to: bakery)]
        let half = TraceHalf(
            node: bakery.node,
            answer: .told([
                ReportRig.event(.service, from: rig.me, to: bakery, at: 1),
                ReportRig.event(.service, from: rig.me, to: stranger, at: 2),
            ]))
        let trace = try rig.writer.trace(ReportRig.memory(own, halves: [half]))
        #expect(trace.events.map(\.event.type) == ["attempt", "service"])
    }

    @Test func `names the half that is missing and why`() throws {
        let rig = try rig()
        let own = [ReportRig.event(.attempt, from: rig.me, to: bakery)]
        let half = TraceHalf(node: bakery.node, answer: .absent(Refusal(.peerUnreachable)))
        let memory = ReportRig.memory(own, halves: [half])
        let writer = try rig.writer
        #expect(writer.trace(memory).sides.map(\.missing?.code) == [nil, .peerUnreachable])
        #expect(writer.trace(memory).disagreements.isEmpty)
        let branches = try #require(writer.explanation(memory)).branches
        #expect(branches.map(\.verdict) == [.allowed, .unknown, .allowed])
        #expect(branches[1].side?.name == bakery.name)
    }

    @Test func `explains a refusal of the provider with the command that the provider must give`() throws {
        let rig = try rig()
        let refusal = Refusal(.agreementMissing, [Fact("decided at", "provider")])
        let own = [
            ReportRig.event(.attempt, from: rig.me, to: bakery, status: nil, refusals: [refusal]),
            ReportRig.event(.call, from: rig.me, to: bakery, at: 5, status: nil, refusals: [refusal]),
        ]
        let service = ReportRig.event(
            .service, from: rig.me, to: bakery, at: 2, status: nil, refusals: [refusal])
        let half = TraceHalf(node: bakery.node, answer: .told([service]))
        let report = try #require(try rig.writer.explanation(ReportRig.memory(own, halves: [half])))
        #expect(report.verdict == .refused)
        #expect(report.branches.map(\.verdict) == [.allowed, .refused, .refused])
        #expect(report.branches[1].side?.name == bakery.name)
        #expect(report.branches[1].next == "comity offer orders --to here")
        #expect(report.branches[1].facts.contains(Fact("to be given at", "bakery")))
        // What this node heard leads to the same command at the same place.
        #expect(report.branches[2].next == "comity offer orders --to here")
    }

    @Test func `speaks of a call to nobody by the name that nobody has`() throws {
        let rig = try rig()
        let refusal = Refusal(.peerNotFound, [Fact("name", "miller")])
        let call = ReportRig.event(.call, from: rig.me, to: rig.me, status: nil, refusals: [refusal])
        let report = try #require(try rig.writer.explanation(ReportRig.memory([call])))
        #expect(report.subject.hasPrefix("call miller/orders/list as local at "))
    }

    @Test func `tells the resource's failure from the provider's refusal`() throws {
        let rig = try rig()
        let service = ReportRig.event(
            .service, from: bakery, to: rig.me, status: nil, refusals: [Refusal(.resourceTimeout)])
        let report = try #require(try rig.writer.explanation(ReportRig.memory([service])))
        #expect(report.branches.map(\.verdict) == [.unknown, .allowed, .refused])
        #expect(report.branches.map(\.side?.name) == [bakery.name, nil, nil])
        #expect(report.branches[2].question == "attempt 1: did orders answer?")
    }

    @Test func `a call that was cut was let in, and one after the end was not`() throws {
        let rig = try rig()
        for (facts, verdicts) in [
            ([Fact(CallDesk.callsUnderWay, "cut")], [ExplainVerdict.unknown, .allowed, .refused]),
            ([], [.unknown, .refused]),
        ] {
            let service = ReportRig.event(
                .service, from: bakery, to: rig.me, status: nil, refusals: [Refusal(.agreementEnded, facts)])
            let report = try #require(try rig.writer.explanation(ReportRig.memory([service])))
            #expect(report.branches.map(\.verdict) == verdicts)
        }
    }

    @Test func `says that the outcome is unknown, not that it was refused`() throws {
        let rig = try rig()
        let lost = Refusal(.outcomeUnknown)
        let own = [
            ReportRig.event(.attempt, from: rig.me, to: bakery, status: nil, refusals: [lost]),
            ReportRig.event(.call, from: rig.me, to: bakery, at: 5, status: nil, refusals: [lost]),
        ]
        let report = try #require(try rig.writer.explanation(ReportRig.memory(own)))
        #expect(report.verdict == .unknown)
        #expect(report.branches.last?.next == "comity audit trace \(ReportRig.call)")
    }

    @Test func `lets the code and the success through that were asked for`() {
        let me = ReportRig.Person("here")
        let refused = AuditEntry(
            event: ReportRig.event(.call, from: me, to: bakery, refusals: [Refusal(.overloaded)]),
            stage: .ended)
        let good = AuditEntry(event: ReportRig.event(.call, from: me, to: bakery), stage: .ended)
        var open = good
        open.stage = .underWay
        let entries = [refused, good, open]
        #expect(entries.map(AuditSieve(code: .overloaded).passes) == [true, false, false])
        #expect(entries.map(AuditSieve(success: true).passes) == [false, true, false])
        #expect(entries.map(AuditSieve().passes) == [true, true, true])
    }
}
