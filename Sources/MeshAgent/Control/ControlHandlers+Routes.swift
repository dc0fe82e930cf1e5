import Foundation
import MeshBase
import MeshControl
import MeshNode
import MeshRouting

// How calls go where the router picks the provider.
extension ControlHandlers {
    /// Changes what is said, and tells how it is.
    func setRoute(_ request: SetRoute.Request) async throws(ControlFailure) -> RouteReport {
        var terms: [RouteTerm] = []
        if let via = request.via { terms.append(.via(try await providers(via))) }
        if let prefer = request.prefer { terms.append(.prefer(try Self.preferences(prefer))) }
        if let name = request.preferNode {
            let node = name.isEmpty ? nil : try (await plane.report { $0.peer(name) }).orFail()
            terms.append(.preferNode(node))
        }
        if let order = request.order { terms.append(.order(order)) }
        if let hedge = request.hedge { terms.append(.hedge(try Self.hedgeTime(hedge))) }
        if !terms.isEmpty { try await self.order(.route(request.resource, terms)) }
        return await survey.route(of: request.resource)
    }

    private func providers(
        _ via: [SetRoute.Provider]
    ) async throws(ControlFailure) -> [RouteProvider] {
        if let over = via.first(where: { !(1...Limits.routeWeight).contains($0.weight) }) {
            throw .usage(
                "a weight is 1 to \(Limits.routeWeight)",
                [Fact("peer", String(over.peer.prefix(256))), Fact("weight", over.weight)])
        }
        var providers: [RouteProvider] = []
        for named in via {
            let peer = try (await plane.report { $0.peer(named.peer) }).orFail()
            guard !providers.contains(where: { $0.node == peer }) else { continue }
            providers.append(RouteProvider(peer, weight: named.weight))
        }
        return providers
    }

    private static func hedgeTime(_ text: String) throws(ControlFailure) -> HedgeTime? {
        if text.isEmpty || text == "off" { return nil }
        guard let time = HedgeTime(text) else {
            let (percent, most) = (Limits.hedgePercentiles, Limits.hedgeMilliseconds.upperBound / 1_000)
            throw .usage(
                "calls are hedged after a percentile, p\(percent.lowerBound) to p\(percent.upperBound), "
                    + "or after a time, 1ms to \(most)s",
                [Fact("given", String(text.prefix(64)))])
        }
        return time
    }

    private static func preferences(
        _ asked: [LabelPreference]
    ) throws(ControlFailure) -> [LabelPreference] {
        guard asked.count <= Limits.routePreferences else {
            throw ControlFailure(
                Refusal(
                    .limitReached, [Fact("labels", asked.count), Fact("limit", Limits.routePreferences)]))
        }
        // Labels stand in one form only (RFC 5198), whatever an operator types.
        let preferences = asked.map { preference in
            LabelPreference(
                label: ResourceLabel(
                    key: preference.label.key,
                    value: preference.label.value.precomposedStringWithCanonicalMapping),
                factor: preference.factor)
        }
        let labels = preferences.map(\.label)
        if let odd = labels.first(where: { $0.value.utf8.count > Limits.documentText || !$0.value.isPlain }) {
            throw .usage(
                "the value of a label is plain text of at most \(Limits.documentText) bytes",
                [Fact("label", odd.key), Fact("bytes", odd.value.utf8.count)])
        }
        if let twice = labels.first(where: { label in labels.count { $0 == label } > 1 }) {
            throw .usage(
                "a label is preferred by one weight", [Fact("label", "\(twice.key)=\(twice.value)")])
        }
        return preferences
    }
}
