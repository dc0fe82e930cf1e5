import MeshBase
import Testing

@testable import MeshAudit

@Suite struct AuditReadingTests {
    private func entry(_ stage: AuditStage = .ended, change: (inout AuditEvent) -> Void = { _ in })
        -> AuditEntry
    {
        var event = attempt()
        event.time = moment(0).wall
        event.success = true
        change(&event)
        return AuditEntry(event: event, stage: stage)
    }

    @Test func `gives a peer only events in which it is source or target`() {
        let event = attempt(from: here, to: partner)
        #expect(event.isVisible(to: here))
        #expect(event.isVisible(to: partner))
        #expect(!event.isVisible(to: third))
    }

    @Test func `finds by each thing that can be asked`() {
        #expect(AuditQuery().matches(entry()))
        #expect(AuditQuery(correlation: call(1)).matches(entry()))
        #expect(!AuditQuery(correlation: call(2)).matches(entry()))
        #expect(AuditQuery(node: partner).matches(entry()))
        #expect(!AuditQuery(node: third).matches(entry()))
        #expect(!AuditQuery(principal: Principal("anna")).matches(entry()))
        #expect(!AuditQuery(resource: name("other")).matches(entry()))
        #expect(!AuditQuery(type: .service).matches(entry()))
        #expect(AuditQuery(from: moment(0).wall, until: moment(1).wall).matches(entry()))
        #expect(!AuditQuery(from: moment(1).wall).matches(entry()))
        #expect(!AuditQuery(until: moment(0).wall).matches(entry()))
    }

    @Test func `takes what is under way for no failure`() {
        let failures = AuditQuery(outcomes: .failures)
        #expect(!failures.matches(entry()))
        #expect(failures.matches(entry { $0.success = false }))
        #expect(!failures.matches(entry(.underWay) { $0.success = false }))
    }

    @Test func `answers at least one and at most ten thousand`() {
        #expect(AuditQuery(limit: -3).limit == 1)
        #expect(AuditQuery(limit: .max).limit == 10_000)
    }

    @Test func `keeps a settlement apart whose call it has not read`() {
        var fold = AuditFold()
        let settlement = AuditSettlement(
            id: call(5), time: moment(0).wall, success: true, durationInMilliseconds: 1)
        let whole = fold.add(.settled(settlement))
        #expect(whole == nil)
        #expect(fold.orphans == [settlement])
    }
}
