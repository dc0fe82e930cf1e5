import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

/// What the operator says about the providers of a resource, over the control sockets of two agents.
@Suite("How calls go, asked over the control API", .serialized)
struct ControlRouteTests {
    private let orders = ResourceName("orders")!
    private let near = LabelPreference(
        label: ResourceLabel(key: ResourceName("region")!, value: "eu"), factor: WeightFactor(times: 10))

    /// The miller is offered `orders` of the baker, which is in the region `eu`.
    private func withOffer(_ body: @escaping @Sendable (ControlClient, ControlClient) async throws -> Void)
        async throws
    {
        let (orders, near) = (orders, near)
        try await AgentPair.with { baker, miller in
            let invite = try await baker.ask(CreateInvite.self, .init(expiresSeconds: 600, ask: false))
            _ = try await AgentPair.join(miller, invite.line)
            _ = try await baker.ask(
                AddResource.self,
                .init(
                    name: orders, url: "http://127.0.0.1:9", capabilities: [], labels: [near.label],
                    offerTo: ["miller"], offerSeconds: 600, timeoutMilliseconds: nil))
            var found = CatalogReport(entries: [])
            for _ in 0..<100 where found.entries.isEmpty {
                try await Task.sleep(for: .milliseconds(50))
                found = try await miller.ask(FindResources.self, .init(query: nil, labels: [near.label]))
            }
            #expect(found.entries.map(\.provider.name) == [NodeName("baker")])
            try await body(baker, miller)
        }
    }

    @Test func `each thing is said by itself, shown with what it does, and taken back`() async throws {
        try await withOffer { _, miller in
            _ = try await miller.ask(
                SetRoute.self, .init(resource: orders, via: [.init(peer: "baker", weight: 3)]))
            _ = try await miller.ask(SetRoute.self, .init(resource: orders, prefer: [near]))
            _ = try await miller.ask(SetRoute.self, .init(resource: orders, preferNode: "baker"))
            _ = try await miller.ask(SetRoute.self, .init(resource: orders, hedge: "200ms"))
            let all = try await miller.ask(SetRoute.self, .init(resource: orders, order: .spread))
            #expect(all.hedge == .milliseconds(200))
            #expect(all.candidates.map(\.hedgeAfterMilliseconds) == [200])
            #expect(all.prefer == [near] && all.order == .spread)
            #expect(all.preferred?.name == NodeName("baker"))
            #expect(all.candidates.map(\.weight) == [3] && all.candidates.map(\.labels) == [[near]])
            #expect(all.candidates.map(\.wholeWeight) == [30])
            let shown = RouteText.render(
                all, Presentation(hasColour: false, width: 140, now: WallTime(milliseconds: 0)))
            #expect(shown.contains("comes first, weight 30 = 3 x region=eu:10"), "\(shown)")
            #expect(shown.contains("while baker is ready, it takes every call"), "\(shown)")
            #expect(shown.contains("hedged after 200 ms"), "\(shown)")
            let listed = try await miller.ask(ShowRoutes.self)
            #expect(listed.routes.first { $0.resource == orders } == all)
            let less = try await miller.ask(
                SetRoute.self,
                .init(resource: orders, prefer: [], preferNode: "", order: .localFirst, hedge: "off"))
            #expect(less.prefer.isEmpty && less.preferred == nil && less.order == .localFirst)
            #expect(less.hedge == nil && less.candidates.allSatisfy { $0.hedgeAfterMilliseconds == nil })
            let odd = await #expect(throws: ControlFailure.self) {
                try await miller.ask(SetRoute.self, .init(resource: orders, hedge: "p100"))
            }
            #expect(odd?.kind == .usage)
            #expect(less.candidates.map(\.weight) == [3] && less.candidates.map(\.isProvider) == [true])
            let none = try await miller.ask(
                SetRoute.self, .init(resource: orders, via: [], preferNode: "baker"))
            #expect(none.candidates.allSatisfy { !$0.isProvider })
            let vain = RouteText.render(
                none, Presentation(hasColour: false, width: 100, now: WallTime(milliseconds: 0)))
            #expect(vain.contains("baker is preferred to all, and is no provider"), "\(vain)")
        }
    }

    @Test func `eight labels are preferred, and not one more`() async throws {
        try await withOffer { _, miller in
            func preferences(_ count: Int) -> [LabelPreference] {
                (0..<count).map {
                    LabelPreference(
                        label: ResourceLabel(key: ResourceName("k\($0)")!, value: "v"),
                        factor: WeightFactor(times: 2))
                }
            }
            let eight = try await miller.ask(
                SetRoute.self, .init(resource: orders, prefer: preferences(Limits.routePreferences)))
            #expect(eight.prefer.count == 8)
            let over = await #expect(throws: ControlFailure.self) {
                try await miller.ask(SetRoute.self, .init(resource: orders, prefer: preferences(9)))
            }
            #expect(over?.code == RefusalCode.limitReached.rawValue)
            let still = try await miller.ask(SetRoute.self, .init(resource: orders))
            #expect(still.prefer == eight.prefer)
        }
    }

    @Test func `what is no label, is said twice, or names nobody is refused, and nothing changes`()
        async throws
    {
        try await withOffer { _, miller in
            func refusal(prefer: [LabelPreference]? = nil, node: String? = nil) async -> ControlFailure? {
                await #expect(throws: ControlFailure.self) {
                    try await miller.ask(
                        SetRoute.self, .init(resource: orders, prefer: prefer, preferNode: node))
                }
            }
            #expect(await refusal(prefer: [near, near])?.kind == .usage)
            for value in ["two\nlines", String(repeating: "v", count: Limits.documentText + 1)] {
                let label = ResourceLabel(key: near.label.key, value: value)
                let odd = LabelPreference(label: label, factor: WeightFactor(times: 2))
                #expect(await refusal(prefer: [odd])?.kind == .usage)
            }
            #expect(await refusal(node: "nobody")?.code == RefusalCode.peerNotFound.rawValue)
            let still = try await miller.ask(SetRoute.self, .init(resource: orders))
            #expect(still.prefer.isEmpty && still.preferred == nil)
        }
    }
}
