import ArgumentParser
import MeshBase
import MeshControl

struct Route: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "How calls to one resource go where the router picks the provider.",
        discussion: """
            Each option says one thing and takes it back when it is empty; the others stay. Without any, it
            says how it is.

            --via names the peers that count as providers. Members of this node's domain that offer the name
            to the domain are providers without it; a peer that merely offers the name is never one.
            PEER:WEIGHT is taken as if it were WEIGHT times as fast, 1 to 100.

            --prefer multiplies the weights of providers whose resource bears a label (`comity find` shows
            them): where they are, what they cost. A factor is 1 to 100, or 1/2 to 1/100; of several labels
            with one key the least counts. A label is what the provider says of itself.

            --prefer-node names a peer; this node comes first without it.

            --hedge p95 sends a call of a capability that is declared safe to a second provider as well, when
            the first has not begun its answer within the time that 95 of 100 of its answers took; --hedge
            200ms within that time. The first answer counts. --hedge off ends it.

            Example: comity route orders --via bakery:3,mill --prefer region=eu:10,cost=high:1/4
            """)
    @OptionGroup var facts: FactOptions
    @Argument(help: "The resource's name at all of its providers.") var resource: ResourceName
    @Option(help: ArgumentHelp("Who provides it, joined by commas.", valueName: "peer[:weight],...")) var via:
        String?
    @Option(help: ArgumentHelp("Labels that count, joined by commas.", valueName: "key=value:factor,..."))
    var prefer: String?
    @Option(help: ArgumentHelp("Who takes every call for as long as it is ready.", valueName: "peer"))
    var preferNode: String?
    @Flag(help: "Whether this node comes first where it provides it, or is weighed like the others.")
    var order: RouteOrder?
    @Option(
        help: ArgumentHelp(
            "After how long a safe call goes to a second provider as well.", valueName: "p95|200ms|off"))
    var hedge: String?

    func run() async throws {
        let request = SetRoute.Request(
            resource: resource, via: try via?.split(separator: ",").map(Self.provider),
            prefer: try prefer?.split(separator: ",").map(Self.preference), preferNode: preferNode,
            order: order, hedge: hedge)
        try facts.show(try await facts.home.ask(SetRoute.self, request), RouteText.render)
    }

    /// Reads `peer` or `peer:weight`; no peer's name or ID has a colon.
    private static func provider(_ text: Substring) throws -> SetRoute.Provider {
        guard let colon = text.lastIndex(of: ":") else { return .init(peer: String(text)) }
        guard let weight = Int64(text[text.index(after: colon)...]) else {
            throw ValidationError("\(text): behind the colon stands a weight of 1 to \(Limits.routeWeight)")
        }
        return .init(peer: String(text[..<colon]), weight: weight)
    }

    /// Reads `key=value:factor`.
    private static func preference(_ text: Substring) throws -> LabelPreference {
        guard let colon = text.lastIndex(of: ":"),
            let label = ResourceLabel(argument: String(text[..<colon])),
            let factor = WeightFactor(text[text.index(after: colon)...])
        else {
            throw ValidationError(
                "\(text): a preference is key=value:factor, where a factor is 1 to \(Limits.routeWeight), or "
                    + "1/2 to 1/\(Limits.routeWeight)")
        }
        return LabelPreference(label: label, factor: factor)
    }
}

extension RouteOrder: EnumerableFlag {
    /// `--local-first` and `--spread`.
    public static func name(for value: RouteOrder) -> NameSpecification { .customLong(value.rawValue) }
}

struct Routes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "For each resource: candidates, score, breaker state and why.",
        discussion: "Example: comity routes")
    @OptionGroup var facts: FactOptions
    func run() async throws { try facts.show(try await facts.home.ask(ShowRoutes.self), RouteText.render) }
}
