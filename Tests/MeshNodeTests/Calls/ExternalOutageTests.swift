import MeshBase
import Testing

@testable import MeshNode

@Suite("A policy engine that gives no answer")
struct ExternalOutageTests {
    private func rig(patience: Duration = .milliseconds(200)) -> DeskRig {
        var rig = DeskRig()
        rig.configuration.external = ExternalPolicyRules(patience: patience)
        rig.publish()
        return rig
    }

    private func answer(_ rig: inout DeskRig, _ answer: ExternalAnswer) throws {
        let tickets = rig.effects.compactMap { effect -> ExternalTicket? in
            guard case .judge(let ticket, _, _) = effect else { return nil }
            return ticket
        }
        rig.take(.judged(try #require(tickets.last), answer))
    }

    @Test("is out since the first question without one, on either side, and counts what it refused")
    func since() throws {
        var rig = rig()
        #expect(rig.desk.policyOutage == nil)
        let began = moment(rig.now).wall
        rig.call("B")
        try answer(&rig, .failed(.unreachable))
        #expect(
            rig.desk.policyOutage
                == ExternalOutage(since: began, questions: 1, why: "it could not be asked"))
        _ = rig.arrive()
        rig.pass(200)
        #expect(
            rig.desk.policyOutage
                == ExternalOutage(since: began, questions: 2, why: "it did not answer in time"))
        rig.call("B")
        rig.pass(200)
        #expect(rig.desk.policyOutage?.questions == 3 && rig.desk.policyOutage?.since == began)
    }

    @Test(
        "is back with the next answer, whatever that is",
        arguments: [
            ExternalAnswer.allowed(decision: nil), .denied(decision: nil, reasons: []), .failed(.undefined),
        ])
    func back(_ word: ExternalAnswer) throws {
        for isConsumer in [true, false] {
            var rig = rig()
            rig.call("B")
            try answer(&rig, .failed(.status(503)))
            #expect(rig.desk.policyOutage?.why == "it answered with status 503")
            if isConsumer { rig.call("B") } else { _ = rig.arrive() }
            try answer(&rig, word)
            #expect(rig.desk.policyOutage == nil)
        }
    }

    @Test("is not out because a call's own time was over first, nor for what nobody waits for any more")
    func ownTime() throws {
        var rig = rig()
        rig.call("B", deadline: .milliseconds(100))
        rig.pass(100)
        try answer(&rig, .failed(.unreachable))
        #expect(rig.desk.policyOutage == nil)
    }

    @Test("is forgotten when another is asked, or none")
    func otherRules() throws {
        var rig = rig()
        rig.call("B")
        try answer(&rig, .failed(.unreachable))
        rig.configuration.external = nil
        rig.publish()
        #expect(rig.desk.policyOutage == nil)
    }
}
