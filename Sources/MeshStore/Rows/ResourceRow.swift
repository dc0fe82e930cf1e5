import GRDB
import MeshBase

/// One resource that this node provides.
public struct ResourceRow: StoredRow {
    /// Unique.
    public var name: ResourceName
    /// What it is and where.
    public var resource: LocalResource
    /// Node IDs, or `domain`.
    public var offeredTo: [String]

    public init(name: ResourceName, resource: LocalResource, offeredTo: [String]) {
        self.name = name
        self.resource = resource
        self.offeredTo = offeredTo
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        name = try columns.resourceName("name")
        resource = try columns.document("document")
        offeredTo = try columns.document("offered_to")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO resources (name, document, offered_to)
            VALUES (?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET document = excluded.document,
                offered_to = excluded.offered_to
            """
        let arguments: StatementArguments = try [name.description, resource.json(), offeredTo.json()]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}

/// Which peers count as providers of one resource.
public struct RouteRow: StoredRow {
    /// Unique.
    public var resource: ResourceName
    /// In the operator's order.
    public var via: [Provider]

    /// One of them; kept as `NODE`, or `NODE:WEIGHT` where the weight is not 1.
    public struct Provider: Hashable, Sendable, Codable {
        /// Who.
        public var node: NodeID
        /// 1 ... `Limits.routeWeight`.
        public var weight: Int64

        public init(node: NodeID, weight: Int64 = 1) {
            self.node = node
            self.weight = weight
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let parts = try container.decode(String.self).split(separator: ":", maxSplits: 1)
            guard let node = parts.first.flatMap({ NodeID(String($0)) }),
                let weight = parts.count == 1 ? 1 : Int64(parts[1]), (1...Limits.routeWeight).contains(weight)
            else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "no provider")
            }
            self.init(node: node, weight: weight)
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(weight == 1 ? node.description : "\(node):\(weight)")
        }
    }

    public init(resource: ResourceName, via: [Provider]) {
        self.resource = resource
        self.via = via
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        resource = try columns.resourceName("resource")
        via = try columns.document("via")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO routes (resource, via)
            VALUES (?, ?)
            ON CONFLICT (resource) DO UPDATE SET via = excluded.via
            """
        let arguments: StatementArguments = try [resource.description, via.json()]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
