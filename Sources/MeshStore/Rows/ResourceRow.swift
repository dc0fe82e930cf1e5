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

/// What the operator said about calls to one resource.
public struct RouteRow: StoredRow {
    /// Unique.
    public var resource: ResourceName
    /// Which peers count as providers, in the operator's order.
    public var via: [Provider]
    /// Whom the router prefers.
    public var choice: Choice

    /// What the router is told about the providers.
    public struct Choice: Hashable, Sendable, Codable {
        /// At most `Limits.routePreferences`, no label twice.
        public var preferences: [LabelPreference]
        /// Who takes every call for as long as it is ready; nil: nobody.
        public var preferred: NodeID?
        /// Who comes first among the others.
        public var order: RouteOrder
        /// After how long a safe call goes to a second provider as well; nil: never.
        public var hedge: HedgeTime?

        public init(
            preferences: [LabelPreference] = [], preferred: NodeID? = nil, order: RouteOrder = .localFirst,
            hedge: HedgeTime? = nil
        ) {
            self.preferences = preferences
            self.preferred = preferred
            self.order = order
            self.hedge = hedge
        }
    }

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

    public init(resource: ResourceName, via: [Provider], choice: Choice = Choice()) {
        self.resource = resource
        self.via = via
        self.choice = choice
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        resource = try columns.resourceName("resource")
        via = try columns.document("via")
        let said: Choice = try columns.optionalDocument("choice") ?? Choice()
        let isBounded = said.preferences.count <= Limits.routePreferences
        choice = try columns.value("choice", isBounded ? said : nil)
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO routes (resource, via, choice)
            VALUES (?, ?, ?)
            ON CONFLICT (resource) DO UPDATE SET via = excluded.via, choice = excluded.choice
            """
        let said = choice == Choice() ? nil : try choice.json()
        let arguments: StatementArguments = try [resource.description, via.json(), said]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
