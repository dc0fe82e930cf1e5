import MeshBase

/// What one party may call at another, and until when: one document that both sign over the same bytes
/// (protocol section 7). A party is a node or a whole domain.
///
/// It says nothing about whether it is in force: `AgreementRecord` does.
public struct Agreement: SignedBody {
    public static let kind = DocumentKind.agreement

    /// The same in all versions.
    public let id: AgreementID
    /// From 1; strictly rises from one version to the next.
    public let version: Int64
    /// The provider: whose resources may be called. Of a domain: those of each of its members.
    public let source: AgreementParty
    /// The consumer: who may call them.
    public let target: AgreementParty
    /// What may be called: at least one, at most `AgreementLimits.grants`, no resource twice.
    public let grants: [Grant]
    /// Under which conditions; nil: under none. Never an empty set of conditions.
    public let conditions: AgreementConditions?
    /// Who must approve before it is in force; nil: nobody need. Always nil where a party is a domain.
    public let approvals: ApprovalRules?
    /// What the parties promise beside; nil: nothing. Never an empty set of commitments.
    public let commitments: AgreementCommitments?
    /// How much of it may be used; nil: without limit. Never an empty set of limits.
    public let limits: UsageLimits?
    /// What becomes of calls under way at a revocation; nil: they finish. Never `finish` itself.
    public let callsAtEnd: CallsAtEnd?
    /// Not before; nil means from activation.
    public let validFrom: WallTime?
    /// Not after.
    public let validUntil: WallTime
    /// The node that offered it, and signed first: a party, or one that signs for the domain that is one.
    public let createdBy: NodeID
    /// When it was offered, by the offerer's clock.
    public let created: WallTime

    /// Between two nodes.
    public init(
        id: AgreementID, version: Int64, source: NodeID, target: NodeID, grants: [Grant],
        conditions: AgreementConditions = .none, approvals: ApprovalRules? = nil,
        commitments: AgreementCommitments? = nil, limits: UsageLimits = .none,
        callsAtEnd: CallsAtEnd = .finish, validFrom: WallTime?, validUntil: WallTime,
        createdBy: NodeID, created: WallTime
    ) {
        self.init(
            id: id, version: version, provider: .node(source), consumer: .node(target), grants: grants,
            conditions: conditions, approvals: approvals, commitments: commitments, limits: limits,
            callsAtEnd: callsAtEnd, validFrom: validFrom, validUntil: validUntil, createdBy: createdBy,
            created: created)
    }

    /// Between any two parties.
    public init(
        id: AgreementID, version: Int64, provider: AgreementParty, consumer: AgreementParty, grants: [Grant],
        conditions: AgreementConditions = .none, approvals: ApprovalRules? = nil,
        commitments: AgreementCommitments? = nil, limits: UsageLimits = .none,
        callsAtEnd: CallsAtEnd = .finish, validFrom: WallTime?, validUntil: WallTime,
        createdBy: NodeID, created: WallTime
    ) {
        self.id = id
        self.version = version
        source = provider
        target = consumer
        self.grants = grants
        self.conditions = conditions == .none ? nil : conditions
        self.approvals = approvals == ApprovalRules.none ? nil : approvals
        self.commitments = commitments == AgreementCommitments.none ? nil : commitments
        self.limits = limits == .none ? nil : limits
        self.callsAtEnd = callsAtEnd == .finish ? nil : callsAtEnd
        self.validFrom = validFrom
        self.validUntil = validUntil
        self.createdBy = createdBy
        self.created = created
    }

    /// The node that is not `node`, where both parties are nodes; nil when `node` is none, or both.
    public func party(besides node: NodeID) -> NodeID? {
        guard source != target, let provider = source.node, let consumer = target.node else { return nil }
        return node == provider ? consumer : node == consumer ? provider : nil
    }

    /// Whether a party is a domain.
    public var concernsDomain: Bool { source.domain != nil || target.domain != nil }

    /// From its beginning, or from when it was drafted, to its end.
    var life: Duration { validUntil - (validFrom ?? created) }

    /// The rules that no honest node breaks; a document that breaks one is refused whatever the clock and
    /// the trust.
    public var isWellFormed: Bool {
        let names = grants.map(\.resource)
        return (1...AgreementLimits.versionMax).contains(version) && source != target
            && (source == createdBy || target == createdBy || concernsDomain)
            && (!concernsDomain || approvals == nil)
            && (1...AgreementLimits.grants).contains(grants.count) && grants.allSatisfy(\.isWellFormed)
            && zip(names, names.dropFirst()).allSatisfy { $0 < $1 }
            && conditions != AgreementConditions.none && conditions?.isWellFormed ?? true
            && approvals?.isWellFormed ?? true && commitments?.isWellFormed ?? true
            && limits != UsageLimits.none && limits?.isWellFormed ?? true && callsAtEnd != .finish
            && validUntil > (validFrom ?? created) && validUntil > created
            && created.milliseconds >= 0 && validUntil.milliseconds < AgreementLimits.versionMax
    }
}

/// One resource that an agreement covers.
public struct Grant: Hashable, Sendable, Codable {
    /// The provider's resource.
    public let resource: ResourceName
    /// The capabilities that may be used, rising, none twice; nil means every one that the resource has.
    public let capabilities: [ResourceName]?
    /// Which datasets or namespaces of the resource are meant, rising, none twice; nil: no part is singled
    /// out. Kept and shown: what a namespace is, only the service behind the resource knows.
    public let namespaces: [ShortText]?

    public init(
        resource: ResourceName, capabilities: [ResourceName]?, namespaces: [ShortText] = []
    ) {
        self.resource = resource
        self.namespaces = namespaces.isEmpty ? nil : Array(Set(namespaces)).sorted()
        self.capabilities = capabilities.map { Array(Set($0)).sorted() }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        resource = try container.decode(ResourceName.self, forKey: .resource)
        capabilities = try container.decodeIfPresent([ResourceName].self, forKey: .capabilities)
        namespaces = try container.decodeIfPresent([ShortText].self, forKey: .namespaces)
    }

    /// Whether `capability` is among what is granted.
    public func covers(_ capability: ResourceName) -> Bool { capabilities?.contains(capability) ?? true }

    fileprivate var isWellFormed: Bool {
        if let namespaces {
            guard (1...AgreementLimits.namesPerCondition).contains(namespaces.count),
                zip(namespaces, namespaces.dropFirst()).allSatisfy({ $0 < $1 })
            else { return false }
        }
        guard let capabilities else { return true }
        return (1...Limits.capabilitiesPerResource).contains(capabilities.count)
            && zip(capabilities, capabilities.dropFirst()).allSatisfy { $0 < $1 }
    }
}

/// Names an agreement through all its versions: 16 random bytes, written like a UUID.
public struct AgreementID: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    private let value: CorrelationID

    /// A new one.
    public init(using generator: inout SeededGenerator) {
        value = CorrelationID(high: generator.next(), low: generator.next())
    }

    /// Reads the form `8-4-4-4-12`; nil otherwise.
    public init?(_ text: String) {
        guard let value = CorrelationID(text) else { return nil }
        self.value = value
    }

    public init(from decoder: any Decoder) throws { value = try CorrelationID(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    /// `8-4-4-4-12` in lower case.
    public var description: String { value.description }
}

/// Bounds of this module; they are part of the protocol.
public enum AgreementLimits {
    /// Resources that one agreement covers.
    public static let grants = 64
    /// Principals, roles, networks or purposes that one condition names; frameworks, service levels,
    /// namespaces.
    public static let namesPerCondition = 64
    /// Calls in the span of a rate, and at once.
    public static let rateMax: Int64 = 1_000_000
    /// Seconds of a rate's span.
    public static let rateSpanMax: Int64 = 86_400
    /// Calls of a day's or month's quota.
    public static let quotaMax: Int64 = 1_000_000_000_000
    /// Nodes that may relay a call.
    public static let hopsMax: Int64 = 8
    /// Days, or months, whose calls are kept of one agreement.
    public static let countedWindows = 4
    /// Calls that one block of a quota holds at most: what a crash takes of it.
    public static let meterBlock: Int64 = 1_000
    /// How many days ahead of its end an agreement is told to end, the earliest first.
    public static let warningDays: [Int64] = [30, 7, 1]
    /// Bytes of a revocation's reason.
    public static let reasonLength = 256
    /// Approvals of one party's people that are kept of one version.
    public static let approvalsPerParty = 16
    /// Bytes of an approval, and of the statement that travels with it, as they were signed.
    static let approvalPayload = 2 * 1024
    /// Persons for whom one node vouches at once.
    public static let persons = 256
    /// How long a node vouches for a person unless its operator says otherwise.
    public static let vouchingLife: Duration = .seconds(365 * 24 * 3600)
    /// The longest time for which a node vouches.
    public static let vouchingLifeMax: Duration = .seconds(1096 * 24 * 3600)
    /// The shortest.
    public static let vouchingLifeMin: Duration = .seconds(60)
    /// After how long a peer is told again what it has not said that it has; each time twice as long.
    public static let wordRepeatFirst: Duration = .seconds(30)
    /// How often it is told again over one link: for half an hour.
    public static let wordRepeats = 6
    /// Agreements with a domain as a party that one node keeps.
    public static let domainAgreements = 256
    /// Of these, those with one other party.
    public static let domainAgreementsPerParty = 64
    /// Of these, offers that nobody here has answered.
    public static let domainOffersPerParty = 16
    /// Bytes of such an agreement as it was signed: with the chains of three signers it fits a frame.
    public static let domainAgreementPayload = 16 * 1024
    /// Such agreements that one peer is sent at once; it asks for more.
    public static let domainAgreementsAtOnce = 16
    /// After this the rest is asked for.
    public static let domainAgreementsPause: Duration = .seconds(2)
    /// Lists of such agreements that one peer is answered at once.
    public static let domainListsAtOnce = 8
    /// One more after each of these.
    public static let domainListInterval: Duration = .seconds(2)
    /// What could not be judged is asked for again after so long.
    public static let domainAgreementRetry: Duration = .seconds(3600)
    /// The highest version, and the highest number that a document may hold.
    public static let versionMax: Int64 = 1 << 53 - 1
    /// How far above the highest that is known with a peer a version may be that it offers: versions that
    /// were offered and forgotten. A peer that could take the highest there is would leave none for the next.
    public static let versionStep: Int64 = 1_000
    /// The longest agreement that is accepted without anybody being asked.
    public static let automaticLife: Duration = .seconds(31 * 24 * 3600)
    /// How long the built-in resource is offered to a newly trusted peer.
    public static let builtInLife: Duration = .seconds(30 * 24 * 3600)
    /// The longest agreement that can be offered.
    public static let lifeMax: Duration = .seconds(3660 * 24 * 3600)
    /// The shortest agreement that can be offered: it counts for a moment, `clockMargin` before its end.
    public static let lifeMin: Duration = .seconds(6)
    /// How long a house agreement holds that this build's anchors make; renewed at two thirds.
    public static let houseLife: Duration = .seconds(3650 * 24 * 3600)
    /// House agreements that one peer is sent at once because it says that it holds another.
    public static let houseAnswersAtOnce = 8
    /// One more after each of these.
    public static let houseAnswerInterval: Duration = .seconds(10)
    /// How far the parties' clocks are held apart when an explicit beginning or the end is compared with now.
    public static let clockMargin: Duration = .seconds(5)
}

extension AgreementLimits {
    /// Why nothing is signed for so long; nil when it may be.
    static func refusal(
        ofLife life: Duration, within lives: ClosedRange<Duration> = lifeMin...lifeMax
    ) -> Refusal? {
        guard !lives.contains(life) else { return nil }
        return Refusal(
            .limitReached,
            [
                Fact("life in ms", life.wholeMilliseconds),
                Fact("shortest in ms", lives.lowerBound.wholeMilliseconds),
                Fact("longest in ms", lives.upperBound.wholeMilliseconds),
            ])
    }
}
