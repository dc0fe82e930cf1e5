import MeshBase

/// What `comity doctor` found.
public struct DoctorReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// The worst of the findings.
    public var level: DoctorFinding.Level
    /// In the order in which things rest on one another.
    public var findings: [DoctorFinding]

    public init(findings: [DoctorFinding]) {
        level = findings.map(\.level).max() ?? .ok
        self.findings = findings
    }
}

/// One thing that was looked at.
public struct DoctorFinding: Codable, Equatable, Sendable {
    /// What it means.
    public enum Level: String, Codable, Sendable, CaseIterable, Comparable {
        /// As it should be, or as it was asked for.
        case ok
        /// It works, and could fail; or it does not work and something else does.
        case advice
        /// It does not work.
        case trouble

        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .ok: 0
            case .advice: 1
            case .trouble: 2
            }
        }
    }

    /// What was looked at.
    public enum Area: String, Codable, Sendable, CaseIterable {
        case home
        case keys
        case store
        case policy
        case agent
        case ports
        case multicast
        case avahi
        case names
        case witnesses
        case clock
        case certificates
        case domain
        case reach
    }

    /// What was looked at.
    public var area: Area
    /// What it means.
    public var level: Level
    /// What was found, in one line.
    public var what: String
    /// What was compared or counted.
    public var facts: [Fact]
    /// The one command that would change it; nil when nothing needs to change.
    public var next: String?

    public init(_ area: Area, _ level: Level, _ what: String, _ facts: [Fact] = [], next: String? = nil) {
        self.area = area
        self.level = level
        self.what = what
        self.facts = facts
        self.next = next
    }
}
