import MeshBase

/// What a person is to an agreement.
public enum PersonRole: String, Codable, Sendable, CaseIterable {
    /// Does the work that is agreed.
    case responsible
    /// Answers for it.
    case accountable
    /// Is asked before.
    case consulted
    /// Is told, and says that it was.
    case informed
}

/// A person for whom this node vouches, or did.
public struct PersonReport: Codable, Equatable, Sendable {
    /// How things stand with the statement.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// What the person signs now counts.
        case vouched
        /// Its time is over.
        case expired
        /// The operator ended it.
        case ended
    }

    /// The version of this form: 1.
    public var version = 1
    /// How the person is called here.
    public var name: NodeName
    /// The pin of the person's key, in base64url.
    public var pin: String
    /// In which roles it may speak.
    public var roles: [PersonRole]
    /// How things stand.
    public var state: State
    /// Since when.
    public var from: Timestamp
    /// Until when, or when it was ended.
    public var until: Timestamp
    /// Where the private key was written, or found, by the command that printed this; nil: not by it.
    public var file: String?

    public init(
        name: NodeName, pin: String, roles: [PersonRole], state: State, from: Timestamp, until: Timestamp
    ) {
        self.name = name
        self.pin = pin
        self.roles = roles
        self.state = state
        self.from = from
        self.until = until
    }
}

/// Everybody for whom this node vouches, or did.
public struct PeopleReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// By name.
    public var people: [PersonReport]

    public init(people: [PersonReport]) { self.people = people }
}

/// Who must approve an agreement, and who has.
public struct ApprovalsReport: Codable, Equatable, Sendable {
    /// What one person said.
    public struct Word: Codable, Equatable, Sendable {
        /// How the node that vouches calls the person.
        public var person: NodeName
        /// The node that vouches.
        public var vouchedFor: NodeReference
        /// In which roles it was said.
        public var roles: [PersonRole]
        /// Whether it was a yes; else a no, which ends the agreement.
        public var isApproval: Bool
        /// Why; may be empty.
        public var reason: String
        /// When, by the signer's clock.
        public var given: Timestamp
        /// Until when the node vouches.
        public var vouchedUntil: Timestamp
        /// Whether the other party has it.
        public var isTold: Bool
        /// Why the other party does not take it, as it said last; absent: it has not said so.
        public var refusals: [Refusal]?

        public init(
            person: NodeName, vouchedFor: NodeReference, roles: [PersonRole], isApproval: Bool,
            reason: String, given: Timestamp, vouchedUntil: Timestamp, isTold: Bool,
            refusals: [Refusal]? = nil
        ) {
            self.person = person
            self.vouchedFor = vouchedFor
            self.roles = roles
            self.isApproval = isApproval
            self.reason = reason
            self.given = given
            self.vouchedUntil = vouchedUntil
            self.isTold = isTold
            self.refusals = refusals
        }
    }

    /// In which roles this node's people must approve.
    public var askedHere: [PersonRole]
    /// In which roles the other party's must.
    public var askedThere: [PersonRole]
    /// Of these, who has not, here.
    public var missingHere: [PersonRole]
    /// Of these, who has not, there, as far as this node knows.
    public var missingThere: [PersonRole]
    /// What was said, in the order in which it came.
    public var words: [Word]
    /// The command that leads on from here; nil when it is the other party's turn, or nobody's.
    public var next: String?

    public init(
        askedHere: [PersonRole], askedThere: [PersonRole], missingHere: [PersonRole],
        missingThere: [PersonRole], words: [Word], next: String?
    ) {
        self.askedHere = askedHere
        self.askedThere = askedThere
        self.missingHere = missingHere
        self.missingThere = missingThere
        self.words = words
        self.next = next
    }
}
