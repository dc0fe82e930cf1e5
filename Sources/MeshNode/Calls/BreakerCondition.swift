import MeshBase
import MeshRouting

/// How calls to a node fare, by the breaker of its link and those of its resources; the number is that of
/// `federation_circuit_breaker_state`.
public enum BreakerCondition: Int, Sendable {
    /// All let calls pass.
    case closed = 0
    /// One lets none pass.
    case open = 1
    /// One lets a probe pass, none is open.
    case halfOpen = 2

    init(_ standing: Breaker.Standing) {
        self =
            switch standing {
            case .closed: .closed
            case .open: .open
            case .halfOpen, .probing: .halfOpen
            }
    }

    /// What both come to together.
    func joined(with other: BreakerCondition) -> BreakerCondition {
        if self == .open || other == .open { return .open }
        return self == .halfOpen || other == .halfOpen ? .halfOpen : .closed
    }
}

extension CallDesk {
    /// By node, as far as calls went there or there is a link to tell of.
    public func breakers(at now: Instant) -> OrderedTable<NodeID, BreakerCondition> {
        var conditions = OrderedTable<NodeID, BreakerCondition>()
        for (node, line) in routes.lines {
            conditions[node] = BreakerCondition(line.breaker.standing(at: now))
        }
        for (way, standing) in routes.ways {
            let condition = BreakerCondition(standing.breaker.standing(at: now))
            conditions[way.node] = conditions[way.node]?.joined(with: condition) ?? condition
        }
        return conditions
    }
}
