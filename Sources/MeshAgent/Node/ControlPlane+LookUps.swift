import Logging
import MeshAudit
import MeshNode
import MeshStore

// What a peer asks of the audit is looked up beside everything else.
extension ControlPlane {
    /// Finds this node's half of a call; what comes of it comes back as an input.
    func look(up lookUp: LookUp) {
        Task { [trail, inputs, log] in
            do throws(StoreError) {
                inputs.post(
                    .lookedUp(lookUp, try await trail.half(of: lookUp.correlation, for: lookUp.asker)))
            } catch {
                log.error("the audit cannot be read", metadata: ["cause": "\(error)"])
                inputs.post(.lookedUp(lookUp, []))
            }
        }
    }
}
