import MeshBase

/// What the policy as it stands, or as it would stand, says of the calls that were made.
public enum TestPolicy: ControlOperation {
    /// Which calls, and what is changed about the policy.
    public struct Request: Codable, Equatable, Sendable {
        /// How far back, in seconds, above 0.
        public var seconds: Int64
        /// Only calls with this peer, by name or node ID; nil: with all.
        public var peer: String?
        /// Beginnings of content ids of agreements that count as in force.
        public var with: [String]
        /// Beginnings of content ids of agreements that count as ended.
        public var without: [String]

        public init(seconds: Int64, peer: String? = nil, with: [String] = [], without: [String] = []) {
            self.seconds = seconds
            self.peer = peer
            self.with = with
            self.without = without
        }
    }
    public typealias Response = ReplayReport
    public static let path = "policy/test"
}

/// What two agreements say of the calls that were made.
public enum ReplayAgreements: ControlOperation {
    /// Which two, and how far back.
    public struct Request: Codable, Equatable, Sendable {
        /// The first one's content id, or a beginning of it that only one has.
        public var first: String
        /// The second one's.
        public var second: String
        /// How far back, in seconds, above 0.
        public var seconds: Int64

        public init(first: String, second: String, seconds: Int64) {
            self.first = first
            self.second = second
            self.seconds = seconds
        }
    }
    public typealias Response = ReplayReport
    public static let path = "agreements/replay"
}
