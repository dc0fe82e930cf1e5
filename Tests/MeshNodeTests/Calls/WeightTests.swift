import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("How much the operator prefers a provider")
struct WeightTests {
    /// Calls `any` one after the other, each answered after its node's time, as often as that; how often each
    /// node was asked. What a node takes is learnt at first by name.
    private func share(_ weights: [NodeID: Int64], taking milliseconds: [NodeID: Int64]) -> [NodeID: Int] {
        var rig = DeskRig()
        rig.weights = weights
        rig.publish()
        func serve(_ rig: inout DeskRig) {
            guard let node = rig.sent.last?.1 else { return }
            rig.pass(milliseconds[node] ?? 0)
            rig.answerLast()
        }
        for peer in ["B", "C"] {
            rig.call(peer)
            serve(&rig)
        }
        rig.effects = []
        for _ in 0..<200 {
            rig.call("any")
            serve(&rig)
        }
        return Dictionary(rig.sent.map { ($0.1, 1) }, uniquingKeysWith: +)
    }

    @Test("a provider of greater weight is taken as if it were so many times as fast")
    func weight() {
        let (b, c) = (node(1), node(2))
        // The other is asked now and then: what was learnt of it fades.
        func favourite(_ weights: [NodeID: Int64], _ taking: [NodeID: Int64]) -> NodeID? {
            share(weights, taking: taking).first { $0.value >= 190 }?.key
        }
        // 20 against 30 ms: the faster is better, unless the slower one counts twice.
        #expect(favourite([:], [b: 20, c: 30]) == b)
        #expect(favourite([c: 2], [b: 20, c: 30]) == c)
        // 20 against 50 ms: twice is not enough, three times is.
        #expect(favourite([c: 2], [b: 20, c: 50]) == b)
        #expect(favourite([c: 3], [b: 20, c: 50]) == c)
    }

    @Test("the weight and the score with it are shown")
    func shown() {
        var rig = DeskRig()
        rig.weights = [node(2): 4]
        rig.publish()
        for peer in ["B", "C"] {
            rig.call(peer)
            rig.pass(20)
            rig.answerLast()
        }
        let routes = rig.desk.routes(at: moment(rig.now)).filter { $0.resource == resource("orders") }
        #expect(routes.map(\.weight) == [.even, RouteWeight(times: 4)])
        #expect(routes[0].score > 3 * routes[1].score)
    }
}
