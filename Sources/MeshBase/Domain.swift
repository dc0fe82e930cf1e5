/// A trust domain's lasting name: the pin of its *first* anchor key (protocol section 3).
///
/// Written `d` + base32 in lower case, 53 characters. The name that people see is a label beside it.
public struct DomainID: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// SHA-256 of the first anchor key's SubjectPublicKeyInfo.
    public let digest: Digest

    public init(_ digest: Digest) { self.digest = digest }

    /// The identifier written as `text`; nil unless it is exactly what `description` prints.
    public init?(_ text: String) {
        guard text.utf8.count == 53, text.utf8.first == UInt8(ascii: "d"),
            let bytes = Base32.decode(text.utf8.dropFirst()), let digest = Digest(bytes)
        else { return nil }
        self.digest = digest
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let domain = DomainID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a domain ID")
        }
        self = domain
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public static func < (left: Self, right: Self) -> Bool { left.digest < right.digest }

    /// `d` and 52 characters.
    public var description: String { "d" + Base32.encode(digest.bytes) }

    /// The first eight characters, for people; never compared.
    public var brief: String { String(description.prefix(8)) }
}

/// What a credential lets a member do for its domain: one of the protocol's own roles, or a name of the
/// operator's.
public struct DomainRole: NamedWord {
    /// The role's name.
    public let name: ResourceName

    public init(_ name: ResourceName) { self.name = name }

    /// Belongs to the domain. Every credential has it.
    public static let member = DomainRole(ResourceName.member)
    /// May sign credentials.
    public static let issue = DomainRole(ResourceName.issue)
    /// May sign agreements in the domain's name.
    public static let agree = DomainRole(ResourceName.agree)
    /// May carry calls of others.
    public static let relay = DomainRole(ResourceName.relay)
}

/// What a credential says that counts now: to which domain a node belongs, with which roles, until when.
public struct Membership: Hashable, Sendable {
    /// Whose member the node is.
    public let domain: DomainID
    /// Rising, none twice; `member` is among them.
    public let roles: [DomainRole]
    /// Not after: the end of the credential or of the issuer certificate above it, whichever is first.
    public let until: WallTime

    public init(domain: DomainID, roles: [DomainRole], until: WallTime) {
        self.domain = domain
        self.roles = Array(Set(roles)).sorted()
        self.until = until
    }

    /// Whether `role` is among the roles.
    public func holds(_ role: DomainRole) -> Bool { roles.contains(role) }

    /// The roles while the membership lasts; nil when it is over.
    public func roles(at wall: WallTime) -> [DomainRole]? { wall < until ? roles : nil }

    /// Whether both are members of one domain at `wall`. Its end is looked at here too, so that it holds even
    /// where nobody has told of it yet.
    public func isShared(with other: Membership?, at wall: WallTime) -> Bool {
        guard let other else { return false }
        return domain == other.domain && wall < until && wall < other.until
    }
}
