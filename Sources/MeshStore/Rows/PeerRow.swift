import GRDB
import MeshBase

/// One peer that somebody made trust with, or began to.
public struct PeerRow: StoredRow {
    /// Unique.
    public var node: NodeID
    /// For people, unique here; nil before it has one.
    public var name: NodeName?
    /// The trust state, in the words of MeshTrust.
    public var state: String
    /// SubjectPublicKeyInfo of its identity key; nil before it is verified.
    public var identityKey: [UInt8]?
    /// The pin of that key.
    public var pin: Pin?
    /// Its inception, as it was signed.
    public var inception: [UInt8]?
    /// The highest boot that was accepted.
    public var boot: BootID?
    /// Since when it is trusted; nil when it is not.
    public var trustedSince: WallTime?
    /// What the trust rests on, as a JSON document.
    public var evidence: String
    /// The domain whose credential the trust rests on; nil: it does not.
    public var domain: DomainID?
    /// When the row was last changed.
    public var updated: WallTime

    public init(
        node: NodeID, name: NodeName? = nil, state: String, identityKey: [UInt8]? = nil, pin: Pin? = nil,
        inception: [UInt8]? = nil, boot: BootID? = nil, trustedSince: WallTime? = nil, evidence: String,
        domain: DomainID? = nil, updated: WallTime
    ) {
        self.node = node
        self.name = name
        self.state = state
        self.identityKey = identityKey
        self.pin = pin
        self.inception = inception
        self.boot = boot
        self.trustedSince = trustedSince
        self.evidence = evidence
        self.domain = domain
        self.updated = updated
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        node = try columns.node("node_id")
        name = try (columns.optionalText("name")).map { name throws(StoreError) in
            try columns.value("name", NodeName(name))
        }
        state = try columns.text("state")
        identityKey = try columns.optionalBytes("identity_key")
        pin = try columns.optionalPin("pin")
        inception = try columns.optionalBytes("inception")
        boot = try Self.boot(columns)
        trustedSince = try columns.optionalWall("trusted_since")
        evidence = try columns.text("evidence")
        domain = try (columns.optionalText("domain")).map { domain throws(StoreError) in
            try columns.value("domain", DomainID(domain))
        }
        updated = try columns.wall("updated")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO peers (node_id, name, state, identity_key, pin, inception, boot_number,
                boot_random, trusted_since, evidence, domain, updated)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (node_id) DO UPDATE SET name = excluded.name,
                state = excluded.state,
                identity_key = excluded.identity_key,
                pin = excluded.pin,
                inception = excluded.inception,
                boot_number = excluded.boot_number,
                boot_random = excluded.boot_random,
                trusted_since = excluded.trusted_since,
                evidence = excluded.evidence,
                domain = excluded.domain,
                updated = excluded.updated
            """
        let arguments: StatementArguments = [
            node.description, name?.description, state, identityKey?.blob, pin?.digest.bytes.blob,
            inception?.blob, boot?.number, boot?.random.bigEndianBytes.blob, trustedSince?.milliseconds,
            evidence, domain?.description, updated.milliseconds,
        ]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    private static func boot(_ columns: ColumnReader) throws(StoreError) -> BootID? {
        guard let number = try columns.optionalInteger("boot_number") else { return nil }
        return BootID(number: number, random: UInt64(bigEndian: try columns.bytes("boot_random").prefix(8)))
    }
}

/// One place where a peer was seen or reached.
public struct PeerEndpointRow: StoredRow {
    /// Whose.
    public var node: NodeID
    /// Where.
    public var endpoint: Endpoint
    /// Who said so: `mdns`, `static`, `invite`.
    public var witness: String
    /// When a link to it last came up; nil when none did.
    public var lastSuccess: WallTime?

    public init(node: NodeID, endpoint: Endpoint, witness: String, lastSuccess: WallTime? = nil) {
        self.node = node
        self.endpoint = endpoint
        self.witness = witness
        self.lastSuccess = lastSuccess
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        node = try columns.node("node_id")
        endpoint = try columns.value("endpoint", Endpoint(columns.text("endpoint")))
        witness = try columns.text("witness")
        lastSuccess = try columns.optionalWall("last_success")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO peer_endpoints (node_id, endpoint, witness, last_success)
            VALUES (?, ?, ?, ?)
            ON CONFLICT (node_id, endpoint, witness) DO UPDATE SET last_success = excluded.last_success
            """
        let arguments: StatementArguments = [
            node.description, endpoint.description, witness, lastSuccess?.milliseconds,
        ]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
