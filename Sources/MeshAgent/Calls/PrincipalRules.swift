import MeshBase
import MeshGateway

/// Who an application is (product page, the local gateway): on the Unix socket the kernel's word for its user
/// decides, on the port it is `local`; what it claims counts only where the operator lets that caller name
/// it.
struct PrincipalRules: Sendable {
    private let gateway: AgentConfiguration.Gateway

    init(_ gateway: AgentConfiguration.Gateway) { self.gateway = gateway }

    func principal(of transport: GatewayTransport, claiming claimed: Principal?) -> Ruling<Principal> {
        let caller: AgentConfiguration.Caller
        let own: Principal
        switch transport {
        case .port: (caller, own) = (.port, .local)
        case .unixSocket(nil):
            return .refused(Refusal(.principalRefused, [Fact("caller", "the kernel does not say who it is")]))
        case .unixSocket(let uid?): (caller, own) = (.user(uid), gateway.users[uid] ?? .local)
        }
        guard let claimed, claimed != own else { return .allowed(own) }
        let allowed = gateway.principals[caller] ?? []
        guard allowed.contains(claimed) else {
            let names = allowed.isEmpty ? "none" : allowed.map(\.description).joined(separator: ", ")
            return .refused(
                Refusal(
                    .principalRefused,
                    [Fact("caller", own), Fact("claimed", claimed), Fact("may claim", names)]))
        }
        return .allowed(claimed)
    }
}
