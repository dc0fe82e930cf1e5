import MeshBase

/// What reading the configuration again changed.
public struct ReloadReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// In force now.
    public var applied: [ConfigurationDifference]
    /// In force after a restart only.
    public var waiting: [ConfigurationDifference]

    public init(applied: [ConfigurationDifference], waiting: [ConfigurationDifference]) {
        self.applied = applied
        self.waiting = waiting
    }
}

/// A value that is not as it was.
public struct ConfigurationDifference: Codable, Equatable, Sendable {
    /// Its name, as in `config.yaml`.
    public var key: String
    /// By which the agent ran when it was asked.
    public var before: String
    /// What is configured now.
    public var after: String
    /// Where that comes from.
    public var origin: String

    public init(key: String, before: String, after: String, origin: String) {
        self.key = key
        self.before = before
        self.after = after
        self.origin = origin
    }
}

/// How much an agent says; each level includes those behind it.
public enum LogLevel: String, Codable, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error
}

/// How much an agent says now.
public struct LogReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// The least that is said.
    public var level: LogLevel
    /// What `log.level` says.
    public var configured: LogLevel
    /// Whether `level` was ordered while the agent runs.
    public var isOrdered: Bool
    /// Until when the order holds; nil without one, and until the agent ends.
    public var until: Timestamp?

    public init(level: LogLevel, configured: LogLevel, isOrdered: Bool, until: Timestamp?) {
        self.level = level
        self.configured = configured
        self.isOrdered = isOrdered
        self.until = until
    }
}

/// A backup that was made, or restored.
public struct BackupReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// The file.
    public var file: String
    /// Its length; nil where it was read.
    public var bytes: Int64?
    /// The home.
    public var home: String
    /// Whose home it is.
    public var node: NodeID
    /// What that node called itself.
    public var name: NodeName
    /// Of which moment the backup is.
    public var made: Timestamp

    public init(
        file: String, bytes: Int64? = nil, home: String, node: NodeID, name: NodeName, made: Timestamp
    ) {
        self.file = file
        self.bytes = bytes
        self.home = home
        self.node = node
        self.name = name
        self.made = made
    }
}

/// What leaving the mesh cuts.
public struct LeaveReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// Whether trust ends on both sides.
    public var forGood: Bool
    /// Peers with a link, which hear of it.
    public var told: [NodeName]
    /// Peers without a link, which do not.
    public var unreached: [NodeName]
    /// Agreements that hold now.
    public var agreements: Int
    /// What of this node's is offered to somebody.
    public var resources: [ResourceName]

    public init(
        forGood: Bool, told: [NodeName], unreached: [NodeName], agreements: Int, resources: [ResourceName]
    ) {
        self.forGood = forGood
        self.told = told
        self.unreached = unreached
        self.agreements = agreements
        self.resources = resources
    }
}
