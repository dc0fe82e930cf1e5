import MeshBase

/// Has this node vouch for a person's key.
public enum VouchForPerson: ControlOperation {
    /// Whose key, in which roles, for how long.
    public struct Request: Codable, Equatable, Sendable {
        /// How the person is called.
        public var name: NodeName
        /// The public key: its SubjectPublicKeyInfo in DER, in base64url.
        public var key: String
        /// In which roles it may speak; at least one.
        public var roles: [PersonRole]
        /// For how long, in seconds.
        public var seconds: Int64
        public init(name: NodeName, key: String, roles: [PersonRole], seconds: Int64) {
            self.name = name
            self.key = key
            self.roles = roles
            self.seconds = seconds
        }
    }
    public typealias Response = PersonReport
    public static let path = "people/vouch"
}

/// Everybody for whom this node vouches, or did.
public enum ListPeople: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = PeopleReport
    public static let path = "people"
}

/// Ends it before its time.
public enum EndVouching: ControlOperation {
    /// Whose.
    public struct Request: Codable, Equatable, Sendable {
        /// How the person is called.
        public var name: NodeName
        public init(name: NodeName) { self.name = name }
    }
    public typealias Response = PersonReport
    public static let path = "people/end"
}

/// What a person needs to know to sign its word about an agreement. It changes nothing.
public enum PrepareApproval: ControlOperation {
    /// Who will sign about which agreement.
    public struct Request: Codable, Equatable, Sendable {
        /// The agreement's content id, or a beginning of it that only one has.
        public var id: String
        /// The pin of the person's key, in base64url.
        public var pin: String
        public init(id: String, pin: String) {
            self.id = id
            self.pin = pin
        }
    }
    /// What the word will name.
    public struct Response: Codable, Equatable, Sendable {
        /// The whole content id.
        public var contentID: String
        /// The node for which the person speaks.
        public var party: NodeID
        /// The roles that are asked for here and that the person has; all that it has when none is asked for.
        public var roles: [PersonRole]
        public init(contentID: String, party: NodeID, roles: [PersonRole]) {
            self.contentID = contentID
            self.party = party
            self.roles = roles
        }
    }
    public static let path = "agreements/approve/prepare"
}

/// Hands in what a person of this node's has signed about an agreement.
public enum GiveApproval: ControlOperation {
    /// The word.
    public struct Request: Codable, Equatable, Sendable {
        /// The signed document: a JWS of kind `approval`, as JSON.
        public var document: String
        public init(document: String) { self.document = document }
    }
    public typealias Response = AgreementReport
    public static let path = "agreements/approve"
}
