import MeshBase

/// The bundle of a node's own domain. There is no secret in it.
public struct BundleReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// How the domain's people call it.
    public var name: NodeName
    /// Which domain.
    public var id: DomainID
    /// The same in words.
    public var words: [String]
    /// The bundle's number.
    public var sequence: Int64
    /// The bundle as its anchor signed it: a JWS.
    public var bundle: String
    /// Its payload: a SPIFFE trust bundle, which nobody signed.
    public var spiffe: String

    public init(
        name: NodeName, id: DomainID, words: [String], sequence: Int64, bundle: String, spiffe: String
    ) {
        self.name = name
        self.id = id
        self.words = words
        self.sequence = sequence
        self.bundle = bundle
        self.spiffe = spiffe
    }
}

/// What stands in another domain's bundle.
public struct OfferReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// How the domain's people call it: a label.
    public var name: NodeName
    /// Which domain.
    public var id: DomainID
    /// The same in words.
    public var words: [String]
    /// The bundle's number.
    public var sequence: Int64
    /// The pins of its keys.
    public var keys: [String]
    /// Whether a key of the domain signed it.
    public var isSigned: Bool
    /// SHA-256 of its content.
    public var content: String
    /// The peer that showed it, which proved that it belongs to the domain; nil: it came in a file.
    public var peer: NodeReference?
    /// The number of the bundle that counts for the domain now; nil: it is no partner.
    public var held: Int64?
    /// Whether nothing shows yet that this is the domain that people mean: they named no fingerprint, and the
    /// peer that showed it is none that they met by an invite or by words.
    public var needsYes: Bool

    public init(
        name: NodeName, id: DomainID, words: [String], sequence: Int64, keys: [String], isSigned: Bool,
        content: String, peer: NodeReference?, held: Int64?, needsYes: Bool
    ) {
        self.name = name
        self.id = id
        self.words = words
        self.sequence = sequence
        self.keys = keys
        self.isSigned = isSigned
        self.content = content
        self.peer = peer
        self.held = held
        self.needsYes = needsYes
    }
}

/// Another domain that this node's domain trusts.
public struct PartnerReport: Codable, Equatable, Sendable {
    /// Whether the other domain accepts this one, as far as it showed.
    public enum Acceptance: String, Codable, Sendable { case yes, no, unknown }

    /// The version of this form: 1.
    public var version = 1
    /// How the domain's people call it: a label.
    public var name: NodeName
    /// Which domain.
    public var id: DomainID
    /// The same in words.
    public var words: [String]
    /// Only nodes with one of these are trusted; empty: all members.
    public var roles: [DomainRole]
    /// The number of the bundle that counts.
    public var sequence: Int64
    /// The keys that count; 0: nobody of it is trusted.
    public var keys: Int
    /// When the bundle that counts was signed; nil where only its keys were confirmed.
    public var signed: Timestamp?
    /// Nodes of it that this node trusts by their credentials.
    public var nodes: Int
    /// Of these, such that have a link now.
    public var linked: Int
    /// Whether it accepts this node's domain too.
    public var acceptsUs: Acceptance
    /// Which of its nodes refused this one, and why; nil: none did of late.
    public var refusal: PartnerRefusalReport?

    public init(
        name: NodeName, id: DomainID, words: [String], roles: [DomainRole], sequence: Int64, keys: Int,
        signed: Timestamp?, nodes: Int, linked: Int, acceptsUs: Acceptance, refusal: PartnerRefusalReport?
    ) {
        self.name = name
        self.id = id
        self.words = words
        self.roles = roles
        self.sequence = sequence
        self.keys = keys
        self.signed = signed
        self.nodes = nodes
        self.linked = linked
        self.acceptsUs = acceptsUs
        self.refusal = refusal
    }
}

/// A node of a partner that refused this node.
public struct PartnerRefusalReport: Codable, Equatable, Sendable {
    /// Which.
    public var node: NodeReference
    /// With which code.
    public var code: RefusalCode
    /// When.
    public var at: Timestamp

    public init(node: NodeReference, code: RefusalCode, at: Timestamp) {
        self.node = node
        self.code = code
        self.at = at
    }
}
