import MeshAgreements
import MeshBase
import MeshControl
import MeshTrust
import Synchronization

// A node that leaves.
extension ControlHandlers {
    /// What leaving cuts, and, unless only that is asked, the order to leave: the agent lets what is under
    /// way end, tells its peers, and stops.
    func leave(_ request: LeaveMesh.Request) async -> LeaveReport {
        let report = await plane.report { writer in
            let known = writer.node.trust.pins.peers.values.filter { $0.state != .revoked }
            let linked = known.filter { writer.node.gossip.link(with: $0.node) != nil }
            let living = writer.agreements.filter { $0.state == .active || $0.state == .early }
            return LeaveReport(
                forGood: request.forGood, told: linked.map(\.name),
                unreached: known.filter { writer.node.gossip.link(with: $0.node) == nil }.map(\.name),
                agreements: living.count,
                resources: writer.resources.filter { !$0.offeredTo.isEmpty }.map(\.description.name))
        }
        guard !request.onlyTell else { return report }
        surroundings.departure.withLock { $0 = request.forGood ? .never : .started }
        _ = stop()
        return report
    }
}
