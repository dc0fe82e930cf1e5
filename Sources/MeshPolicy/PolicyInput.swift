import MeshBase
import MeshNode

/// What a rule finds under `input`: documented in `Docs/Operating/external-policy.md`; members are added,
/// never renamed.
struct PolicyInput: Encodable {
    struct Party: Encodable {
        let node: String
        let name: String?
        let roles: [String]?
        let address: String?
    }

    let side: String
    let caller: Party
    let callee: Party
    let principal: String
    let purpose: String?
    let resource: String
    let capability: String
    let safety: String
    let method: String
    let path: String
    let agreement: String
    let correlation: String
    let time: String

    init(_ question: ExternalQuestion, _ correlation: CorrelationID, at wall: WallTime) {
        let name = question.peerName.description
        let isProvider = question.side == .provider
        side = question.side.rawValue
        caller = Party(
            node: question.caller.description, name: isProvider ? name : nil,
            roles: isProvider ? question.callerRoles.map(\.description) : nil,
            address: question.callerAddress?.description)
        callee = Party(
            node: question.callee.description, name: isProvider ? nil : name, roles: nil, address: nil)
        principal = question.principal.description
        purpose = question.purpose?.description
        resource = question.resource.description
        capability = question.capability.description
        safety = question.safety.rawValue
        method = question.method
        path = question.path
        agreement = question.agreement.description
        self.correlation = correlation.description
        time = RFC3339.text(wall)
    }
}
