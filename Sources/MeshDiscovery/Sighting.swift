import MeshBase

/// Names one sighting among all: its witness, and what that witness calls it.
public struct SightingKey: Hashable, Sendable, Comparable {
    /// Who saw it.
    public let witness: Witness
    /// What the witness calls it, the same at each repetition: instance and address family for mDNS, the
    /// entry for the static list, the service's ID for Consul. At most `sourceLengthInBytes`; a longer one is
    /// not admitted.
    public let source: String

    /// The bound on `source`: a DNS name's length.
    public static let sourceLengthInBytes = 255

    public init(witness: Witness, source: String) {
        self.witness = witness
        self.source = source
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.witness, left.source) < (right.witness, right.source)
    }
}

/// A hint that a peer may be somewhere. It is never proof: who is there shows only after the handshake.
public struct Sighting: Hashable, Sendable {
    /// Whom a sighting says it is of.
    public enum Claim: Hashable, Sendable {
        /// It does not say.
        case nobody
        /// The tag that a node hides behind; only who holds its node ID knows whose it is.
        case tag(SightingTag)
        /// A node ID.
        case node(NodeID)
    }

    /// Which sighting this is; a later one with the same key replaces it.
    public let key: SightingKey
    /// Where; only the first `Limits.endpointsPerPeer` count, and none with port 0.
    public let endpoints: [Endpoint]
    /// Of whom.
    public let claim: Claim
    /// How long it holds without being repeated; nil until it is withdrawn.
    public let life: Duration?
    /// The name under which its operator waits for somebody to pair with, by its own word; nil when it says
    /// nothing of that.
    public let pairing: NodeName?

    public init(
        key: SightingKey, endpoints: [Endpoint], claim: Claim, life: Duration?, pairing: NodeName? = nil
    ) {
        self.key = key
        self.endpoints = Array(endpoints.filter { $0.port > 0 }.prefix(Limits.endpointsPerPeer))
        self.claim = claim
        self.life = life
        self.pairing = pairing
    }
}
