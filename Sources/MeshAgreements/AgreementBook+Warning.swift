import MeshBase

/// That an agreement's end is near: told 30, 7 and 1 days ahead, each once for a version whatever the clock
/// does and whatever crashes, and only of one whose life is half a day longer than that: it was no news when
/// it was made. After a pause only the nearest of what was missed is told. What this node renews by itself
/// needs no word.
extension AgreementBook {
    /// Tells what is due of one record, and keeps that it was told.
    mutating func warn(
        _ record: AgreementRecord, at now: WallTime, into effects: inout Outbox<AgreementEffect>
    ) {
        guard let days = record.warnings.last(where: { record.warningTime($0) <= now }) else { return }
        var warned = record
        warned.warned = days
        files.update(record.peer) { $0.records[AgreementVersion(record.agreement)] = warned }
        effects.post(.persist(warned))
        effects.post(
            .record(
                AgreementNotice(
                    peer: record.peer, action: .expiring, contentID: record.contentID,
                    agreement: record.agreement,
                    more: [
                        Fact("ends within days", days),
                        Fact("until", RFC3339.text(record.agreement.validUntil)),
                    ])))
    }
}

extension AgreementRecord {
    /// How many days ahead its end is still to be told, the earliest first.
    var warnings: [Int64] {
        guard case .active = state, origin != .builtIn else { return [] }
        return AgreementLimits.warningDays.filter { days in
            agreement.life >= .seconds(days * 86_400 + 43_200) && days < warned ?? .max
        }
    }

    /// When its end is so many days ahead.
    func warningTime(_ days: Int64) -> WallTime { agreement.validUntil - .seconds(days * 86_400) }
}
