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
