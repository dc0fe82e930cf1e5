import MeshBase
import MeshCredentials
import MeshDiscovery

/// What this node shows of itself wherever strangers may look: a version, and a tag that only those recognise
/// who hold this node's ID (protocol section 3). The same for every way to announce.
struct PublicTag: Sendable {
    /// How the pairs are called in TXT records and in Consul's metadata.
    static let versionKey = "v"
    static let tagKey = "t"
    /// While the operator waits for somebody to pair with: the node's name.
    static let pairingKey = "pair"
    private static let version = "1"

    private let node: NodeID

    init(of node: NodeID) { self.node = node }

    /// What to show now.
    var pairs: [(key: String, value: String)] {
        let hour = SightingTag.hour(of: SystemClock.now().wall)
        let tag = SightingTag(of: node, hour: hour, using: SystemSuite())
        return [(Self.versionKey, Self.version), (Self.tagKey, tag.description)]
    }

    /// How long it holds: until a second into the next hour.
    var life: Duration {
        .milliseconds(3_600_000 - SystemClock.now().wall.milliseconds % 3_600_000 + 1_000)
    }

    /// What a zone that people keep says of this node: nobody changes it every hour.
    var zoneText: String {
        let tag = SightingTag(standingFor: node, using: SystemSuite())
        return "\"\(Self.versionKey)=\(Self.version)\" \"\(Self.tagKey)=\(tag)\""
    }

    /// Whether `tag` is one of this node's.
    func isMine(_ tag: SightingTag) -> Bool {
        let suite = SystemSuite()
        let hour = SightingTag.hour(of: SystemClock.now().wall)
        return tag == SightingTag(standingFor: node, using: suite)
            || (hour - 1...hour + 1).contains { tag == SightingTag(of: node, hour: $0, using: suite) }
    }

    /// The tag that somebody shows; nil when it is none of our version.
    static func read(version: String?, tag: String?) -> SightingTag? {
        guard version == Self.version else { return nil }
        return tag.flatMap { SightingTag($0) }
    }
}
