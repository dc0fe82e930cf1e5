import MeshAudit
import MeshBase
import MeshControl
import MeshNode
import MeshTrust
import Testing

@testable import MeshAgent
@testable import MeshCredentials

@Suite("Forecasts of calls")
struct ForecastReportTests {
    private let bakery = ReportRig.Person("bakery")

    private func rig(_ state: TrustState = .trusted) throws -> ReportRig {
        var rig = ReportRig()
        try rig.add(bakery, state)
        return rig
    }

    /// What the desk of that very node says, with `room` bytes left for the audit.
    private func forecast(
        _ rig: ReportRig, _ resource: String, _ capability: String? = nil, at target: CallTarget? = nil,
        room: Int64 = 1 << 30, naming: Ruling<Principal>? = nil
    ) throws -> ExplainReport {
        let writer = try rig.writer
        var desk = CallDesk(
            view: writer.node.callView(at: ReportRig.now), generator: SeededGenerator(seed: 1))
        var effects = Outbox<CallEffect>()
        desk.handle(.roomMeasured(bytes: room), at: ReportRig.now, into: &effects)
        let request = LocalRequest.imagined(
            at: target ?? .node(bakery.node), ResourceName(resource)!,
            capability.flatMap { ResourceName($0) },
            as: .local)
        return writer.forecast(
            request, desk.wouldDecide(request, at: ReportRig.now), naming: naming)
    }

    private func told(_ report: ExplainReport) -> [String] {
        report.branches.map { "\($0.question) \($0.verdict.rawValue)" }
    }

    @Test func `asks every question in order, and says at whom the answer fails`() throws {
        let report = try forecast(try rig(), "echo")
        #expect(report.verdict == .refused)
        #expect(
            told(report) == [
                "does this node begin calls now? allowed", "is bakery trusted? allowed",
                "is there a link to bakery? unknown", "does bakery provide echo, and what of it? allowed",
                "does an agreement with bakery cover it? refused",
                "does the breaker of echo at bakery let it pass? allowed",
                "does bakery let this node in? unknown",
            ])
        let agreement = report.branches[4]
        #expect(agreement.reasons.map(\.code) == [.agreementMissing])
        #expect(agreement.next == "comity offer echo --to here")
        #expect(agreement.facts.contains(Fact("to be given at", "bakery")))
    }

    @Test func `names each obstacle under its own question, each with its command`() throws {
        let report = try forecast(try rig(.suspended), "nothing-such")
        let refused = report.branches.filter { $0.verdict == .refused }
        #expect(
            refused.map { $0.reasons.map(\.code) } == [
                [.peerSuspended], [.peerUnreachable], [.resourceUnknown],
            ])
        #expect(
            refused.map(\.next) == ["comity peer resume bakery", "comity explain peer bakery", "comity find"])
        #expect(report.branches.filter { $0.verdict == .notAsked }.count == 2)
    }

    @Test func `says that this node begins no call when the audit has no room`() throws {
        let report = try forecast(try rig(), "echo", at: .any, room: 0)
        #expect(report.verdict == .refused)
        #expect(report.branches[0].reasons.map(\.code) == [.auditUnavailable])
        #expect(report.branches[0].next == "comity status")
    }

    @Test func `says who may not be named, whatever else holds`() throws {
        let refusal = Refusal(.principalRefused, [Fact("claimed", "chef")])
        let own = try forecast(try rig(), "echo", at: .any, naming: .refused(refusal))
        #expect(own.verdict == .refused)
        #expect(own.branches[0].reasons == [refusal] && own.branches[0].next == "comity config show")
        #expect(own.branches.dropFirst().allSatisfy { $0.verdict == .allowed })
    }
}
