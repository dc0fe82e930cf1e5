import MeshBase

/// What another policy would have meant for the calls of this node's audit.
public struct ReplayReport: Codable, Equatable, Sendable {
    /// Calls that change alike.
    public struct Change: Codable, Equatable, Sendable {
        /// Which way.
        public enum Direction: String, Codable, Sendable, CaseIterable {
            /// Allowed before, refused after.
            case lost
            /// Refused before, allowed after.
            case gained
        }

        /// Which way.
        public var direction: Direction
        /// How many.
        public var calls: Int
        /// Who asked.
        public var caller: NodeReference
        /// Who there.
        public var principal: Principal
        /// Who was asked.
        public var callee: NodeReference
        /// For what.
        public var resource: ResourceName
        /// What of it.
        public var capability: ResourceName
        /// Why it is refused, before or after.
        public var code: RefusalCode
        /// Correlation ids of the newest, at most three.
        public var examples: [CorrelationID]

        public init(
            direction: Direction, calls: Int, caller: NodeReference, principal: Principal,
            callee: NodeReference, resource: ResourceName, capability: ResourceName, code: RefusalCode,
            examples: [CorrelationID]
        ) {
            self.direction = direction
            self.calls = calls
            self.caller = caller
            self.principal = principal
            self.callee = callee
            self.resource = resource
            self.capability = capability
            self.code = code
            self.examples = examples
        }
    }

    /// The version of this form: 1.
    public var version = 1
    /// From when calls were replayed.
    public var since: Timestamp
    /// What is compared first, in words: `what was decided then`, or an agreement's content id.
    public var before: String
    /// What is compared with it.
    public var after: String
    /// Attempts at calls that were decided twice.
    public var calls: Int
    /// Of these, allowed before and after.
    public var allowed: Int
    /// Refused before and after.
    public var refused: Int
    /// Allowed before, refused after.
    public var lost: Int
    /// Refused before, allowed after.
    public var gained: Int
    /// What changes, the most calls first.
    public var changes: [Change]
    /// Calls that change and found no place in `changes`.
    public var ungrouped: Int
    /// Events of calls that do not tell what decides: refusals that were summed up, or of an older agent.
    public var unreadable: Int
    /// Calls of this node to which a condition on networks applies: only the provider sees from where they
    /// come.
    public var unplaced: Int
    /// Calls that this node refused before they left: the other party does not know of them, so they are in
    /// none of the counts above.
    public var kept: Int
    /// Of these, allowed after.
    public var keptGained: Int
    /// Whether one of what is compared has a rate, a quota or a hop limit: none of them is replayed.
    public var leavesOutLimits: Bool
    /// Whether older calls were left out, because there are too many.
    public var isTruncated: Bool

    public init(
        since: Timestamp, before: String, after: String, calls: Int, allowed: Int, refused: Int, lost: Int,
        gained: Int, changes: [Change], ungrouped: Int, unreadable: Int, unplaced: Int,
        kept: Int = 0, keptGained: Int = 0, leavesOutLimits: Bool = false, isTruncated: Bool
    ) {
        self.since = since
        self.before = before
        self.after = after
        self.calls = calls
        self.allowed = allowed
        self.refused = refused
        self.lost = lost
        self.gained = gained
        self.changes = changes
        self.ungrouped = ungrouped
        self.unreadable = unreadable
        self.unplaced = unplaced
        self.kept = kept
        self.keptGained = keptGained
        self.leavesOutLimits = leavesOutLimits
        self.isTruncated = isTruncated
    }
}
