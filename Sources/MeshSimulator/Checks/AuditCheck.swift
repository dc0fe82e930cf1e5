import MeshAudit
import MeshBase
import MeshNode

/// What was acknowledged is in the journal, whatever happened since; and each side tells each attempt once.
struct AuditCheck: Sendable {
    /// A record that must be there.
    private struct Promise: Sendable {
        let record: CorrelationID
        let isSynced: Bool
    }

    /// What each host let go of, by its settled record.
    private var promises = OrderedTable<Int, [Promise]>()
    /// Calls whose answers reached their applications whole, by originator.
    private(set) var answered = OrderedTable<Int, [CorrelationID]>()
    /// Hosts that lost power once: what was only written may be missing there.
    private(set) var powerless: Set<Int> = []
    /// Records already seen by each host.
    private var scanned = OrderedTable<Int, Int>()

    /// A host let the last frame of an answer go: all that its journal says is settled by now is promised.
    mutating func acknowledged(_ journal: [AuditRecord], synced: Int, host: Int) {
        let from = min(scanned[host] ?? 0, journal.count)
        var list = promises[host] ?? []
        for index in from..<journal.count {
            if case .settled(let settlement) = journal[index] {
                list.append(Promise(record: settlement.id, isSynced: index < synced))
            }
        }
        scanned[host] = journal.count
        promises[host] = list
    }

    /// An application has its whole answer.
    mutating func answered(_ correlation: CorrelationID, at host: Int) {
        answered[host] = (answered[host] ?? []) + [correlation]
    }

    /// Power was lost: what was only written is not promised any more.
    mutating func powerLost(_ host: Int, journal: [AuditRecord]) {
        promises[host] = (promises[host] ?? []).filter(\.isSynced)
        scanned[host] = journal.count
        powerless.insert(host)
    }

    /// The journal is one of another time: what was promised since is not in it.
    mutating func forget(_ host: Int) {
        promises[host] = nil
        answered[host] = nil
        scanned[host] = 0
        powerless.insert(host)
    }

    /// What is missing in a host's journal.
    func missing(in journal: [AuditRecord], of host: Int) -> [String] {
        let there = Set(
            journal.compactMap { record -> CorrelationID? in
                if case .settled(let settlement) = record { settlement.id } else { nil }
            })
        return (promises[host] ?? []).filter { !there.contains($0.record) }.map {
            "host \(host) lost \($0.record)"
        }
    }

    /// Calls of which an attempt is told and no event closes: of a host where none is under way any more.
    static func unclosed(in events: [AuditEvent]) -> [CorrelationID] {
        let closed = Set(events.filter { $0.type == .call }.compactMap(\.correlation))
        return events.filter { $0.type == .attempt }.compactMap(\.correlation).filter { !closed.contains($0) }
    }

    /// What is told more than once: (type, call, attempt, from, to) must be unique; refusals before the
    /// attempt's own event are not.
    static func repeated(in events: [AuditEvent], of host: Int) -> [String] {
        var seen: Set<String> = []
        var found: [String] = []
        for event in events {
            guard let correlation = event.correlation, event.attempt > 0 || event.type == .call else {
                continue
            }
            let key =
                "\(event.type.rawValue) \(correlation) \(event.attempt) \(event.source.brief) "
                + event.target.brief
            if !seen.insert(event.type == .call ? "call \(correlation)" : key).inserted {
                found.append("host \(host): \(key) told twice")
            }
        }
        return found
    }
}
