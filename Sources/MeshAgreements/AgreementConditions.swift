import MeshBase

/// Under which conditions an agreement lets its consumer call what it grants (protocol section 7). What is
/// absent restricts nothing.
///
/// Every list is rising, holds nothing twice, and has at least one and at most
/// `AgreementLimits.namesPerCondition` members: one set of conditions has one form.
public struct AgreementConditions: Hashable, Sendable, Codable {
    /// What the consumer may do with data.
    public var access: AccessLevel
    /// Who at the consumer may call; nil: everybody.
    public var principals: [Principal]?
    /// The consumer's node must hold one of these roles in the provider's own domain, by a credential that
    /// counts; nil: none is asked for. What a partner's issuer gives is worth nothing here.
    public var roles: [DomainRole]?
    /// What a call must be for, in its own word; nil: it need not say.
    public var purposes: [Purpose]?
    /// From where calls may come, as the provider sees the link; nil: from everywhere.
    public var networks: [IPNetwork]?
    /// Whether payloads are sealed to the provider (Docs/Protocol.md, Sealed payloads); nil: they need not
    /// be.
    public var encryption: EncryptionDemand?

    /// No condition.
    public static let none = AgreementConditions()

    public init(
        access: AccessLevel = .full, principals: [Principal]? = nil, roles: [DomainRole]? = nil,
        networks: [IPNetwork]? = nil, purposes: [Purpose]? = nil, encryption: EncryptionDemand? = nil
    ) {
        self.access = access
        self.principals = principals.map { Array(Set($0)).sorted() }
        self.roles = roles.map { Array(Set($0)).sorted() }
        self.networks = networks.map { Array(Set($0)).sorted() }
        self.purposes = purposes.map { Array(Set($0)).sorted() }
        self.encryption = encryption
    }

    /// Whether every list is as it must be.
    var isWellFormed: Bool {
        isRising(principals) && isRising(roles) && isRising(networks) && isRising(purposes)
    }

    private func isRising(_ list: [some Comparable]?) -> Bool {
        guard let list else { return true }
        return (1...AgreementLimits.namesPerCondition).contains(list.count)
            && zip(list, list.dropFirst()).allSatisfy { $0 < $1 }
    }
}

/// What an agreement asks of payloads. There is no word for nothing: that is the absence of one.
public enum EncryptionDemand: String, Sendable, Codable {
    /// They are sealed to the provider, and its answers to the consumer.
    case required
}

/// What a consumer may do with data, each level more than the one before it.
public enum AccessLevel: String, Sendable, Codable, CaseIterable, Comparable {
    /// Learn about data without getting any: descriptions in the catalog, and the methods that transfer none
    /// (HEAD and OPTIONS, RFC 9110 sections 9.3.2 and 9.3.7).
    case metadataOnly = "metadata_only"
    /// Use capabilities that are declared safe.
    case readOnly = "read_only"
    /// Use whatever is granted.
    case full

    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .metadataOnly: 0
        case .readOnly: 1
        case .full: 2
        }
    }

    /// Whether a request by `method` of a capability of this safety stays within the level.
    func covers(method: String, _ safety: Safety) -> Bool {
        switch self {
        case .metadataOnly: method == "HEAD" || method == "OPTIONS"
        case .readOnly: safety == .safe
        case .full: true
        }
    }
}

// The evaluator's part for conditions.
extension AgreementConditions {
    /// Whether `question` meets every condition. It allocates nothing.
    func permit(_ question: PolicyQuestion) -> Bool {
        access.covers(method: question.method, question.safety)
            && principals?.contains(question.principal) ?? true && permitRoles(of: question)
            && permitPurpose(of: question) && permitNetwork(of: question)
            && (encryption == nil || question.payload == .sealed)
    }

    private func permitRoles(of question: PolicyQuestion) -> Bool {
        guard let roles else { return true }
        guard let held = question.callerRoles else { return false }
        return roles.contains { held.contains($0) }
    }

    private func permitPurpose(of question: PolicyQuestion) -> Bool {
        guard let purposes else { return true }
        guard let stated = question.purpose else { return false }
        return purposes.contains(stated)
    }

    /// Where a call comes from, only the provider sees.
    private func permitNetwork(of question: PolicyQuestion) -> Bool {
        guard let networks, question.side == .provider else { return true }
        guard let address = question.callerAddress else { return false }
        return networks.contains { $0.contains(address) }
    }

    /// Every condition that `question` does not meet, each with what was compared.
    func shortcomings(for question: PolicyQuestion, named: [Fact]) -> [Refusal] {
        var missing: [Refusal] = []
        func add(_ code: RefusalCode, _ facts: [Fact]) { missing.append(Refusal(code, named + facts)) }
        if !access.covers(method: question.method, question.safety) {
            add(
                .accessLevelExceeded,
                [
                    Fact("access agreed", access.rawValue), Fact("method", question.method),
                    Fact("capability", question.capability),
                    Fact("capability is", question.safety.rawValue),
                ])
        }
        if let principals, !principals.contains(question.principal) {
            add(
                .principalNotAgreed,
                [Fact("principal", question.principal), Fact("principals agreed", Self.text(principals))])
        }
        if !permitRoles(of: question) {
            let held = question.callerRoles.map(Self.text) ?? "none"
            add(.roleNotAgreed, [Fact("caller's roles", held), Fact("roles agreed", Self.text(roles ?? []))])
        }
        if !permitPurpose(of: question) {
            add(
                .purposeNotAgreed,
                [
                    Fact("purpose", question.purpose?.description ?? "none stated"),
                    Fact("purposes agreed", Self.text(purposes ?? [])),
                ])
        }
        if !permitNetwork(of: question) {
            add(
                .networkNotAgreed,
                [
                    Fact("caller's address", question.callerAddress?.description ?? "unknown"),
                    Fact("networks agreed", Self.text(networks ?? [])),
                ])
        }
        if encryption == .required, question.payload == .clear {
            add(
                question.side == .consumer ? .encryptionKeyMissing : .encryptionRequired,
                [Fact("payload", "in clear"), Fact("encryption agreed", "required")])
        }
        return missing
    }

    private static func text(_ list: [some CustomStringConvertible]) -> String {
        let named = list.prefix(8).map(\.description).joined(separator: ", ")
        return list.count > 8 ? named + ", ... (\(list.count))" : named
    }
}
