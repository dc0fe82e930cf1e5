import MeshBase

/// Which other domains a domain trusts: its operator's decision, one document for all its members, signed by
/// its anchor (protocol section 3).
///
/// It carries the keys that were confirmed, so that a member which never met a partner can judge its nodes by
/// this document alone; the partner's later bundles follow from these keys.
public struct Partnerships: SignedBody {
    public static let kind = DocumentKind.partnerships

    /// Whose decision it is.
    public let domain: DomainID
    /// From 1; a higher one takes the place of a lower one at every member.
    public let sequence: Int64
    /// When it was made, by the clock where the anchor is.
    public let issued: WallTime
    /// Rising by domain, none twice, at most `Limits.partnerDomains`.
    public let partners: [Partner]
    /// Who was one, in the order in which it ended, at most `Limits.partnersForgotten`; nil: nobody.
    let forgotten: [ForgottenPartner]?

    init(
        domain: DomainID, sequence: Int64, issued: WallTime, partners: [Partner],
        forgotten: [ForgottenPartner]? = nil
    ) {
        self.domain = domain
        self.sequence = sequence
        self.issued = issued
        self.partners = partners
        self.forgotten = forgotten
    }

    /// The decision about `domain`; nil: it is no partner.
    public func partner(_ domain: DomainID) -> Partner? { partners.first { $0.domain == domain } }

    /// The rules that no honest anchor breaks.
    var isWellFormed: Bool {
        guard sequence >= 1, partners.count <= Limits.partnerDomains else { return false }
        for (one, next) in zip(partners, partners.dropFirst()) where one.domain >= next.domain {
            return false
        }
        let gone = forgotten?.map(\.domain) ?? []
        guard gone.count <= Limits.partnersForgotten, Set(gone).count == gone.count,
            partners.allSatisfy({ !gone.contains($0.domain) })
        else { return false }
        return partners.allSatisfy {
            $0.domain != domain && $0.sequence >= 1 && $0.keys.count <= Limits.bundleKeys
        }
    }
}

/// Another domain that is trusted, as far as it is.
public struct Partner: Codable, Equatable, Sendable {
    /// Which.
    public let domain: DomainID
    /// How its people called it when it was confirmed.
    public let label: NodeName
    /// A node of it is trusted only when its credential holds one of these; nil: every member.
    public let roles: RoleList?
    /// The number of the bundle that was confirmed; 1 where nobody signed it.
    public let sequence: Int64
    /// Of that bundle: SHA-256 of its payload; nil: nobody signed it, and the first signed one takes its
    /// place.
    public let bundle: Digest?
    /// The keys in it; where nobody signed it, the anchor alone.
    public let keys: [PublicKey]

    init(
        domain: DomainID, label: NodeName, roles: RoleList?, sequence: Int64, bundle: Digest?,
        keys: [PublicKey]
    ) {
        self.domain = domain
        self.label = label
        self.roles = roles
        self.sequence = sequence
        self.bundle = bundle
        self.keys = keys
    }
}

/// A domain that is a partner no more: should it become one again, no bundle before the last that was known
/// counts, with the keys that it has put aside since.
struct ForgottenPartner: Codable, Equatable, Sendable {
    let domain: DomainID
    /// The number of the last bundle that counted.
    let sequence: Int64
}
