import MeshAgreements
import MeshAudit
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshTrust

/// What travels in `document` frames: before a link is admitted handshake messages only, afterwards all
/// others.
public enum LinkDocument: Equatable, Sendable {
    /// Part of the challenge-response.
    case handshake(HandshakeMessage)
    /// What the sender decided about the receiver.
    case trust(TrustNotice)
    /// About the credentials of either.
    case domain(DomainMessage)
    /// Where the sender listens, so that the receiver can redial it.
    case listening(ListeningNotice)
    /// Whether the sender needs the link.
    case need(NeedNotice)
    /// The sender leaves; the link ends behind it.
    case goodbye(Goodbye)
    /// About the registry of the two.
    case gossip(GossipMessage)
    /// Heads of others in the domain of the two.
    case relay(Relay)
    /// About an agreement of the two.
    case agreement(AgreementMessage)
    /// About the agreements of either's domain.
    case domainAgreement(DomainAgreementMessage<CredentialChain>)
    /// What the sender believes about the two.
    case beliefs(BeliefReport)
    /// Asks the receiver to dial where the sender listens.
    case reachRequest(ReachRequest)
    /// What those dials came to.
    case reachAnswer(ReachAnswer)
    /// Asks for the receiver's half of a call.
    case traceRequest(TraceRequest)
    /// The sender's half of a call: only events in which the receiver is source or target.
    case traceAnswer(TraceAnswer)
}

/// Heads that the sender holds of other members of the domain that it shares with the receiver.
public struct Relay: Codable, Equatable, Sendable {
    /// As many as surely fit a frame, at least one.
    public let heads: [Passed]

    /// One of them.
    public struct Passed: Codable, Equatable, Sendable {
        /// What the owner signed, and what lies under it.
        public let push: HeadPush
        /// What proves that the owner is a member; nil where the receiver knows it.
        public let proof: MemberProof?

        public init(push: HeadPush, proof: MemberProof?) {
            self.push = push
            self.proof = proof
        }
    }

    /// Bytes of the heads in one document: with what stands round them they fit a frame.
    static let bytesMax = 60 * 1024

    public init(heads: [Passed]) { self.heads = heads }
}

/// Where a node listens, told to its trusted peers on each link: whoever was dialled can dial back after a
/// restart.
public struct ListeningNotice: Codable, Equatable, Sendable {
    /// The link port, at the address from which the link comes; 1 ... 65535.
    public let port: UInt16
    /// Addresses that the operator named besides, at most `ListeningNotice.advertisedMax`.
    public let advertised: [Endpoint]

    /// As many as are told and believed.
    public static let advertisedMax = 4

    public init(port: UInt16, advertised: [Endpoint]) {
        self.port = port
        self.advertised = Array(advertised.prefix(Self.advertisedMax))
    }
}

/// A node leaves the mesh, in order: what its peers see next is no failure.
public struct Goodbye: Codable, Equatable, Sendable {
    /// Until when.
    public let until: Return

    public init(until: Return) { self.until = until }
}

/// Whether a node needs the link over which it says so (`Overlay`).
public struct NeedNotice: Codable, Equatable, Sendable {
    /// Whether it does.
    public let need: LinkNeed

    public init(need: LinkNeed) { self.need = need }
}

/// Asks for what the other side recorded of one call, or under one handshake's reference.
public struct TraceRequest: Codable, Equatable, Sendable {
    /// Ties the answer to the question, within one link.
    public let number: Int64
    /// Which call.
    public let correlation: CorrelationID

    /// Questions of one peer that may wait for the audit; an operator asks one at a time.
    static let underWayMax = 4
}

/// What this side recorded, as far as the asker took part.
public struct TraceAnswer: Codable, Equatable, Sendable {
    /// The question's.
    public let number: Int64
    /// At most `TraceAnswer.eventLimit`, by rising time.
    public let events: [AuditEvent]

    /// As many events as are told.
    public static let eventLimit = 16
    /// Bytes of the events told: with what stands round them they fit a frame.
    static let bytesMax = 48 * 1024
}
