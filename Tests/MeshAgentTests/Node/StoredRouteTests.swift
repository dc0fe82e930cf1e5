import MeshBase
import MeshNode
import MeshRouting
import MeshStore
import Testing

@testable import MeshAgent

@Suite("What was said of routes, over a restart")
struct StoredRouteTests {
    private let orders = ResourceName("orders")!

    private func node(_ number: UInt8) -> NodeID {
        NodeID(Digest([UInt8](repeating: number, count: 32))!)
    }

    @Test func `each thing comes back as it was said, alone and with the others`() throws {
        let label = ResourceLabel(key: ResourceName("region")!, value: "eu")
        let preference = LabelPreference(label: label, factor: WeightFactor("1/4")!)
        let terms: [RouteTerm] = [
            .via([RouteProvider(node(1), weight: 3), RouteProvider(node(2))]), .prefer([preference]),
            .preferNode(node(1)), .order(.spread), .hedge(.percentile(95)),
        ]
        var all = RouteRule()
        for term in terms {
            var alone = RouteRule()
            alone.take(term)
            all.take(term)
            for rule in [alone, all] { #expect(try restored(rule) == rule) }
        }
        let nothing = try StoredNode.changes(
            for: .route(orders, RouteRule()), at: WallTime(milliseconds: 0))
        #expect(nothing == [.removeRoute(orders)])
    }

    private func restored(_ rule: RouteRule) throws -> RouteRule? {
        var state = StoredState()
        for change in try StoredNode.changes(for: .route(orders, rule), at: WallTime(milliseconds: 0)) {
            guard case .putRoute(let row) = change else { continue }
            state.routes.append(row)
        }
        return try StoredNode.restored(from: state).routes.first?.rule
    }
}
