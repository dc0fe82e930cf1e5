import MeshBase

/// The bundle of this node's own domain, to be given to others.
public enum ShowBundle: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = BundleReport
    public static let path = "domain/bundle"
}

/// Where another domain's bundle is.
public struct BundleSource: Codable, Equatable, Sendable {
    /// The bundle itself, as it was read from a file; nil: a peer has it.
    public var text: String?
    /// The peer that shows its own domain's; nil: it is in `text`.
    public var peer: String?
    /// The domain's ID, or its words, as the operator has them from people of that domain; nil: not known.
    public var fingerprint: String?

    public init(text: String? = nil, peer: String? = nil, fingerprint: String? = nil) {
        self.text = text
        self.peer = peer
        self.fingerprint = fingerprint
    }
}

/// Reads another domain's bundle and changes nothing: what an operator looks at before the yes.
public enum ReadBundle: ControlOperation {
    public typealias Request = BundleSource
    public typealias Response = OfferReport
    public static let path = "domain/partner/read"
}

/// Accepts another domain as a partner, or changes what is accepted of it.
public enum ImportBundle: ControlOperation {
    /// Which domain, as far as it is to be trusted.
    public struct Request: Codable, Equatable, Sendable {
        /// Where its bundle is.
        public var source: BundleSource
        /// Only nodes with one of these; empty: all members.
        public var roles: [DomainRole]
        /// What was shown before the yes: `OfferReport.content`; nil: nothing was.
        public var shown: String?
        /// Whether a person said yes to this domain; where `OfferReport.needsYes`, nothing is done without.
        public var isConfirmed: Bool
        public init(
            source: BundleSource, roles: [DomainRole], shown: String? = nil, isConfirmed: Bool = false
        ) {
            self.source = source
            self.roles = roles
            self.shown = shown
            self.isConfirmed = isConfirmed
        }
    }
    public typealias Response = PartnerReport
    public static let path = "domain/partner/import"
}

/// Ends a partnership.
public enum ForgetPartner: ControlOperation {
    /// Which.
    public struct Request: Codable, Equatable, Sendable {
        /// Its name, its ID, or the beginning of its ID.
        public var name: String
        public init(name: String) { self.name = name }
    }
    public typealias Response = PartnerReport
    public static let path = "domain/partner/forget"
}
