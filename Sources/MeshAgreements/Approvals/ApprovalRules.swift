import MeshBase

/// What a person is to an agreement, in the words of a responsibility assignment matrix (RACI).
///
/// Written, compared and listed in this order.
public enum ApprovalRole: String, Sendable, Codable, CaseIterable, Comparable {
    /// Does the work that is agreed.
    case responsible
    /// Answers for it.
    case accountable
    /// Is asked before.
    case consulted
    /// Is told, and says that it was.
    case informed

    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .responsible: 0
        case .accountable: 1
        case .consulted: 2
        case .informed: 3
        }
    }

    /// Without these nothing that asks for approvals becomes active (protocol section 7).
    static let indispensable: [ApprovalRole] = [.responsible, .accountable]
}

/// In which roles people of the two parties must approve before an agreement is in force. Absent members ask
/// for nobody.
///
/// Each list is rising, and holds *responsible* and *accountable*: one set of rules has one form.
public struct ApprovalRules: Hashable, Sendable, Codable {
    /// Of the provider's people; nil: nobody's.
    public let provider: [ApprovalRole]?
    /// Of the consumer's; nil: nobody's.
    public let consumer: [ApprovalRole]?

    /// Rules by which the people of either party must approve in `provider` and `consumer`; what is
    /// indispensable is added where anything is asked for.
    public init(provider: [ApprovalRole] = [], consumer: [ApprovalRole] = []) {
        self.provider = Self.whole(provider)
        self.consumer = Self.whole(consumer)
    }

    /// Nobody need approve.
    static let none = ApprovalRules()

    /// These rules, and `roles` of the provider's people.
    func askingProvider(for roles: [ApprovalRole]) -> ApprovalRules {
        ApprovalRules(provider: (provider ?? []) + roles, consumer: consumer ?? [])
    }

    /// Whether the rules have their one form, and ask for something.
    var isWellFormed: Bool {
        let lists = [provider, consumer].compactMap { $0 }
        return !lists.isEmpty && lists.allSatisfy { Self.whole($0) == $0 }
    }

    static func whole(_ roles: [ApprovalRole]) -> [ApprovalRole]? {
        roles.isEmpty
            ? nil
            : ApprovalRole.allCases.filter { roles.contains($0) || ApprovalRole.indispensable.contains($0) }
    }

    static func words(_ roles: [ApprovalRole]) -> String { roles.map(\.rawValue).joined(separator: ", ") }
}

extension Agreement {
    /// In which roles people of `party` must approve; empty: nobody need.
    public func approvalsRequired(of party: NodeID) -> [ApprovalRole] {
        (source == party ? approvals?.provider : target == party ? approvals?.consumer : nil) ?? []
    }
}
