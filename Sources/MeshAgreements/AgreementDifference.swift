import MeshBase

/// One thing in which two agreements, or two versions of one, differ: what is said of it on either side, in
/// words for people. Nodes are named by the caller.
public struct AgreementDifference: Equatable, Sendable {
    /// What is compared: `provider`, `capabilities of orders`, `principals`.
    public let subject: String
    /// What the first says.
    public let first: String
    /// What the second says.
    public let second: String
}

extension Agreement {
    /// What `other` says otherwise, in reading order: parties, what may be called, conditions, limits, times.
    /// Nothing that both say stands in it; their ids and versions do, where they differ.
    /// - Parameter name: how people call a party.
    public func differences(
        from other: Agreement, naming name: (AgreementParty) -> String
    ) -> [AgreementDifference] {
        var found: [AgreementDifference] = []
        func compare(_ subject: String, _ first: String, _ second: String) {
            guard first != second else { return }
            found.append(AgreementDifference(subject: subject, first: first, second: second))
        }
        compare("agreement", id.description, other.id.description)
        compare("version", "\(version)", "\(other.version)")
        compare("provider", name(source), name(other.source))
        compare("consumer", name(target), name(other.target))
        for resource in Set((grants + other.grants).map(\.resource)).sorted() {
            compare("capabilities of \(resource)", words(of: resource), other.words(of: resource))
            compare(
                "namespaces of \(resource)", Self.words(namespaces(of: resource)),
                Self.words(other.namespaces(of: resource)))
        }
        let (mine, theirs) = (conditions ?? .none, other.conditions ?? .none)
        compare("access", mine.access.rawValue, theirs.access.rawValue)
        compare("principals", Self.words(mine.principals), Self.words(theirs.principals))
        compare("roles", Self.words(mine.roles), Self.words(theirs.roles))
        compare("networks", Self.words(mine.networks), Self.words(theirs.networks))
        compare("encryption", mine.encryption?.rawValue ?? "none", theirs.encryption?.rawValue ?? "none")
        compare("purposes", Self.words(mine.purposes), Self.words(theirs.purposes))
        let (people, others) = (approvals ?? .none, other.approvals ?? .none)
        compare("approvals of the provider", Self.words(people.provider), Self.words(others.provider))
        compare("approvals of the consumer", Self.words(people.consumer), Self.words(others.consumer))
        let (promised, otherwise) = (commitments ?? .none, other.commitments ?? .none)
        compare("frameworks", Self.listed(promised.frameworks), Self.listed(otherwise.frameworks))
        compare("service levels", Self.listed(promised.serviceLevels), Self.listed(otherwise.serviceLevels))
        let (ours, otherLimits) = (limits ?? .none, other.limits ?? .none)
        compare("rate", Self.words(ours.rate), Self.words(otherLimits.rate))
        compare("calls a day", Self.words(ours.callsPerDay), Self.words(otherLimits.callsPerDay))
        compare("calls a month", Self.words(ours.callsPerMonth), Self.words(otherLimits.callsPerMonth))
        compare("hops", Self.words(ours.hops), Self.words(otherLimits.hops))
        compare(
            "calls under way at a revocation", (callsAtEnd ?? .finish).rawValue,
            (other.callsAtEnd ?? .finish).rawValue)
        compare("from", Self.words(validFrom), Self.words(other.validFrom))
        compare("until", RFC3339.text(validUntil), RFC3339.text(other.validUntil))
        compare("offered by", name(.node(createdBy)), name(.node(other.createdBy)))
        return found
    }

    private func words(of resource: ResourceName) -> String {
        guard let grant = grants.first(where: { $0.resource == resource }) else { return "not covered" }
        return grant.capabilities.map { $0.map(\.description).joined(separator: ", ") } ?? "all"
    }

    private func namespaces(of resource: ResourceName) -> [ShortText]? {
        grants.first { $0.resource == resource }?.namespaces
    }

    private static func listed(_ list: [some CustomStringConvertible]?) -> String {
        list.map { $0.map(\.description).joined(separator: ", ") } ?? "none"
    }

    private static func words(_ list: [some CustomStringConvertible]?) -> String {
        list.map { $0.map(\.description).joined(separator: ", ") } ?? "any"
    }

    private static func words(_ roles: [ApprovalRole]?) -> String {
        roles.map(ApprovalRules.words) ?? "none"
    }

    private static func words(_ limit: (some CustomStringConvertible)?) -> String {
        limit?.description ?? "no limit"
    }

    private static func words(_ time: WallTime?) -> String { time.map(RFC3339.text) ?? "its activation" }
}
