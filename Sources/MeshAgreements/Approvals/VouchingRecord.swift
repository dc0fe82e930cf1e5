import MeshBase

/// A person for whom this node vouches, or did.
public struct VouchingRecord: Equatable, Sendable {
    /// The statement, signed by this node.
    public let document: Signed<Vouching>
    /// When the operator ended it, before its time; nil: it was not.
    public internal(set) var ended: WallTime?

    public init(document: Signed<Vouching>, ended: WallTime? = nil) {
        self.document = document
        self.ended = ended
    }

    /// The statement.
    public var body: Vouching { document.body }
}

/// What an operator orders to have somebody vouched for.
public struct VouchingOrder: Equatable, Sendable {
    /// How the person is called.
    public let name: NodeName
    /// The person's key.
    public let key: PublicKey
    /// In which roles it may speak.
    public let roles: [ApprovalRole]
    /// For how long; `AgreementLimits.vouchingLifeMin` to `vouchingLifeMax`.
    public let life: Duration

    public init(name: NodeName, key: PublicKey, roles: [ApprovalRole], life: Duration) {
        self.name = name
        self.key = key
        self.roles = roles
        self.life = life
    }
}
