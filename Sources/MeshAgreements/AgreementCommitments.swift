import MeshBase

/// What the parties promise beside what is enforced: kept, signed, shown and exported, and decided by no
/// machine.
///
/// Both lists are rising, hold nothing twice, and have at least one and at most
/// `AgreementLimits.namesPerCondition` members: one set of commitments has one form.
public struct AgreementCommitments: Hashable, Sendable, Codable {
    /// Short names of compliance frameworks that both keep to (`gdpr`, `iso27001`); nil: none is named.
    public let frameworks: [ShortText]?
    /// What the provider promises of its service, by name; nil: nothing.
    public let serviceLevels: [ServiceLevel]?

    public init(frameworks: [ShortText] = [], serviceLevels: [ServiceLevel] = []) {
        self.frameworks = frameworks.isEmpty ? nil : Array(Set(frameworks)).sorted()
        self.serviceLevels = serviceLevels.isEmpty ? nil : serviceLevels.sorted { $0.name < $1.name }
    }

    /// No commitment.
    public static let none = AgreementCommitments()

    var isWellFormed: Bool {
        let names = serviceLevels?.map(\.name)
        return self != .none && isRising(frameworks) && isRising(names)
    }

    private func isRising(_ list: [ShortText]?) -> Bool {
        guard let list else { return true }
        return (1...AgreementLimits.namesPerCondition).contains(list.count)
            && zip(list, list.dropFirst()).allSatisfy { $0 < $1 }
    }
}

/// One promise about a service: `availability`, `99.9`, `percent`.
public struct ServiceLevel: Hashable, Sendable, Codable, CustomStringConvertible {
    /// What is promised.
    public let name: ShortText
    /// How much of it, as the parties write it.
    public let target: ShortText
    /// In which unit; nil: it has none.
    public let unit: ShortText?

    public init(name: ShortText, target: ShortText, unit: ShortText?) {
        self.name = name
        self.target = target
        self.unit = unit
    }

    /// `availability 99.9 percent`.
    public var description: String { "\(name) \(target)" + (unit.map { " \($0)" } ?? "") }
}
