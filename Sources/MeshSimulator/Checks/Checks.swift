import MeshBase
import MeshNode
import MeshRouting

/// What the world has seen, held against what must hold. The checkers believe no node: they see what nodes
/// order and what arrives.
struct Checks: Sendable {
    private(set) var violations: [Violation] = []
    var trust = TrustCheck()
    var gossip = GossipCheck()
    var calls = CallCheck()
    var audit = AuditCheck()
    var domains = DomainCheck()
    var quiet = QuietCheck()
    var usage = UsageCheck()
    private var requestsMade: UInt64 = 0

    /// The only invariant that is looked at; nil: all are. A lie may break several, and the run ends when it
    /// has seen enough of one before another comes about.
    var sought: Invariant?

    var isFull: Bool { violations.count >= Violation.countMax }

    /// Keeps the first breaches.
    mutating func add(_ violation: Violation) {
        if !isFull, sought == nil || sought == violation.invariant { violations.append(violation) }
    }

    mutating func newRequest() -> RequestID {
        requestsMade += 1
        return RequestID(requestsMade)
    }

    mutating func begin(_ run: RunID) { calls.begin(run) }

    /// A run is over; answers how many requests it leaves unanswered.
    mutating func end(_ run: RunID) -> Int {
        usage.end(run)
        return calls.end(run)
    }
}

/// How this world lies on purpose, to see the checkers find it.
enum Tampering: String, Sendable, CaseIterable {
    /// The store takes at start for trusted what was revoked.
    case revocationsForgotten
    /// A restart finds fewer records in the journal than were written.
    case recordsForgotten
    /// The store keeps no idempotency keys.
    case keysForgotten
    /// The store finds no heads at start.
    case headsForgotten
    /// The store does not keep what peers tell.
    case catalogUnkept
    /// The store does not keep agreements.
    case agreementsUnkept
    /// The store keeps agreements, and nothing of who approved them.
    case approvalsUnkept
    /// The store keeps agreements of domains, and not the signature of who accepted them.
    case acceptancesUnkept
    /// The store forgets at start who used an invite.
    case invitesForgotten
    /// The store finds at start one agreement fewer with each peer.
    case oneAgreementForgotten
    /// Every answer reaches the application twice.
    case answersDoubled
    /// Heads are brought to somebody else.
    case headsMisdelivered
    /// Nothing that is cut is mended at the end.
    case neverHealed
    /// A relay has stolen both ends' TLS keys at once.
    case bothKeysStolen
    /// Alarms ring, and nobody is told.
    case alarmsUnheard
    /// The store forgets at start which run of each peer was the last.
    case bootsForgotten
    /// Connections that a node closes stay open.
    case closesIgnored
    /// Who is told two things under one number never hears the second.
    case contradictionsLost
    /// The store finds at start no use of a token.
    case tokenUsesForgotten
    /// The store does not keep the credentials of others.
    case credentialsUnkept
    /// Who should hold a token's record alone has its seed, too.
    case seedsStolen
    /// Days that pass while all machines sleep are seen by no node's clock.
    case daysUnseen
    /// Desks are told yes, whatever the policy engine said.
    case enginesOverheard
    /// The store finds at start nothing used of agreements' quotas.
    case metersForgotten
    /// Who revokes an agreement that cuts calls goes on with them.
    case cutsIgnored
    /// What is kept of an answer is what another principal was told.
    case keptMixedUp
    /// Relays carry for whoever asks, to whoever has a link.
    case relaysOpen
    /// Desks send in clear what they were to seal.
    case payloadsClear
    /// With each ping comes a list that the node did not send: it holds nothing of the other's.
    case listsForged
    /// With each link that comes up comes a list that the node did not send.
    case greetingsForged
    /// The store does not keep what is decided about other domains.
    case decisionsUnkept
    /// The agent does not hear which roles an operator named of a partner.
    case rolesUntold
    /// Pretenders have the anchor's key of the other domain.
    case anchorsStolen
    /// A link that is put to rest ends at once, whatever is under way on it.
    case drainsCut
}
