import MeshBase

/// What became of a run.
public struct SimulationReport: Equatable, Sendable {
    /// What was run.
    public let plan: SimulationPlan
    /// 64 hexadecimal digits over everything that was delivered and ordered: the same in every process.
    public let digest: String
    /// What was broken, the first first; at most `Violation.countMax`.
    public let violations: [Violation]
    /// What happened, in numbers.
    public let statistics: SimulationStatistics

    /// The command that runs it again.
    public var replay: String {
        let faults = plan.faults.isEmpty ? "none" : plan.faults.map(\.rawValue).joined(separator: ",")
        let seconds = plan.duration.wholeMilliseconds / 1_000
        return "comity sim --seed \(plan.seed) --nodes \(plan.nodes) --seconds \(seconds) "
            + "--domain \(plan.domain.rawValue) --links \(plan.links.rawValue) "
            + "--audiences \(plan.audiences.rawValue) --relays \(plan.relays.rawValue) --faults \(faults)"
    }
}

/// One breach of what must hold.
public struct Violation: Equatable, Sendable, CustomStringConvertible {
    /// What must hold.
    public let invariant: Invariant
    /// When it was seen, since the run began.
    public let at: Duration
    /// Who and what, with the values compared.
    public let text: String

    /// A run ends when it has seen as many.
    public static let countMax = 20

    /// One line.
    public var description: String { "\(at.wholeMilliseconds) ms: \(invariant.rawValue): \(text)" }
}

/// What must hold (protocol section 11).
public enum Invariant: String, Sendable, CaseIterable, Hashable {
    /// Who trusts somebody has both sides' grants under one transcript.
    case bothGranted = "trust rests on both grants under one transcript"
    /// No link with who lacks the identity key.
    case linkProved = "a link is with who holds the identity key"
    /// A revoked key never comes back.
    case revokedIsFinal = "revoked is final"
    /// One invite, one key.
    case inviteServesOne = "an invite serves one key"
    /// Who holds other agreements than the other side says so, and honest stores hold none.
    case agreedAlike = "both sides hold the same agreements, or say that they do not"
    /// Only the pair is told of the pair.
    case audienceKept = "nothing leaves the audience"
    /// Accepted heads rise.
    case headsRise = "accepted heads rise"
    /// No head is dated far ahead.
    case headsNotAhead = "no head is more than 300 s ahead"
    /// Nothing over is served.
    case nothingExpired = "nothing expired is served"
    /// Honest nodes do nothing that convicts.
    case honestUnconvicted = "no honest node is convicted"
    /// After heal, links are up.
    case linksReturn = "links return within 20 s"
    /// After heal, nobody is cut off.
    case meshHolds = "kept links hold all members together"
    /// Links are closed for want of use only with nothing on them.
    case restLosesNothing = "a link put to rest takes no call with it"
    /// After heal, both sides hold the same.
    case headsConverge = "heads are equal within 60 s"
    /// One probe at a time.
    case oneProbe = "one probe in half-open"
    /// Retries stay within their budget.
    case retryBudget = "retries stay within their budget"
    /// One key, one execution.
    case executedOnce = "one idempotency key is executed once"
    /// Nothing is attempted after its deadline.
    case withinDeadline = "no attempt after its deadline"
    /// What is kept is given to no other principal, as of no other node.
    case memoryApart = "an answer from memory was made for whoever gets it"
    /// Who carries a link has offered it to both its ends, and both can be sure of that.
    case carriedByRight = "links are carried only between who may use the relay"
    /// What is called is agreed.
    case agreementHonoured = "no agreement is honoured outside its terms"
    /// Under an agreement that wants it nothing leaves in clear, nor sealed to another than its provider.
    case payloadSealed = "payloads are sealed where that is agreed"
    /// Who belongs to a domain was let in, by a key that may, and in time.
    case credentialsGrounded = "membership rests on a credential by who may give it"
    /// What is over is over.
    case credentialsEnd = "no credential serves beyond its time"
    /// A token serves so many keys at an issuer, and no one else.
    case tokenServesFew = "a token serves no more keys than it says"
    /// After heal, members of one domain trust each other and hold the same.
    case membersConverge = "members trust each other and hold the same house agreement"
    /// What is counted stays within what was agreed.
    case quotaKept = "no quota is exceeded on either side"
    /// A revocation that cuts calls cuts them.
    case cutEnds = "no call stays under way under a revoked agreement that cuts it"
    /// Members of another domain are trusted when, and as far as, an operator said so.
    case partnersAsDecided = "across domains trust is as operators said, and nothing more"
    /// What a domain says of its keys is its own word, and never an older one.
    case bundlesRise = "a domain's bundles rise, by its own anchor, with its own keys"
    /// After heal, partners trust each other, and all hold the newest papers.
    case partnersConverge = "partners trust each other and hold the same papers"
    /// Attempts and calls are told once on each side.
    case toldOnce = "one event for each attempt and side"
    /// What was acknowledged is remembered.
    case nothingLost = "nothing acknowledged is lost"
    /// Every request gets one answer.
    case answeredOnce = "every request is answered once"
    /// Tables stay within their bounds.
    case bounded = "every table stays within its bound"
    /// A run that was followed by another is not taken up again.
    case bootsRise = "a run that was followed does not return"
    /// Who tells two things under one number is suspended.
    case equivocationConvicts = "who equivocates is convicted"
    /// Trust that ended ends links.
    case cutAtOnce = "who is not trusted is cut off within 1 s"
    /// Nothing is told without need.
    case quiet = "it is quiet when nothing changes"
    /// A deadline that has come is dealt with.
    case timeMoves = "time moves on"
}

/// What happened in a run, in numbers.
public struct SimulationStatistics: Equatable, Sendable {
    /// Events that were delivered.
    public internal(set) var events = 0
    /// Messages that crossed the network.
    public internal(set) var messages = 0
    /// Links that were put to rest, at the end that closed them.
    public internal(set) var linksAtRest = 0
    /// Handshakes that ended in a link, on either side.
    public internal(set) var handshakes = 0
    /// Batches of coded symbols that nodes ordered to be sent.
    public internal(set) var symbolBatches = 0
    /// Heads that were asked for by the ids of a session of symbols.
    public internal(set) var elementsWanted = 0
    /// Joins that made trust.
    public internal(set) var pairings = 0
    /// Requests of applications.
    public internal(set) var calls = 0
    /// Of these, answered whole.
    public internal(set) var answered = 0
    /// Of these, refused with a reason.
    public internal(set) var refused = 0
    /// Of these, broken off after the answer began.
    public internal(set) var brokenOff = 0
    /// Of these, unanswered because their node's process ended.
    public internal(set) var lost = 0
    /// Attempts at peers and at own resources.
    public internal(set) var attempts = 0
    /// Of these, repetitions.
    public internal(set) var retries = 0
    /// Attempts at peers that left sealed.
    public internal(set) var sealedAttempts = 0
    /// Requests that a service carried out.
    public internal(set) var executions = 0
    /// Of these, done again for this node's own application with one idempotency key.
    public internal(set) var ownRepeats = 0
    /// `kill -9`.
    public internal(set) var kills = 0
    /// Losses of power.
    public internal(set) var powerLosses = 0
    /// Runs that ended in the middle of a write.
    public internal(set) var tornWrites = 0
    /// Links that hosts carried for others.
    public internal(set) var circuits = 0
    /// Partitions of any kind.
    public internal(set) var partitions = 0
    /// Other faults that were injected.
    public internal(set) var otherFaults = 0
    /// What the intruder tried.
    public internal(set) var intrusions = 0
    /// What operators did after the set-up.
    public internal(set) var operations = 0
    /// Nodes that were enrolled in a domain, each founder among them, at the end.
    public internal(set) var members = 0
    /// Calls that left or were served under an agreement with quotas.
    public internal(set) var meteredCalls = 0
    /// Calls that left or were served under a house agreement.
    public internal(set) var houseCalls = 0
    /// Calls that were answered from memory.
    public internal(set) var answeredFromMemory = 0
    /// Attempts and services under an agreement of a domain.
    public internal(set) var domainAgreementCalls = 0
    /// Credentials that issuers and anchors signed.
    public internal(set) var credentials = 0
    /// Pairs of nodes of two domains that both operators accepted, at the end.
    public internal(set) var partnerPairs = 0
    /// Pairs of nodes that trusted one another at the end.
    public internal(set) var pairsTrusted = 0
}
