import GRDB

/// Everything that the control plane knew, each kind in the order of its key.
public struct StoredState: Equatable, Sendable {
    /// By key.
    public var settings: [SettingRow] = []
    /// By node ID.
    public var peers: [PeerRow] = []
    /// By node, endpoint and witness.
    public var endpoints: [PeerEndpointRow] = []
    /// By pin.
    public var keys: [PinnedKeyRow] = []
    /// By name.
    public var invites: [InviteRow] = []
    /// By name.
    public var resources: [ResourceRow] = []
    /// By resource.
    public var routes: [RouteRow] = []
    /// By content id.
    public var agreements: [AgreementRow] = []
    /// By content id.
    public var domainAgreements: [DomainAgreementRow] = []
    /// By name.
    public var people: [PersonRow] = []
    /// By domain.
    public var houses: [HouseRow] = []
    /// By owner and audience.
    public var heads: [HeadRow] = []
    /// By owner, audience and key.
    public var records: [RecordRow] = []
    /// By node ID.
    public var credentials: [CredentialRow] = []
    /// By node ID.
    public var convictions: [ConvictionRow] = []
    /// By token.
    public var tokenUses: [TokenUseRow] = []
    /// By kind and domain.
    public var papers: [PaperRow] = []
    /// By agreement.
    public var meters: [MeterRow] = []
    /// By caller and key.
    public var idempotency: [IdempotencyRow] = []

    public init() {}

    /// - Throws: `DatabaseError`, or `StoreError.corrupt` that names table and column.
    init(database: Database, path: String) throws {
        settings = try Self.rows("settings", by: "key", database, path)
        peers = try Self.rows("peers", by: "node_id", database, path)
        endpoints = try Self.rows("peer_endpoints", by: "node_id, endpoint, witness", database, path)
        keys = try Self.rows("pinned_keys", by: "pin", database, path)
        invites = try Self.rows("invites", by: "id", database, path)
        resources = try Self.rows("resources", by: "name", database, path)
        routes = try Self.rows("routes", by: "resource", database, path)
        agreements = try Self.rows("agreements", by: "content_id", database, path)
        domainAgreements = try Self.rows("domain_agreements", by: "content_id", database, path)
        people = try Self.rows("people", by: "name", database, path)
        houses = try Self.rows("house_agreements", by: "domain", database, path)
        heads = try Self.rows("heads", by: "owner, audience", database, path)
        records = try Self.rows("records", by: "owner, audience, key", database, path)
        credentials = try Self.rows("credentials", by: "node_id", database, path)
        convictions = try Self.rows("convictions", by: "node_id", database, path)
        tokenUses = try Self.rows("token_uses", by: "token", database, path)
        papers = try Self.rows("domain_papers", by: "kind, domain", database, path)
        meters = try Self.rows("meters", by: "agreement_id", database, path)
        idempotency = try Self.rows("idempotency", by: "caller, key", database, path)
    }

    private static func rows<Stored: StoredRow>(
        _ table: String, by order: String, _ database: Database, _ path: String
    ) throws -> [Stored] {
        var rows: [Stored] = []
        let cursor = try Row.fetchCursor(database, sql: "SELECT * FROM \(table) ORDER BY \(order)")
        while let row = try cursor.next() {
            rows.append(try Stored(ColumnReader(row: row, table: table, path: path)))
        }
        return rows
    }
}
