import MeshBase

/// An agreement in which a party is a domain, with everything that proves it: what travels, and what the
/// store keeps. Whoever receives it needs to have met none of those who signed.
///
///     offered (one signature) ──the other party's──> active ──a word of either party──> ended
///        └─────a word of either party──> withdrawn ──the other party's──────────────────^
public struct DomainAgreement<Chain: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
    /// With one signature while it is offered, two once it is active.
    public let document: Signed<Agreement>
    /// Who made each signature, in their order.
    public let signatories: [Signatory<Chain>]
    /// Why it is over; nil: nobody revoked it.
    public let ending: Ending?

    /// A party's word that it is over, with who gave it.
    public struct Ending: Codable, Equatable, Sendable {
        /// The word.
        public let document: Signed<AgreementRevocation>
        /// Whose it is.
        public let signatory: Signatory<Chain>

        public init(document: Signed<AgreementRevocation>, signatory: Signatory<Chain>) {
            self.document = document
            self.signatory = signatory
        }
    }

    public init(document: Signed<Agreement>, signatories: [Signatory<Chain>], ending: Ending? = nil) {
        self.document = document
        self.signatories = signatories
        self.ending = ending
    }

    /// The content.
    public var agreement: Agreement { document.body }

    /// How far it has come.
    public var stage: DomainAgreementStage {
        let isSignedByBoth = document.signatures.count > 1
        if ending != nil { return isSignedByBoth ? .ended : .withdrawn }
        return isSignedByBoth ? .active : .offered
    }

    /// What the two hold together, of one content id.
    func joined(with other: DomainAgreement) -> DomainAgreement {
        let fuller = other.document.signatures.count > document.signatures.count ? other : self
        return DomainAgreement(
            document: fuller.document, signatories: fuller.signatories, ending: ending ?? other.ending)
    }

    /// The same with the second signature.
    func countersigned(by signatory: Signatory<Chain>, _ signature: DocumentSignature) -> DomainAgreement {
        DomainAgreement(
            document: Signed(
                body: agreement, payload: document.payload,
                signatures: Array(document.signatures.prefix(1)) + [signature]),
            signatories: Array(signatories.prefix(1)) + [signatory])
    }

    /// The same with the word that ends it.
    func ended(by ending: Ending) -> DomainAgreement {
        DomainAgreement(document: document, signatories: signatories, ending: ending)
    }
}

/// How far an agreement of a domain has come. What two hold of it is joined: signatures and an ending are
/// only ever added.
public enum DomainAgreementStage: String, Codable, Sendable, CaseIterable {
    /// One party has signed.
    case offered
    /// Both have.
    case active
    /// It was offered, and a party said no before both had signed.
    case withdrawn
    /// Both had signed, and a party revoked it: with it every other version of the same agreement is over.
    case ended

    /// Whether both have signed.
    public var isSignedByBoth: Bool { self == .active || self == .ended }
    /// Whether a party's word stands against it.
    public var isOver: Bool { self == .withdrawn || self == .ended }

    /// Whether this holds something that `other` lacks.
    func adds(to other: DomainAgreementStage) -> Bool {
        isSignedByBoth && !other.isSignedByBoth || isOver && !other.isOver
    }
}

/// One version of an agreement of a domain, as a node keeps it.
public struct DomainAgreementRecord<Chain: Codable & Equatable & Sendable>: Equatable, Sendable {
    /// SHA-256 of the document's payload.
    public let contentID: Digest
    /// What proves it.
    public internal(set) var content: DomainAgreement<Chain>
    /// Why another version of the same agreement puts it out of force; empty: none does. It follows from what
    /// else is held, so it is not kept.
    public internal(set) var overruled: [Fact] = []

    public init(contentID: Digest, content: DomainAgreement<Chain>) {
        self.contentID = contentID
        self.content = content
    }

    /// What was agreed.
    public var agreement: Agreement { content.agreement }

    /// What the evaluator needs of it.
    public var terms: AgreementTerms {
        let standing: AgreementTerms.Standing =
            switch content.stage {
            case .offered: .pending
            case .active: .active
            case .withdrawn, .ended: .ended
            }
        return AgreementTerms(
            contentID: contentID, agreement: agreement, standing: overruled.isEmpty ? standing : .ended,
            ending: ending,
            callsUnderWay: content.stage == .ended ? agreement.callsAtEnd ?? .finish : .finish)
    }

    /// How it ended, for a refusal that rests on it; empty while it has not.
    public var ending: [Fact] { content.ending?.document.body.facts ?? overruled }

    /// Whether it may still come into force, or is; its time may be over all the same.
    public var isOpen: Bool { !content.stage.isOver && overruled.isEmpty }
}

/// What two nodes say to each other about the agreements of their domains, over a trusted link.
public enum DomainAgreementMessage<Chain: Codable & Equatable & Sendable>: Equatable, Sendable {
    /// What the sender holds of what the two may both know.
    case held(DomainAgreementList)
    /// One of them, as far as it has come.
    case shown(DomainAgreement<Chain>)
}

/// What a node holds of the agreements of domains that another may know.
public struct DomainAgreementList: Codable, Equatable, Sendable {
    /// By rising content id, at most `AgreementLimits.domainAgreements`.
    public let marks: [Mark]
    /// Whether the sender wants the receiver's list where that holds what it lacks.
    public let isQuestion: Bool

    /// One agreement that is held, and how far it has come.
    public struct Mark: Codable, Equatable, Sendable {
        /// Which one.
        public let contentID: Digest
        /// How far.
        public let stage: DomainAgreementStage

        public init(contentID: Digest, stage: DomainAgreementStage) {
            self.contentID = contentID
            self.stage = stage
        }
    }

    public init(marks: [Mark], isQuestion: Bool) {
        self.marks = marks
        self.isQuestion = isQuestion
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        marks = try container.decode([Mark].self, forKey: .marks)
        isQuestion = try container.decode(Bool.self, forKey: .isQuestion)
        let isRising = zip(marks, marks.dropFirst()).allSatisfy { $0.contentID < $1.contentID }
        guard marks.count <= AgreementLimits.domainAgreements, isRising else {
            throw DecodingError.dataCorruptedError(
                forKey: .marks, in: container,
                debugDescription: "at most \(AgreementLimits.domainAgreements) marks, rising")
        }
    }
}

extension DomainAgreementMessage: Codable {
    private enum CodingKeys: String, CodingKey { case kind, held, agreement }
    private enum Kind: String, Codable { case held, shown }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(Kind.self, forKey: .kind) {
        case .held: self = .held(try container.decode(DomainAgreementList.self, forKey: .held))
        case .shown: self = .shown(try container.decode(DomainAgreement<Chain>.self, forKey: .agreement))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .held(let held):
            try container.encode(Kind.held, forKey: .kind)
            try container.encode(held, forKey: .held)
        case .shown(let agreement):
            try container.encode(Kind.shown, forKey: .kind)
            try container.encode(agreement, forKey: .agreement)
        }
    }
}
