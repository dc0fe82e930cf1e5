import MeshBase

/// Roles as documents write them: rising, none twice, 1 ... `Limits.rolesPerDocument`. One set of roles has
/// one form.
public struct RoleList: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Rising.
    public let roles: [DomainRole]

    /// Nil when there are none, or too many.
    public init?(_ roles: [DomainRole]) {
        let rising = Array(Set(roles)).sorted()
        guard (1...Limits.rolesPerDocument).contains(rising.count) else { return nil }
        self.roles = rising
    }

    public init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        guard let count = container.count, (1...Limits.rolesPerDocument).contains(count) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "1 to \(Limits.rolesPerDocument) roles")
        }
        var roles: [DomainRole] = []
        while !container.isAtEnd {
            let role = try container.decode(DomainRole.self)
            if let last = roles.last, last >= role {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "roles do not rise")
            }
            roles.append(role)
        }
        self.roles = roles
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        for role in roles { try container.encode(role) }
    }

    /// Whether `role` is among them.
    public func contains(_ role: DomainRole) -> Bool { roles.contains(role) }

    /// Those that `other` lacks, rising.
    func beyond(_ other: RoleList) -> [DomainRole] { roles.filter { !other.contains($0) } }

    /// What every member is.
    static let member = RoleList(trusted: [.member])

    private init(trusted: [DomainRole]) { roles = trusted }

    /// `agree, member`.
    public var description: String { roles.text }
}

extension [DomainRole] {
    /// With commas between them.
    var text: String { map(\.description).joined(separator: ", ") }
}
