import MeshAudit
import MeshBase
import MeshControl
import MeshNode

// What happened.
extension ReportWriter {
    /// One event; one that is under way says so, since how it ends is not known.
    func report(of entry: AuditEntry) -> AuditEventReport {
        var report = report(of: entry.event)
        switch entry.stage {
        case .underWay:
            report.metadata.insert(Fact(AuditEventReport.stage, "under way: its end is not known yet"), at: 0)
        case .ended: break
        }
        return report
    }

    func report(of event: AuditEvent) -> AuditEventReport {
        AuditEventReport(
            id: event.id, time: Timestamp(event.time), type: event.type.rawValue,
            correlation: event.correlation,
            source: reference(event.source), target: reference(event.target), principal: event.principal,
            resource: event.resource, capability: event.capability, action: event.action,
            success: event.success,
            refusals: event.refusals, durationMilliseconds: event.durationInMilliseconds,
            agreement: event.agreement?.description, requestLength: event.requestLength,
            requestDigest: event.requestDigest?.description, answerLength: event.answerLength,
            answerDigest: event.answerDigest?.description, status: event.status.map { Int($0) },
            attempt: Int(event.attempt),
            traceparent: event.traceparent, breaker: event.breaker, metadata: event.metadata)
    }
}

/// What of an audit filter the index cannot answer, and is looked at event by event.
struct AuditSieve: Sendable, Equatable {
    /// A refusal code that it carries; nil: any or none.
    var code: RefusalCode?
    /// Only successes, or only failures; nil: both, and what is under way.
    var success: Bool?

    /// Whether every event passes, so that the index alone answers.
    var isOpen: Bool { code == nil && success == nil }

    func passes(_ entry: AuditEntry) -> Bool {
        let event = entry.event
        if let code, !event.refusals.contains(where: { $0.code == code }) { return false }
        guard let success else { return true }
        return entry.stage == .ended && event.success == success
    }
}

extension AuditTrail {
    /// Entries that one question reads at most before it answers with what it found.
    private static var readMax: Int { 200_000 }

    /// The newest entries that `query` asks for and `sieve` lets pass, at most `limit`, and whether there may
    /// be more.
    func newest(
        _ query: AuditQuery, sieve: AuditSieve, limit: Int
    ) async throws(ControlFailure) -> (entries: [AuditEntry], hasMore: Bool) {
        var query = query
        query.limit = sieve.isOpen ? min(limit + 1, AuditQuery.limitMax) : AuditQuery.limitMax
        var found: [AuditEntry] = []
        let isAll = try await read(query) { entry in
            if sieve.passes(entry) { found.append(entry) }
            return found.count <= limit
        }
        return (Array(found.prefix(limit)), !isAll)
    }

    /// Hands `take` every entry that `query` asks for, the newest first, in pages of the query's limit, until
    /// it says that it has enough; answers whether that was all there is.
    ///
    /// It reads on by date. Events of one millisecond may stand on both sides of a page's end, so a page
    /// begins with that millisecond again, and what was seen of it is left out.
    func read(
        _ query: AuditQuery, _ take: (AuditEntry) -> Bool
    ) async throws(ControlFailure) -> Bool {
        var page = query
        var taken = 0
        var last: Set<CorrelationID> = []
        while taken < Self.readMax {
            let read = try await answers(page)
            let fresh = read.filter { !last.contains($0.event.id) }
            for entry in fresh where !take(entry) { return false }
            taken += fresh.count
            guard read.count == page.limit, let end = read.last else { return true }
            guard !fresh.isEmpty else { return false }
            page.until = end.event.time + .milliseconds(1)
            last = Set(read.filter { $0.event.time == end.event.time }.map(\.event.id))
        }
        return false
    }

    /// The index's answer, or why there is none, as an operation fails.
    func answers(_ query: AuditQuery) async throws(ControlFailure) -> [AuditEntry] {
        do {
            return try await entries(query)
        } catch {
            throw ControlFailure(
                .fault, code: "agent-fault", message: "the audit cannot be read",
                facts: [Fact("cause", String(describing: error))], next: "comity status")
        }
    }
}
