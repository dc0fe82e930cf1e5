import MeshAgreements
import MeshBase
import MeshControl

// One vocabulary for people, the other signed: a case that one lacks does not compile.
extension ConditionsReport {
    init(_ conditions: AgreementConditions) {
        let access: Access =
            switch conditions.access {
            case .metadataOnly: .metadataOnly
            case .readOnly: .readOnly
            case .full: .full
            }
        self.init(
            access: access, principals: conditions.principals ?? [], roles: conditions.roles ?? [],
            networks: conditions.networks ?? [], purposes: conditions.purposes ?? [],
            encryption: conditions.encryption == .required ? .required : nil)
    }

    /// What is signed.
    var conditions: AgreementConditions {
        let level: AccessLevel =
            switch access {
            case .metadataOnly: .metadataOnly
            case .readOnly: .readOnly
            case .full: .full
            }
        return AgreementConditions(
            access: level, principals: principals.isEmpty ? nil : principals,
            roles: roles.isEmpty ? nil : roles, networks: networks.isEmpty ? nil : networks,
            purposes: purposes.isEmpty ? nil : purposes,
            encryption: encryption == .required ? .required : nil)
    }
}

extension CommitmentsReport {
    init(_ commitments: AgreementCommitments) {
        self.init(
            frameworks: commitments.frameworks ?? [],
            serviceLevels: (commitments.serviceLevels ?? []).map {
                ServiceLevel(name: $0.name, target: $0.target, unit: $0.unit)
            })
    }

    /// What is signed.
    var commitments: AgreementCommitments {
        AgreementCommitments(
            frameworks: frameworks,
            serviceLevels: serviceLevels.map {
                MeshAgreements.ServiceLevel(name: $0.name, target: $0.target, unit: $0.unit)
            })
    }
}

extension LimitsReport {
    init(_ limits: UsageLimits) {
        self.init(
            rate: limits.rate.map { Rate(calls: $0.calls, seconds: $0.seconds, burst: $0.burst) },
            callsPerDay: limits.callsPerDay, callsPerMonth: limits.callsPerMonth, hops: limits.hops)
    }

    /// What is signed.
    var limits: UsageLimits {
        UsageLimits(
            rate: rate.map { RateLimit(calls: $0.calls, seconds: $0.seconds, burst: $0.burst) },
            callsPerDay: callsPerDay, callsPerMonth: callsPerMonth, hops: hops)
    }
}

extension LimitsReport.CallsAtEnd {
    init(_ calls: CallsAtEnd) {
        switch calls {
        case .finish: self = .finish
        case .cut: self = .cut
        }
    }

    /// What is signed.
    var calls: CallsAtEnd {
        switch self {
        case .finish: .finish
        case .cut: .cut
        }
    }
}

extension UsageReport {
    init(_ reading: QuotaReading) {
        let period: Period =
            switch reading.period {
            case .day: .day
            case .month: .month
            }
        self.init(
            period: period, window: reading.window, quota: reading.quota, used: reading.used,
            left: max(0, reading.quota - reading.used), ends: Timestamp(reading.ends))
    }
}
