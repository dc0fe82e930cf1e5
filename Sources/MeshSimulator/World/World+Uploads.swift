import MeshAudit
import MeshBase
import MeshNode
import MeshRouting

// Requests whose bodies pass as they come: what the shells tell the desks of them, on both sides.
extension World {
    /// Times that a body moves before it ends.
    private static let steps = 4

    /// Some requests stream; which, their numbers say: no chance is drawn for it, so that all else of a seed
    /// stays as it was. None so late that it could outlast the simulation.
    func isUploadTime(_ id: RequestID) -> Bool { id.number % 4 == 0 && plan.end - time > .seconds(60) }

    /// A PUT whose body nobody knows the length of; every other one has a deadline of the application's own.
    func upload(_ id: RequestID, to target: CallTarget, within time: Duration) -> LocalRequest {
        LocalRequest(
            id: id, target: target, resource: Self.orders,
            form: .mesh(method: "PUT", path: "/item", query: nil), deadline: id.number % 8 == 0 ? time : nil,
            body: .streamed(length: nil))
    }

    /// The application sends on.
    mutating func upload(_ run: RunID, _ id: RequestID, step: Int) {
        guard isAlive(run), let request = checks.calls.request(id, of: run), !request.isLeft else { return }
        checks.calls.moved(id, of: run, at: time)
        if step == 2, id.number % 12 == 0 { call(run, .bodyLeft(id)) }
        guard step < Self.steps else {
            return call(run, .bodyEnded(id, BodySummary(length: 100_000, digest: nil)))
        }
        call(run, .bytesMoved(id))
        schedule(.upload(run, id, step: step + 1), after: .milliseconds(1_900))
    }

    /// The provider sees it come.
    mutating func receive(_ run: RunID, _ key: InboundKey, step: Int) {
        guard isAlive(run), hosts[run.host].agent?.inbound[key] != nil else { return }
        guard step < Self.steps else {
            return call(run, .serviceBodyEnded(key, BodySummary(length: 100_000, digest: nil)))
        }
        call(run, .serviceMoved(key))
        schedule(.receive(run, key, step: step + 1), after: .milliseconds(1_900))
    }
}
