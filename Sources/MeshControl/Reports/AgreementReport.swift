import MeshBase

/// Every agreement that a node keeps.
public struct AgreementsReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// Living ones first, then by peer.
    public var agreements: [AgreementReport]
    /// The house agreement of this node's domain; nil while it is in none.
    public var house: HouseReport?

    public init(agreements: [AgreementReport], house: HouseReport? = nil) {
        self.agreements = agreements
        self.house = house
    }
}

/// One agreement.
public struct AgreementReport: Codable, Equatable, Sendable {
    /// How it stands now.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// Signed by one.
        case offered
        /// Signed by both; not everybody has approved who must, or the other side does not know it yet.
        case signed
        /// Signed by both; its time has not come.
        case early
        /// Signed by both and valid now.
        case active
        /// Its time is over.
        case expired
        /// Ended by one of its parties.
        case ended
    }
    /// What this node is in it.
    public enum Role: String, Codable, Sendable, CaseIterable {
        /// It provides.
        case provider
        /// It calls.
        case consumer
    }

    /// A node, or every member of a domain.
    public struct Party: Codable, Equatable, Sendable {
        /// What a party can be.
        public enum Kind: String, Codable, Sendable {
            case node, domain
        }
        /// What it is.
        public var kind: Kind
        /// How it is called here; nil: it has no name here.
        public var name: NodeName?
        /// Its node ID, or its domain ID.
        public var id: String
        /// Whether this node is it, or one of it.
        public var isOurs: Bool

        public init(kind: Kind, name: NodeName?, id: String, isOurs: Bool) {
            self.kind = kind
            self.name = name
            self.id = id
            self.isOurs = isOurs
        }

        /// As a sentence names it.
        public var title: String {
            let title = name?.description ?? String(id.prefix(8))
            return kind == .domain ? "domain \(title)" : title
        }
    }

    /// Both parties.
    public struct Parties: Codable, Equatable, Sendable {
        /// Whose resources may be called.
        public var provider: Party
        /// Who may call them.
        public var consumer: Party

        public init(provider: Party, consumer: Party) {
            self.provider = provider
            self.consumer = consumer
        }
    }

    /// What people call the party that is not this node's.
    public var other: String {
        guard let parties else { return peer.title }
        return role == .provider ? parties.consumer.title : parties.provider.title
    }

    /// What people call this node's side: itself, or its domain.
    public var own: String {
        guard let parties else { return "this node" }
        let own = role == .provider ? parties.provider : parties.consumer
        return own.kind == .domain ? own.title : "this node"
    }

    /// The version of this form: 1.
    public var version = 1
    /// Its content id, 64 hexadecimal digits; commands take any beginning that only one has.
    public var id: String
    /// What this node is in it.
    public var role: Role
    /// The other party; where a party is a domain, the node that signed for the other one, or offered it.
    public var peer: NodeReference
    /// Between whom it is, where a party is a domain; nil: between this node and `peer`.
    public var parties: Parties?
    /// The resources that it covers.
    public var resources: [ResourceName]
    /// The capabilities that it covers; empty: all.
    public var capabilities: [ResourceName]
    /// Under which conditions it may be called; nil: under none.
    public var conditions: ConditionsReport?
    /// What of which resource is granted, in the order of the document.
    public var grants: [GrantReport] = []
    /// What is promised beside; nil: nothing.
    public var commitments: CommitmentsReport?
    /// Who must approve it and who has; nil: nobody need, and nobody did.
    public var approvals: ApprovalsReport?
    /// How much of it may be used; nil: without limit.
    public var limits: LimitsReport?
    /// What of its quotas is used on this side; empty: it has none.
    public var usage: [UsageReport]
    /// What becomes of calls under way when it is revoked.
    public var callsAtEnd: LimitsReport.CallsAtEnd
    /// How it stands.
    public var state: State
    /// When it was offered.
    public var offered: Timestamp
    /// From when it holds.
    public var from: Timestamp?
    /// Until when it holds.
    public var until: Timestamp
    /// What else there is to say, in reading order: who signed, who ended it and why.
    public var facts: [Fact]

    public init(
        id: String, role: Role, peer: NodeReference, resources: [ResourceName], capabilities: [ResourceName],
        conditions: ConditionsReport? = nil, approvals: ApprovalsReport? = nil,
        limits: LimitsReport? = nil, usage: [UsageReport] = [],
        callsAtEnd: LimitsReport.CallsAtEnd = .finish, state: State,
        offered: Timestamp, from: Timestamp?, until: Timestamp, facts: [Fact] = []
    ) {
        self.id = id
        self.role = role
        self.peer = peer
        self.resources = resources
        self.capabilities = capabilities
        self.conditions = conditions
        self.approvals = approvals
        self.limits = limits
        self.usage = usage
        self.callsAtEnd = callsAtEnd
        self.state = state
        self.offered = offered
        self.from = from
        self.until = until
        self.facts = facts
    }
}

/// What of one resource an agreement grants.
public struct GrantReport: Codable, Equatable, Sendable {
    /// The resource.
    public var resource: ResourceName
    /// Its capabilities; empty: all.
    public var capabilities: [ResourceName]
    /// Datasets or namespaces behind it that are meant; empty: no part is singled out.
    public var namespaces: [ShortText]

    public init(resource: ResourceName, capabilities: [ResourceName], namespaces: [ShortText] = []) {
        self.resource = resource
        self.capabilities = capabilities
        self.namespaces = namespaces
    }
}

/// What the parties promise beside what is enforced.
public struct CommitmentsReport: Codable, Equatable, Sendable {
    /// One promise about the service.
    public struct ServiceLevel: Codable, Equatable, Sendable {
        /// What is promised.
        public var name: ShortText
        /// How much of it.
        public var target: ShortText
        /// In which unit; nil: it has none.
        public var unit: ShortText?

        public init(name: ShortText, target: ShortText, unit: ShortText?) {
            self.name = name
            self.target = target
            self.unit = unit
        }
    }

    /// Compliance frameworks that both keep to, by their short names.
    public var frameworks: [ShortText]
    /// What the provider promises of its service.
    public var serviceLevels: [ServiceLevel]

    public init(frameworks: [ShortText] = [], serviceLevels: [ServiceLevel] = []) {
        self.frameworks = frameworks
        self.serviceLevels = serviceLevels
    }
}

/// Under which conditions an agreement lets its consumer call. An empty list restricts nothing.
public struct ConditionsReport: Codable, Equatable, Sendable {
    /// What the consumer may do with data.
    public enum Access: String, Codable, Sendable, CaseIterable {
        /// Descriptions, and the methods HEAD and OPTIONS, which transfer no data.
        case metadataOnly = "metadata_only"
        /// Capabilities that are declared safe.
        case readOnly = "read_only"
        /// Whatever is granted.
        case full
    }

    /// What the consumer may do with data.
    public var access: Access
    /// Who at the consumer may call.
    public var principals: [Principal]
    /// Roles of the consumer's node in its domain, of which it must hold one.
    public var roles: [DomainRole]
    /// From where calls may come, as the provider sees the link.
    public var networks: [IPNetwork]
    /// What a call must say that it is for.
    public var purposes: [Purpose]
    /// What is asked of payloads; nil: nothing.
    public var encryption: Encryption?

    /// What may be asked of payloads.
    public enum Encryption: String, Codable, Sendable {
        /// They are sealed between the two parties.
        case required
    }

    public init(
        access: Access = .full, principals: [Principal] = [], roles: [DomainRole] = [],
        networks: [IPNetwork] = [], purposes: [Purpose] = [], encryption: Encryption? = nil
    ) {
        self.access = access
        self.principals = principals
        self.roles = roles
        self.networks = networks
        self.purposes = purposes
        self.encryption = encryption
    }
}

/// What two agreements say differently.
public struct AgreementComparison: Codable, Equatable, Sendable {
    /// One thing in which they differ.
    public struct Difference: Codable, Equatable, Sendable {
        /// What is compared.
        public var subject: String
        /// What the first says.
        public var first: String
        /// What the second says.
        public var second: String

        public init(subject: String, first: String, second: String) {
            self.subject = subject
            self.first = first
            self.second = second
        }
    }

    /// The version of this form: 1.
    public var version = 1
    /// The first one's content id.
    public var first: String
    /// The second one's.
    public var second: String
    /// In reading order; empty when both say the same.
    public var differences: [Difference]

    public init(first: String, second: String, differences: [Difference]) {
        self.first = first
        self.second = second
        self.differences = differences
    }
}
