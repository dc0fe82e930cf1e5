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

    /// The version of this form: 1.
    public var version = 1
    /// Its content id, 64 hexadecimal digits; commands take any beginning that only one has.
    public var id: String
    /// What this node is in it.
    public var role: Role
    /// The other party.
    public var peer: NodeReference
    /// The resources that it covers.
    public var resources: [ResourceName]
    /// The capabilities that it covers; empty: all.
    public var capabilities: [ResourceName]
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
        state: State, offered: Timestamp, from: Timestamp?, until: Timestamp, facts: [Fact] = []
    ) {
        self.id = id
        self.role = role
        self.peer = peer
        self.resources = resources
        self.capabilities = capabilities
        self.state = state
        self.offered = offered
        self.from = from
        self.until = until
        self.facts = facts
    }
}
