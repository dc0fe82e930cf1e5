import MeshAgreements
import MeshBase
import MeshControl

// What a person should look at of agreements.
extension ReportWriter {
    /// Agreements that end within a week and within the last third of their life, unless a later one covers
    /// the same: an offer for an hour is not urgent because it is short.
    var expiryAttention: [AttentionReport] {
        let records = node.agreements.records.filter { record in
            let state = state(of: record)
            return state == .active || state == .early
        }
        return records.compactMap { record in
            let agreement = record.agreement
            let left = agreement.validUntil - now.wall
            guard left < .seconds(7 * 24 * 3_600), left * 3 < agreement.validUntil - agreement.created,
                record.origin != .builtIn,
                !records.contains(where: { $0.isLater(than: record) })
            else { return nil }
            let resources = agreement.grants.map(\.resource.description).joined(separator: ", ")
            let peer = title(record.peer)
            let until = RFC3339.text(agreement.validUntil)
            if agreement.source == me {
                return AttentionReport(
                    what: "\(peer) may call \(resources) here only until \(until)",
                    next: "comity agreement renew \(record.contentID.description.prefix(12))")
            }
            return AttentionReport(
                what: "this node may call \(resources) at \(peer) only until \(until)",
                next: "comity agreement show \(record.contentID.description.prefix(12))")
        }
    }

    /// Quotas of which 80 percent and more are used here.
    var quotaAttention: [AttentionReport] {
        node.agreements.records.filter { state(of: $0) == .active }.flatMap { record in
            let agreement = record.agreement
            guard let limits = agreement.limits else { return [AttentionReport]() }
            let resources = agreement.grants.map(\.resource.description).joined(separator: ", ")
            let peer = title(record.peer)
            let calls =
                agreement.source == me
                ? "of \(peer) to \(resources) here" : "of this node to \(resources) at \(peer)"
            return meters.readings(of: limits, of: agreement, at: now.wall)
                .filter { $0.used * 5 >= $0.quota * 4 }
                .map { reading in
                    AttentionReport(
                        what: "\(reading.used) of \(reading.quota) calls \(calls) are used in"
                            + " \(reading.window), and count anew at \(RFC3339.text(reading.ends))",
                        next: "comity agreement show \(record.contentID.description.prefix(12))")
                }
        }
    }
}

extension AgreementRecord {
    /// Whether it covers between the same two, the same way, all resources of `other`, for longer.
    fileprivate func isLater(than other: AgreementRecord) -> Bool {
        let covered = agreement.grants.map(\.resource)
        return agreement.source == other.agreement.source && agreement.target == other.agreement.target
            && agreement.validUntil > other.agreement.validUntil
            && other.agreement.grants.allSatisfy { covered.contains($0.resource) }
    }
}
