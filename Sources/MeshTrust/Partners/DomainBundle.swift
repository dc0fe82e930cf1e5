import MeshBase

/// A domain's own word about its keys, for other domains. Its payload is a SPIFFE trust bundle as it stands
/// (SPIFFE Trust Domain and Bundle, section 4): what we add is under one name, `comity`, which other readers
/// pass over.
///
/// It proves that it belongs to its domain, and not that anybody should trust that domain: `Partnerships`
/// says that. What became of it is `PartnerBook`'s.
public struct DomainBundle: SignedBody {
    public static let kind = DocumentKind.bundle
    /// One certificate in base64; ours take about 600 bytes.
    public static let textLimit = 4 * 1024
    /// How often members of partner domains look for a later bundle: what SPIFFE calls the refresh hint.
    public static let refreshHint: Duration = .seconds(300)

    /// Whose keys these are.
    public let domain: DomainID
    /// How its people call it: a label, never a ground for trust.
    public let label: NodeName
    /// When it was signed, by the clock where the anchor is.
    public let issued: WallTime
    /// From 1; of two bundles of one domain the higher one counts. Never falls.
    public let sequence: Int64
    /// How often to look for a later one, in seconds.
    public let refreshSeconds: Int64
    /// The keys under which the domain's credentials end; none: nobody trusts the domain until a later
    /// bundle.
    public let keys: [BundleKey]

    /// A bundle as its domain's anchor is to sign it.
    public init(
        domain: DomainID, label: NodeName, issued: WallTime, sequence: Int64, keys: [BundleKey],
        refreshSeconds: Int64 = Int64(Self.refreshHint.wholeMilliseconds / 1_000)
    ) {
        self.domain = domain
        self.label = label
        self.issued = issued
        self.sequence = sequence
        self.refreshSeconds = refreshSeconds
        self.keys = keys
    }

    /// What no honest anchor writes; nil when nothing is.
    var flaw: String? {
        if sequence < 1 { return "its sequence is below 1" }
        if keys.count > Limits.bundleKeys { return "it has more than \(Limits.bundleKeys) keys" }
        if Set(keys.map(\.key)).count < keys.count { return "a key stands in it twice" }
        return nil
    }
}

extension DomainBundle {
    private enum Member: String, CodingKey {
        case comity, keys
        case refreshHint = "spiffe_refresh_hint"
        case sequence = "spiffe_sequence"
    }

    /// What SPIFFE has no place for.
    private struct Addition: Codable {
        let domain: DomainID
        let issued: WallTime
        let label: NodeName
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Member.self)
        let addition = try container.decode(Addition.self, forKey: .comity)
        domain = addition.domain
        label = addition.label
        issued = addition.issued
        sequence = try container.decode(Int64.self, forKey: .sequence)
        refreshSeconds = try container.decode(Int64.self, forKey: .refreshHint)
        keys = try container.decode([BundleKey].self, forKey: .keys)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Member.self)
        try container.encode(Addition(domain: domain, issued: issued, label: label), forKey: .comity)
        try container.encode(sequence, forKey: .sequence)
        try container.encode(refreshSeconds, forKey: .refreshHint)
        try container.encode(keys, forKey: .keys)
    }
}
