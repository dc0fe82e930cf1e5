import MeshBase

/// Makes a domain with this node as its first member: its anchor's key is made in the home.
public enum CreateDomain: ControlOperation {
    /// How its people call it, and which roles this node may give as an issuer.
    public struct Request: Codable, Equatable, Sendable {
        /// A label.
        public var name: NodeName
        /// Besides `member`, `agree` and `relay`.
        public var roles: [DomainRole]
        public init(name: NodeName, roles: [DomainRole]) {
            self.name = name
            self.roles = roles
        }
    }
    public typealias Response = DomainReport
    public static let path = "domain/create"
}

/// Makes a join token.
public enum MakeToken: ControlOperation {
    /// What newcomers become, and how many of them until when.
    public struct Request: Codable, Equatable, Sendable {
        /// Besides `member`.
        public var roles: [DomainRole]
        /// Seconds from now.
        public var expiresSeconds: Int64
        /// Nodes, at each issuer.
        public var uses: Int
        public init(roles: [DomainRole], expiresSeconds: Int64, uses: Int) {
            self.roles = roles
            self.expiresSeconds = expiresSeconds
            self.uses = uses
        }
    }
    public typealias Response = TokenReport
    public static let path = "domain/token"
}

/// The domain that this node is in.
public enum ShowDomain: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = DomainReport
    public static let path = "domain"
}

/// Moves the anchor's key out of the home, or back into it.
public enum MoveAnchor: ControlOperation {
    /// Where to, or where from.
    public struct Request: Codable, Equatable, Sendable {
        /// Which way.
        public enum Direction: String, Codable, Sendable { case out, back }
        /// Which way.
        public var direction: Direction
        /// The absolute path of the key's other place.
        public var path: String
        public init(direction: Direction, path: String) {
            self.direction = direction
            self.path = path
        }
    }
    public typealias Response = DomainReport
    public static let path = "domain/anchor"
}
