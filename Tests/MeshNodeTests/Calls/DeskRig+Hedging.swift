import MeshBase
import MeshRouting

@testable import MeshNode

// A desk whose slow calls are hedged, and what its two attempts leave behind.
extension DeskRig {
    /// B is asked first.
    static func hedged(
        _ hedge: String? = "100ms", _ edit: (inout DeskRig) -> Void = { _ in }
    ) -> DeskRig {
        var rig = DeskRig()
        rig.said = [.preferNode(node(1)), .hedge(hedge.map { HedgeTime($0)! })]
        edit(&rig)
        rig.publish()
        rig.effects = []
        return rig
    }

    /// Attempts that were given up.
    var abandoned: [AttemptID] { effects.compactMap { if case .abandon(let id) = $0 { id } else { nil } } }

    /// Whether nothing is left of its calls, and the audit tells all of them.
    var isSound: Bool {
        ledger.problems.isEmpty && ledger.open.isEmpty && desk.load == (0, 0) && desk.attempts.isEmpty
            && desk.routes(at: moment(now)).allSatisfy { $0.inFlight == 0 }
    }
}
