import MeshBase

/// What a reader wants to see: entries for which everything holds that is asked.
public struct AuditQuery: Equatable, Sendable {
    /// Events of one call.
    public var correlation: CorrelationID?
    /// Events in which this node is source or target.
    public var node: NodeID?
    /// Who asked.
    public var principal: Principal?
    /// What was asked for.
    public var resource: ResourceName?
    /// Of this kind.
    public var type: AuditEventType?
    /// At or after this time.
    public var from: WallTime?
    /// Before this time.
    public var until: WallTime?
    /// Which ends are wanted.
    public var outcomes: AuditOutcomes
    /// How many at most, newest first. 1 ... `limitMax`.
    public var limit: Int

    /// The most entries that one query answers.
    public static let limitMax = 10_000

    public init(
        correlation: CorrelationID? = nil, node: NodeID? = nil, principal: Principal? = nil,
        resource: ResourceName? = nil, type: AuditEventType? = nil, from: WallTime? = nil,
        until: WallTime? = nil,
        outcomes: AuditOutcomes = .all, limit: Int = 100
    ) {
        self.correlation = correlation
        self.node = node
        self.principal = principal
        self.resource = resource
        self.type = type
        self.from = from
        self.until = until
        self.outcomes = outcomes
        self.limit = min(max(1, limit), Self.limitMax)
    }

    /// Whether `entry` is one of those.
    public func matches(_ entry: AuditEntry) -> Bool {
        let event = entry.event
        return (correlation == nil || correlation == event.correlation)
            && (node.map { event.isVisible(to: $0) } ?? true)
            && (principal == nil || principal == event.principal)
            && (resource == nil || resource == event.resource)
            && (type == nil || type == event.type)
            && (from.map { $0 <= event.time } ?? true)
            && (until.map { event.time < $0 } ?? true)
            && (outcomes == .all || entry.stage == .ended && !event.success)
    }
}

/// Which ends a reader wants.
public enum AuditOutcomes: String, Equatable, Sendable, Codable {
    /// Every one, and what is under way.
    case all
    /// Only what failed or was refused.
    case failures
}
