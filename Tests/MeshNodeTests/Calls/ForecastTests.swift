import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Forecast of a call")
struct ForecastTests {
    @Test("explaining changes nothing and says what deciding would do")
    func explains() {
        var rig = DeskRig()
        rig.openBreaker("B")
        let before = rig.desk
        let request = LocalRequest(
            id: RequestID(99), target: .any, resource: resource("orders"),
            form: .invoke(capability: resource("list"), query: nil), body: .none)
        let explanation = rig.desk.wouldDecide(request, at: moment(rig.now))
        #expect(explanation.verdict == .send([node(2)]))
        #expect(explanation.candidates.map(\.breaker) == ["open", "closed"])
        #expect(explanation.candidates[0].refusals.map(\.code) == [.breakerOpen])
        #expect(rig.desk == before)
    }

    @Test("a call that no node could take now is forecast with what stops it here, whoever might answer")
    func obstacles() {
        var rig = DeskRig()
        let request = LocalRequest(
            id: RequestID(99), target: .node(node(2)), resource: resource("orders"),
            form: .invoke(capability: resource("list"), query: nil), body: .none)
        #expect(rig.desk.wouldDecide(request, at: moment(rig.now)).verdict == .send([node(2)]))
        rig.take(.roomMeasured(bytes: 0))
        let full = rig.desk.wouldDecide(request, at: moment(rig.now))
        #expect(full.obstacles.map(\.code) == [.auditUnavailable])
        rig.take(.draining)
        let both = rig.desk.wouldDecide(request, at: moment(rig.now))
        #expect(both.obstacles.map(\.code) == [.draining, .auditUnavailable])
        #expect(both.verdict == .refuse(both.obstacles))
        #expect(both.candidates.map(\.refusals) == [[]])
    }

    @Test("a peer that was only called, or whose route was ended, is no provider that may be picked")
    func onlyCalled() {
        var rig = DeskRig()
        _ = rig.call("B")
        func isProvider() -> [Bool] {
            rig.desk.routes(at: moment(rig.now)).filter { $0.node == node(1) }.map(\.isProvider)
        }
        #expect(isProvider() == [true])
        rig.routes = [:]
        rig.publish()
        #expect(isProvider() == [false])
    }
}
