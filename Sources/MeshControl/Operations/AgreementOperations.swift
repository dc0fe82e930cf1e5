import MeshBase

/// Offers a resource to a peer.
public enum MakeOffer: ControlOperation {
    /// What is offered to whom, for how long.
    public struct Request: Codable, Equatable, Sendable {
        /// One of this node's resources.
        public var resource: ResourceName
        /// A peer's name or node ID; a domain's name or ID where it is to a domain.
        public var to: String
        /// Whether every member of a domain may call.
        public var toDomain: Bool
        /// Whether it is every member of this node's domain that provides; else this node alone.
        public var fromDomain: Bool
        /// Capabilities of the resource; empty: all.
        public var capabilities: [ResourceName]
        /// Under which conditions.
        public var conditions: ConditionsReport
        /// Datasets or namespaces of the resource that are meant; empty: no part is singled out.
        public var namespaces: [ShortText]
        /// What is promised beside.
        public var commitments: CommitmentsReport
        /// In which roles people of both parties must approve; empty: nobody need.
        public var approvals: [PersonRole]
        /// How much of it may be used; nil: without limit.
        public var limits: LimitsReport?
        /// What becomes of calls under way at a revocation; nil: they finish.
        public var callsAtEnd: LimitsReport.CallsAtEnd?
        /// How long it holds, in seconds, above 0.
        public var seconds: Int64
        public init(
            resource: ResourceName, to: String, toDomain: Bool = false, fromDomain: Bool = false,
            capabilities: [ResourceName],
            conditions: ConditionsReport = ConditionsReport(), namespaces: [ShortText] = [],
            commitments: CommitmentsReport = CommitmentsReport(), approvals: [PersonRole] = [],
            limits: LimitsReport? = nil, callsAtEnd: LimitsReport.CallsAtEnd? = nil, seconds: Int64
        ) {
            self.resource = resource
            self.to = to
            self.toDomain = toDomain
            self.fromDomain = fromDomain
            self.capabilities = capabilities
            self.conditions = conditions
            self.namespaces = namespaces
            self.commitments = commitments
            self.approvals = approvals
            self.limits = limits
            self.callsAtEnd = callsAtEnd
            self.seconds = seconds
        }
    }
    public typealias Response = AgreementReport
    public static let path = "agreements/offer"
}

/// Accepts what a peer offered.
public enum AcceptAgreement: ControlOperation {
    public typealias Request = ShowAgreement.Request
    public typealias Response = AgreementReport
    public static let path = "agreements/accept"
}

/// Rejects what a peer offered.
public enum RejectAgreement: ControlOperation {
    public typealias Request = ShowAgreement.Request
    public typealias Response = AgreementReport
    public static let path = "agreements/reject"
}

/// Ends an agreement for good, whichever party this node is.
public enum RevokeAgreement: ControlOperation {
    /// Which one, and why.
    public struct Request: Codable, Equatable, Sendable {
        /// Its content id, or a beginning of it that only one has.
        public var id: String
        /// Plain, at most 256 bytes; empty: none is given.
        public var reason: String
        public init(id: String, reason: String) {
            self.id = id
            self.reason = reason
        }
    }
    public typealias Response = AgreementReport
    public static let path = "agreements/revoke"
}

/// Offers the next version of an agreement, alike but for its time.
public enum RenewAgreement: ControlOperation {
    /// Which one, and for how long.
    public struct Request: Codable, Equatable, Sendable {
        /// Its content id, or a beginning of it that only one has.
        public var id: String
        /// How long it holds from now, in seconds; nil: as long as the one before it.
        public var seconds: Int64?
        public init(id: String, seconds: Int64?) {
            self.id = id
            self.seconds = seconds
        }
    }
    public typealias Response = AgreementReport
    public static let path = "agreements/renew"
}

/// One agreement in a form for others.
public enum ExportAgreement: ControlOperation {
    /// Which one, in which form.
    public struct Request: Codable, Equatable, Sendable {
        /// The forms.
        public enum Form: String, Codable, Sendable, CaseIterable {
            /// A policy of the Open Digital Rights Language, as JSON-LD.
            case odrl
            /// Everything that proves it, as it was signed.
            case evidence
        }
        /// Its content id, or a beginning of it that only one has.
        public var id: String
        /// In which form.
        public var form: Form
        public init(id: String, form: Form) {
            self.id = id
            self.form = form
        }
    }
    /// The whole of it.
    public struct Response: Codable, Equatable, Sendable {
        /// A JSON document.
        public var document: String
        public init(document: String) { self.document = document }
    }
    public static let path = "agreements/export"
}

/// What two agreements say differently.
public enum CompareAgreements: ControlOperation {
    /// Which two.
    public struct Request: Codable, Equatable, Sendable {
        /// The first one's content id, or a beginning of it that only one has.
        public var first: String
        /// The second one's.
        public var second: String
        public init(first: String, second: String) {
            self.first = first
            self.second = second
        }
    }
    public typealias Response = AgreementComparison
    public static let path = "agreements/compare"
}

/// Every agreement that this node keeps.
public enum ListAgreements: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = AgreementsReport
    public static let path = "agreements"
}

/// One agreement.
public enum ShowAgreement: ControlOperation {
    /// Which one.
    public struct Request: Codable, Equatable, Sendable {
        /// Its content id, or a beginning of it that only one has; `house`: that of this node's domain.
        public var id: String
        public init(id: String) { self.id = id }
    }
    public typealias Response = AgreementDetail
    public static let path = "agreements/show"
}
