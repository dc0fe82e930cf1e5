import MeshAgreements
import MeshBase
import MeshControl

/// An agreement as a policy of the Open Digital Rights Language 2.2 (W3C, ODRL Information Model and ODRL
/// Vocabulary), in JSON-LD. `Docs/Operating/agreements.md` has the profile: which member becomes what.
///
/// It is for readers, and no evidence: nobody signed it.
struct ODRLPolicy: Encodable {
    private let agreement: Agreement
    /// How it stands at the node that writes it: one that only one side signed is an offer.
    private let state: AgreementReport.State
    private static let profile = "https://comity.invalid/odrl/1"

    init(_ agreement: Agreement, _ state: AgreementReport.State) {
        self.agreement = agreement
        self.state = state
    }

    private enum Key: String, CodingKey {
        case context = "@context"
        case type = "@type"
        case uid, profile, assigner, assignee, permission, prohibition, obligation
        case version = "comity:version"
        case created = "comity:created"
        case state = "comity:state"
        case offeredBy = "comity:offeredBy"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(Context(), forKey: .context)
        try container.encode(state == .offered ? "Offer" : "Agreement", forKey: .type)
        try container.encode("urn:uuid:\(agreement.id)", forKey: .uid)
        try container.encode(Self.profile, forKey: .profile)
        try container.encode(Self.uri(agreement.source), forKey: .assigner)
        try container.encode(Self.uri(agreement.target), forKey: .assignee)
        try container.encode(agreement.version, forKey: .version)
        try container.encode(Operand.time(agreement.created), forKey: .created)
        try container.encode(state.rawValue, forKey: .state)
        try container.encode(Self.uri(.node(agreement.createdBy)), forKey: .offeredBy)
        try container.encode(permissions, forKey: .permission)
        if !prohibitions.isEmpty { try container.encode(prohibitions, forKey: .prohibition) }
        if !obligations.isEmpty { try container.encode(obligations, forKey: .obligation) }
    }

    // MARK: Rules

    private var permissions: [Rule] {
        agreement.grants.map { grant in
            Rule(
                target: target(grant),
                action: grant.capabilities.map { $0.map { "comity:capability/\($0)" } } ?? ["use"],
                constraint: times + conditions + limits + namespaces(grant), duty: consents + seals)
        }
    }

    /// What the level of access keeps from the consumer, in ODRL's own actions.
    private var prohibitions: [Rule] {
        let kept: [String] =
            switch agreement.conditions?.access ?? .full {
            case .full: []
            case .readOnly: ["modify", "delete"]
            case .metadataOnly: ["read", "modify", "delete"]
            }
        return kept.isEmpty ? [] : agreement.grants.map { Rule(target: target($0), action: kept) }
    }

    private var obligations: [Rule] {
        let promised = agreement.commitments ?? .none
        let parties = [agreement.source, agreement.target]
        let frameworks = (promised.frameworks ?? []).flatMap { framework in
            parties.map { party in
                Rule(
                    assignee: Self.uri(party), action: ["comity:complyWith"],
                    constraint: [
                        Constraint("comity:framework", "eq", .text(framework.description))
                    ])
            }
        }
        return frameworks
            + (promised.serviceLevels ?? []).map { level in
                Rule(
                    assignee: Self.uri(agreement.source), action: ["comity:provideService"],
                    constraint: [
                        Constraint(
                            "comity:serviceLevel/\(level.name)", "eq", .text(level.target.description),
                            unit: level.unit?.description)
                    ])
            }
    }

    /// Who must approve before anything is permitted.
    private var consents: [Rule] {
        [agreement.source, agreement.target].compactMap { party in
            let roles = party.node.map { agreement.approvalsRequired(of: $0) } ?? []
            guard !roles.isEmpty else { return nil }
            return Rule(
                action: ["obtainConsent"], consentingParty: Self.uri(party),
                constraint: [
                    Constraint("comity:approvalRole", "isAllOf", .list(roles.map(\.rawValue)))
                ])
        }
    }

    /// What must be done with each payload.
    private var seals: [Rule] {
        agreement.conditions?.encryption == .required ? [Rule(action: ["comity:sealPayloads"])] : []
    }

    private var times: [Constraint] {
        let from = agreement.validFrom.map { [Constraint("dateTime", "gteq", .time($0))] } ?? []
        return from + [Constraint("dateTime", "lteq", .time(agreement.validUntil))]
    }

    private var conditions: [Constraint] {
        guard let conditions = agreement.conditions else { return [] }
        func anyOf(_ operand: String, _ list: [some CustomStringConvertible]?) -> [Constraint] {
            list.map { [Constraint(operand, "isAnyOf", .list($0.map(\.description)))] } ?? []
        }
        return [Constraint("comity:access", "eq", .text(conditions.access.rawValue))]
            + anyOf("comity:principal", conditions.principals) + anyOf("comity:role", conditions.roles)
            + anyOf("virtualLocation", conditions.networks) + anyOf("purpose", conditions.purposes)
    }

    private var limits: [Constraint] {
        let limits = agreement.limits ?? .none
        func atMost(_ operand: String, _ limit: (some CustomStringConvertible)?) -> [Constraint] {
            limit.map { [Constraint(operand, "lteq", .text($0.description))] } ?? []
        }
        let cut = Constraint("comity:callsAtEnd", "eq", .text(CallsAtEnd.cut.rawValue))
        return atMost("comity:rate", limits.rate) + atMost("comity:callsPerDay", limits.callsPerDay)
            + atMost("comity:callsPerMonth", limits.callsPerMonth) + atMost("comity:hops", limits.hops)
            + (agreement.callsAtEnd == .cut ? [cut] : [])
    }

    private func namespaces(_ grant: Grant) -> [Constraint] {
        grant.namespaces.map {
            [Constraint("comity:namespace", "isAnyOf", .list($0.map(\.description)))]
        } ?? []
    }

    private func target(_ grant: Grant) -> String {
        "\(Self.uri(agreement.source)):resource:\(grant.resource)"
    }

    private static func uri(_ party: AgreementParty) -> String {
        switch party {
        case .node(let node): "urn:comity:node:\(node)"
        case .domain(let domain): "urn:comity:domain:\(domain)"
        }
    }

    // MARK: Forms

    private struct Context: Encodable {
        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            try list.encode("http://www.w3.org/ns/odrl.jsonld")
            try list.encode(["comity": "\(ODRLPolicy.profile)#"])
        }
    }

    private struct Rule: Encodable {
        var assignee: String?
        var target: String?
        var action: [String]
        var consentingParty: String?
        var constraint: [Constraint]?
        var duty: [Rule]?

        init(
            assignee: String? = nil, target: String? = nil, action: [String], consentingParty: String? = nil,
            constraint: [Constraint] = [], duty: [Rule] = []
        ) {
            self.assignee = assignee
            self.target = target
            self.action = action
            self.consentingParty = consentingParty
            self.constraint = constraint.isEmpty ? nil : constraint
            self.duty = duty.isEmpty ? nil : duty
        }
    }

    private struct Constraint: Encodable {
        let leftOperand: String
        let `operator`: String
        let rightOperand: Operand
        let unit: String?

        init(_ left: String, _ comparison: String, _ right: Operand, unit: String? = nil) {
            leftOperand = left
            self.operator = comparison
            rightOperand = right
            self.unit = unit
        }
    }

    private enum Operand: Encodable {
        case text(String)
        case list([String])
        case time(WallTime)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .list(let list): try container.encode(list)
            case .time(let time):
                try container.encode(["@type": "xsd:dateTime", "@value": RFC3339.text(time)])
            }
        }
    }
}
