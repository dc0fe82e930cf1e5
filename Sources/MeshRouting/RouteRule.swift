import MeshBase

/// What the operator said about calls to one resource of which the router picks the provider.
public struct RouteRule: Hashable, Sendable {
    /// Peers that count as providers besides this node and the members of its domain, in the operator's
    /// order, none twice.
    public var providers: [RouteProvider] { didSet { weights = Self.weights(of: providers) } }
    /// Of those whose weight is not 1.
    private var weights: [NodeID: Int64]
    /// By which labels providers are preferred: at most `Limits.routePreferences`, no label twice.
    public var preferences: [LabelPreference]
    /// Who takes every call for as long as it is ready; nil: nobody.
    public var preferred: NodeID?
    /// Who comes first among the others.
    public var order: RouteOrder
    /// After how long without an answer a safe call is sent to a second provider as well; nil: none is.
    public var hedge: HedgeTime?

    public init(
        providers: [RouteProvider] = [], preferences: [LabelPreference] = [], preferred: NodeID? = nil,
        order: RouteOrder = .localFirst, hedge: HedgeTime? = nil
    ) {
        self.providers = providers
        weights = Self.weights(of: providers)
        self.preferences = preferences
        self.preferred = preferred
        self.order = order
        self.hedge = hedge
    }

    /// Whether it says nothing.
    public var isEmpty: Bool { self == RouteRule() }

    /// Takes one thing that the operator said; what was said of other things stays.
    public mutating func take(_ term: RouteTerm) {
        switch term {
        case .via(let providers): self.providers = providers
        case .prefer(let preferences): self.preferences = preferences
        case .preferNode(let node): preferred = node
        case .order(let order): self.order = order
        case .hedge(let time): hedge = time
        }
    }

    private static func weights(of providers: [RouteProvider]) -> [NodeID: Int64] {
        Dictionary(providers.filter { $0.weight != 1 }.map { ($0.node, $0.weight) }) { first, _ in first }
    }

    /// Those of its preferences whose labels are among `labels`; of one key the least: who says that it is in
    /// every region gains nothing by that.
    public func matches(in labels: [ResourceLabel]) -> [LabelPreference] {
        var matches: [LabelPreference] = []
        for preference in preferences where labels.contains(preference.label) {
            if let place = matches.firstIndex(where: { $0.label.key == preference.label.key }) {
                if preference.factor < matches[place].factor { matches[place] = preference }
            } else {
                matches.append(preference)
            }
        }
        return matches
    }

    /// What the operator said of `node` by its name; 1: nothing.
    public func weight(of node: NodeID) -> Int64 { weights.isEmpty ? 1 : weights[node] ?? 1 }

    /// How much `node` is preferred, whose resource bears `labels`.
    public func weight(of node: NodeID, labels: [ResourceLabel]) -> RouteWeight {
        let weight = RouteWeight(times: weight(of: node))
        return preferences.isEmpty ? weight : weight.multiplied(by: matches(in: labels).map(\.factor))
    }
}

/// One thing that an operator says about calls to one resource.
public enum RouteTerm: Equatable, Sendable {
    /// These peers count as providers; none: no peer does.
    case via([RouteProvider])
    /// Providers are preferred by these labels; none: by no label.
    case prefer([LabelPreference])
    /// This one takes every call for as long as it is ready; nil: nobody does.
    case preferNode(NodeID?)
    /// Who comes first.
    case order(RouteOrder)
    /// After this long without an answer a second attempt follows; nil: none does.
    case hedge(HedgeTime?)
}

/// How much a provider is preferred: it is taken as if it were so many times as fast.
public struct RouteWeight: Hashable, Comparable, Sendable {
    /// 1 ... 1000 x `Limits.routeWeightSpan`.
    public let thousandths: Int64

    private static let most = Limits.routeWeightSpan * 1000
    /// Neither preferred nor avoided.
    public static let even = RouteWeight(times: 1)

    /// - Parameter times: 1 ... `Limits.routeWeight`.
    public init(times: Int64) { thousandths = min(max(times, 1) * 1000, Self.most) }

    private init(thousandths: Int64) { self.thousandths = min(max(thousandths, 1), Self.most) }

    /// All that multiply first, then all that divide, so that their order does not matter.
    public func multiplied(by factors: [WeightFactor]) -> RouteWeight {
        let product = factors.reduce(thousandths) { product, factor in
            let (more, isOver) = product.multipliedReportingOverflow(by: factor.times)
            return isOver ? .max : more
        }
        return RouteWeight(thousandths: factors.reduce(product) { $0 / $1.parts })
    }

    public static func < (left: Self, right: Self) -> Bool { left.thousandths < right.thousandths }
}

extension RouteWeight: CustomStringConvertible {
    /// `3`, `0.25`.
    public var description: String {
        let (whole, rest) = thousandths.quotientAndRemainder(dividingBy: 1000)
        guard rest > 0 else { return "\(whole)" }
        var digits = String(1000 + rest).dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}
