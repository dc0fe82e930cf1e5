import MeshBase

/// What stands between this node and one peer, with the ways into it that a call needs: what a call costs
/// follows the agreements of its own resource, however many others there are.
///
/// Made once when a view of the node is published, and never changed.
public struct AgreementIndex: Equatable, Sendable {
    /// All of it, in the order in which the evaluator asks.
    public let terms: [AgreementTerms]
    /// Where those stand that both signed and neither ended, by each resource that they grant.
    private let active: OrderedTable<ResourceName, [Int]>
    /// Who provides each resource by any of it, whatever its standing: one of the two, or both.
    private let providers: OrderedTable<ResourceName, [AgreementParty]>
    /// Of the active ones, those whose calls are counted, by their content ids.
    private let counted: OrderedTable<Digest, Int>
    /// The content ids of those under which nothing may stay under way, rising.
    public let cut: [Digest]

    /// - Parameter terms: in a fixed order, the same at each making.
    public init(_ terms: [AgreementTerms] = []) {
        self.terms = terms
        var places: [(ResourceName, Int)] = []
        var parties: [(ResourceName, AgreementParty)] = []
        var counted = OrderedTable<Digest, Int>()
        var cut: [Digest] = []
        for (place, entry) in terms.enumerated() {
            if entry.callsUnderWay == .cut { cut.append(entry.contentID) }
            for grant in entry.agreement.grants { parties.append((grant.resource, entry.agreement.source)) }
            guard entry.standing == .active else { continue }
            for grant in entry.agreement.grants { places.append((grant.resource, place)) }
            if entry.agreement.limits?.areCounted == true { counted[entry.contentID] = place }
        }
        self.cut = cut.sorted()
        self.counted = counted
        active = Self.table(of: places)
        providers = Self.table(of: parties)
    }

    /// Each once under its key, both rising.
    private static func table<Value: Comparable & Sendable>(
        of pairs: [(ResourceName, Value)]
    ) -> OrderedTable<ResourceName, [Value]> {
        // In their order, so that each key goes behind the last and none has to make room.
        let rising = pairs.sorted { $0 < $1 }
        var table = OrderedTable<ResourceName, [Value]>()
        var index = rising.startIndex
        while index < rising.endIndex {
            let key = rising[index].0
            var values: [Value] = []
            while index < rising.endIndex, rising[index].0 == key {
                if values.last != rising[index].1 { values.append(rising[index].1) }
                index += 1
            }
            table[key] = values
        }
        return table
    }

    /// Whether any of it, whatever its standing, grants `resource` of `provider`.
    public func names(_ resource: ResourceName, of provider: NodeID) -> Bool {
        providers[resource]?.contains(.node(provider)) == true
    }

    /// Whether any of it, whatever its standing, grants `resource` of `provider` to `consumer`, each with
    /// what counts of its credential now.
    public func grants(
        _ resource: ResourceName, of provider: NodeID, _ providing: Membership?, to consumer: NodeID,
        _ consuming: Membership?, at now: WallTime
    ) -> Bool {
        guard providers[resource] != nil else { return false }
        return terms.contains { entry in
            entry.agreement.grants.contains { $0.resource == resource }
                && entry.agreement.source.includes(provider, providing, until: now)
                && entry.agreement.target.includes(consumer, consuming, until: now)
        }
    }

    /// The first on `resource`, signed by both and not ended, that `isWanted`. It allocates nothing.
    func first(on resource: ResourceName, where isWanted: (AgreementTerms) -> Bool) -> AgreementTerms? {
        guard let places = active[resource] else { return nil }
        for place in places where isWanted(terms[place]) { return terms[place] }
        return nil
    }

    /// The content ids of all versions of the agreement of this one that are known; none of an unknown one.
    public func versions(of contentID: Digest) -> [Digest] {
        guard let one = terms.first(where: { $0.contentID == contentID })?.agreement else { return [] }
        let key = MeterKey(one)
        return terms.filter { MeterKey($0.agreement) == key }.map(\.contentID)
    }

    /// Whether any version of the same agreement is in force.
    public func hasVersionInForce(of agreement: Agreement) -> Bool {
        let key = MeterKey(agreement)
        return terms.contains { $0.standing == .active && MeterKey($0.agreement) == key }
    }

    /// The agreement of this content id, if its calls are counted.
    public func counted(_ contentID: Digest) -> Agreement? {
        counted.isEmpty ? nil : counted[contentID].map { terms[$0].agreement }
    }
}

extension AgreementIndex: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: AgreementTerms...) { self.init(elements) }
}
