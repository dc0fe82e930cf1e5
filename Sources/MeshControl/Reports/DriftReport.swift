import MeshBase

/// What this node and a peer believe differently about the two of them.
public struct DriftReport: Codable, Equatable, Sendable {
    /// When it was first seen.
    public var since: Timestamp
    /// At least one, the weightiest first.
    public var differences: [Difference]

    public init(since: Timestamp, differences: [Difference]) {
        self.since = since
        self.differences = differences
    }

    /// One thing that the two believe differently.
    public struct Difference: Codable, Equatable, Sendable {
        /// What it is about.
        public var about: String
        /// What this node believes.
        public var here: String
        /// What the peer does.
        public var there: String

        public init(about: String, here: String, there: String) {
            self.about = about
            self.here = here
            self.there = there
        }
    }
}
