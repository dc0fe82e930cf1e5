import MeshBase

/// Reads the configuration again, and puts into force what can change while the agent runs. With any mistake
/// in it nothing changes.
public enum ReloadConfiguration: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = ReloadReport
    public static let path = "configuration/reload"
}

/// How much the agent says from now on, or, without a level, how much it says.
public enum SetLogLevel: ControlOperation {
    /// Which level, and for how long.
    public struct Request: Codable, Equatable, Sendable {
        /// Nil: only tell.
        public var level: LogLevel?
        /// Seconds until the configured level holds again, 1 ... 2 592 000; nil: until the agent ends.
        public var seconds: Int64?
        public init(level: LogLevel?, seconds: Int64?) {
            self.level = level
            self.seconds = seconds
        }
    }
    public typealias Response = LogReport
    public static let path = "log/level"
}

/// Copies the home as it is at one moment into a folder inside it. Whoever asked packs and removes it.
public enum MakeSnapshot: ControlOperation {
    public typealias Request = Nothing
    /// Where the copy is, and what of.
    public struct Response: Codable, Equatable, Sendable {
        /// A folder in the home, its owner's alone.
        public var folder: String
        /// Whose home it is.
        public var node: NodeID
        /// What that node calls itself.
        public var name: NodeName
        /// The moment.
        public var made: Timestamp
        public init(folder: String, node: NodeID, name: NodeName, made: Timestamp) {
            self.folder = folder
            self.node = node
            self.name = name
            self.made = made
        }
    }
    public static let path = "backup/snapshot"
}

/// Leaves the mesh in order: peers are told, then the agent stops. Answered before it does.
public enum LeaveMesh: ControlOperation {
    /// Whether for good, and whether only to tell what it would cut.
    public struct Request: Codable, Equatable, Sendable {
        /// Whether trust ends on both sides.
        public var forGood: Bool
        /// Whether nothing is done.
        public var onlyTell: Bool
        public init(forGood: Bool, onlyTell: Bool) {
            self.forGood = forGood
            self.onlyTell = onlyTell
        }
    }
    public typealias Response = LeaveReport
    public static let path = "leave"
}
