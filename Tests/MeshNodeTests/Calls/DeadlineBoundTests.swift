import MeshBase
import Testing

@testable import MeshNode

@Suite("The time of a call")
struct DeadlineBoundTests {
    @Test(
        "is what it asks for, ten minutes at most, ten seconds when it asks for nothing",
        arguments: [(nil, 10_000), (.seconds(600), 600_000), (.seconds(601), 600_000)]
            as [(Duration?, Int64)])
    func deadline(asked: Duration?, milliseconds: Int64) {
        var rig = DeskRig()
        rig.take(.linkWentDown(node(1)))
        let id = rig.call("B", deadline: asked)
        rig.pass(milliseconds - 1)
        #expect(rig.refusal(of: id) == nil)
        rig.pass(2)
        #expect(rig.refusal(of: id)?.last == .deadlineExceeded)
    }
}
