import MeshBase

/// One person's word about one version of an agreement: yes, or no for good (protocol section 7).
///
/// The person signs it with a key of its own. It counts together with a `Vouching` for that key only.
public struct Approval: SignedBody {
    public static let kind = DocumentKind.approval

    /// Which version of which agreement.
    public let contentID: Digest
    /// For which party the person speaks: what is said for one is nothing to the other's people.
    public let party: NodeID
    /// The person's key, by its pin: no two people say the same bytes.
    public let person: Pin
    /// Yes or no.
    public let decision: Decision
    /// In which roles the person says it: rising, at least one.
    public let roles: [ApprovalRole]
    /// Why, in the person's words: plain, at most `AgreementLimits.reasonLength` bytes, may be empty.
    public let reason: String
    /// When, by the clock of whoever signed.
    public let given: WallTime

    public init(
        contentID: Digest, party: NodeID, person: Pin, decision: Decision, roles: [ApprovalRole],
        reason: String,
        given: WallTime
    ) {
        self.contentID = contentID
        self.party = party
        self.person = person
        self.decision = decision
        self.roles = ApprovalRole.allCases.filter { roles.contains($0) }
        self.reason = reason
        self.given = given
    }

    /// What a person can say.
    public enum Decision: String, Sendable, Codable, CaseIterable {
        /// It may come into force.
        case approve
        /// It never may.
        case veto
    }

    /// The rules that no honest signer breaks.
    var isWellFormed: Bool {
        !roles.isEmpty && roles == ApprovalRole.allCases.filter { roles.contains($0) }
            && reason.utf8.count <= AgreementLimits.reasonLength && reason.isPlain && given.milliseconds >= 0
    }
}

/// A node's word that a key is a person's who acts for it, in which roles and until when. The identity key
/// signs; it travels with each approval, so that nobody need have heard of the person before.
public struct Vouching: SignedBody {
    public static let kind = DocumentKind.vouching

    /// The node that vouches.
    public let node: NodeID
    /// How the person is called there.
    public let name: NodeName
    /// The person's key.
    public let key: PublicKey
    /// In which roles it may speak: rising, at least one.
    public let roles: [ApprovalRole]
    /// From when, by the node's clock.
    public let issued: WallTime
    /// Until when; what is signed later does not count.
    public let until: WallTime

    public init(
        node: NodeID, name: NodeName, key: PublicKey, roles: [ApprovalRole], issued: WallTime, until: WallTime
    ) {
        self.node = node
        self.name = name
        self.key = key
        self.roles = ApprovalRole.allCases.filter { roles.contains($0) }
        self.issued = issued
        self.until = until
    }

    /// The rules that no honest node breaks.
    var isWellFormed: Bool {
        !roles.isEmpty && roles == ApprovalRole.allCases.filter { roles.contains($0) }
            && issued.milliseconds >= 0 && until > issued
            && until <= issued + AgreementLimits.vouchingLifeMax
    }
}

/// An approval with the statement on which it stands: what travels, and what is evidence.
public struct VouchedApproval: Equatable, Sendable, Codable {
    /// The person's word.
    public let approval: Signed<Approval>
    /// The node's word about the person's key.
    public let vouching: Signed<Vouching>

    public init(approval: Signed<Approval>, vouching: Signed<Vouching>) {
        self.approval = approval
        self.vouching = vouching
    }

    /// Whose people gave it.
    public var party: NodeID { vouching.body.node }

    /// Why it does not count as a word of `party`'s people about `agreement`; nil when it does.
    /// - Parameter key: the identity key of `party`; nil: its statement is known to be its own.
    func objection(
        ofPeopleOf party: NodeID, key: PublicKey?, at now: WallTime, using suite: some SignatureSuite
    ) -> Refusal? {
        let (word, statement) = (approval.body, vouching.body)
        let person = [Fact("person", statement.name), Fact("vouched for by", statement.node)]
        func invalid(_ because: String, _ facts: [Fact] = []) -> Refusal {
            Refusal(.approvalInvalid, person + [Fact("because", because)] + facts)
        }
        guard word.isWellFormed, statement.isWellFormed, approval.signatures.count == 1,
            vouching.signatures.count == 1,
            approval.payload.bytes.count <= AgreementLimits.approvalPayload,
            vouching.payload.bytes.count <= AgreementLimits.approvalPayload
        else { return invalid("it breaks the rules of the document") }
        guard statement.node == party else {
            return invalid("another party vouches", [Fact("party", party)])
        }
        if let key, !vouching.isSigned(by: key, using: suite) {
            return invalid(
                "the statement is not signed by the party", [Fact("signature by", suite.pin(of: key))])
        }
        guard word.party == party else {
            return invalid("the person speaks for another party", [Fact("party", word.party)])
        }
        guard word.person == suite.pin(of: statement.key), approval.isSigned(by: statement.key, using: suite)
        else {
            return invalid(
                "it is not signed by the person", [Fact("signature by", suite.pin(of: statement.key))])
        }
        guard word.roles.allSatisfy(statement.roles.contains) else {
            return invalid(
                "the person lacks the role",
                [
                    Fact("roles given", ApprovalRules.words(word.roles)),
                    Fact("roles vouched for", ApprovalRules.words(statement.roles)),
                ])
        }
        guard word.given >= statement.issued - Limits.clockSkewRefused, word.given <= statement.until else {
            return invalid(
                "it was given outside the statement's time",
                [
                    Fact("given", RFC3339.text(word.given)), Fact("from", RFC3339.text(statement.issued)),
                    Fact("until", RFC3339.text(statement.until)),
                ])
        }
        guard word.given <= now + Limits.clockSkewRefused else {
            return invalid(
                "it is dated ahead",
                [Fact("given", RFC3339.text(word.given)), Fact("now", RFC3339.text(now))])
        }
        return nil
    }
}

/// An approval that this node holds, and whether the other party has it.
public struct ApprovalRecord: Equatable, Sendable, Codable {
    /// What was said, and who vouches.
    public let evidence: VouchedApproval
    /// Whether the other party said that it has it; true of what came from there.
    public internal(set) var isHeard: Bool
    /// Why the other party does not take it, as it said last; nil: it has not said so, or takes it now.
    /// Bounded as `ForeignRefusals` says.
    public internal(set) var refusals: [Refusal]?

    public init(evidence: VouchedApproval, isHeard: Bool) {
        self.evidence = evidence
        self.isHeard = isHeard
    }

    /// The word itself.
    public var body: Approval { evidence.approval.body }
    /// Who said it, as the party that vouches calls the person.
    public var person: NodeName { evidence.vouching.body.name }
}
