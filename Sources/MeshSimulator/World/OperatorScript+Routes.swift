import MeshBase
import MeshNode
import MeshRouting
import MeshTrust

// What operators say about the providers of `orders`.
extension World {
    /// Names all that the host trusts, the later the more it weighs; and now and then says something else.
    mutating func route(_ host: Int) {
        guard let pins = hosts[host].agent?.node.trust.pins else { return }
        let trusted = script.providers.sorted().map { hosts[$0].node }.filter { pins.isTrusted($0) }
        guard !trusted.isEmpty else { return }
        let providers = trusted.enumerated().map { RouteProvider($1, weight: Int64($0 + 1)) }
        command(host, .route(Self.orders, [.via(providers)] + drawTerms(host, trusted)))
    }

    private mutating func drawTerms(_ host: Int, _ trusted: [NodeID]) -> [RouteTerm] {
        switch script.routes.number(below: 6) {
        case 0:
            let factor = WeightFactor(script.routes.number(below: 2) == 0 ? "10" : "1/10")
            return [
                .prefer(factor.map { [LabelPreference(label: Self.zone(of: host), factor: $0)] } ?? [])
            ]
        case 1:
            return [.preferNode(trusted[Int(script.routes.number(below: UInt64(trusted.count)))])]
        case 2: return [.order(.spread)]
        case 3: return [.prefer([]), .preferNode(nil), .order(.localFirst)]
        default: return []
        }
    }
}
