import Foundation
import GRDB
import MeshAudit
import MeshBase
import MeshWire
import Testing

@testable import MeshStore

@Suite struct AuditIndexTests {
    let home: TemporaryFolder
    let store: Store
    let journal: Journal
    let index: AuditIndex

    init() throws {
        home = try TemporaryFolder()
        store = try Store.open(path: home.path + "/comity.db")
        journal = try Journal.open(
            folder: home.path + "/journal",
            limits: JournalLimits(segmentBytes: 20_000, totalBytes: 200_000, syncIntervalMilliseconds: 0))
        index = try AuditIndex(store: store, journal: journal)
    }

    private func event(_ number: Int, change: (inout AuditEvent) -> Void = { _ in }) -> AuditEvent {
        var event = AuditEvent(
            id: CorrelationID(high: 0x7000, low: UInt64(number)), time: wall(Int64(number)), type: .attempt,
            correlation: CorrelationID(high: 1, low: UInt64(number)), source: node(1), target: node(2),
            principal: .local, resource: orders, action: "invoke", success: true)
        change(&event)
        return event
    }

    private func settlement(_ number: Int, success: Bool = true) -> AuditSettlement {
        AuditSettlement(
            id: CorrelationID(high: 0x7000, low: UInt64(number)), time: wall(Int64(number) + 1),
            success: success,
            refusals: success ? [] : [Refusal(.breakerOpen)], durationInMilliseconds: 5, status: 200)
    }

    private func append(_ records: AuditRecord...) throws {
        try journal.append(records.map { AuditRecordCodec.encode($0) })
    }

    private func ids(_ query: AuditQuery = AuditQuery()) throws -> [UInt64] {
        try index.entries(query).map(\.event.id.low)
    }

    @Test func `finds a call just made, indexed or not, newest first`() throws {
        try append(.event(event(1)), .event(event(2)))
        #expect(try ids() == [2, 1])
        _ = try index.catchUp()
        try append(.event(event(3)))
        #expect(try ids() == [3, 2, 1])
        #expect(try ids(AuditQuery(limit: 2)) == [3, 2])
    }

    @Test func `joins admitted and settled into one event wherever each of them stands`() throws {
        for number in 1...4 { try append(.admitted(event(number) { $0.success = false })) }
        try append(.settled(settlement(1)))
        #expect(try index.catchUp() == AuditIndexProgress(indexed: 5, unreadable: 0, isComplete: true))
        try append(.settled(settlement(2, success: false)))
        _ = try index.catchUp()
        try append(.settled(settlement(3)))
        let entries = try index.entries(AuditQuery())
        #expect(entries.map(\.event.id.low) == [4, 3, 2, 1])
        #expect(entries.map(\.stage) == [.underWay, .ended, .ended, .ended])
        #expect(entries.map(\.event.success) == [false, true, false, true])
        #expect(try ids(AuditQuery(outcomes: .failures)) == [2])
        #expect(try index.unfinishedCalls().underWay.map(\.id.low) == [4])
    }

    @Test func `answers by each thing that can be asked, alike from the index and from the journal`() throws {
        try append(
            .event(event(1)), .event(event(2) { $0.principal = Principal("anna") }),
            .event(event(3) { $0.resource = ResourceName("other") }),
            .event(event(4) { $0.target = node(3) }),
            .event(event(5) { $0.type = .trust }), .event(event(6) { $0.success = false }))
        let queries: [(AuditQuery, [UInt64])] = [
            (AuditQuery(correlation: CorrelationID(high: 1, low: 4)), [4]),
            (AuditQuery(principal: Principal("anna")), [2]), (AuditQuery(resource: orders), [6, 5, 4, 2, 1]),
            (AuditQuery(node: node(3)), [4]), (AuditQuery(type: .trust), [5]),
            (AuditQuery(from: wall(2), until: wall(4)), [3, 2]), (AuditQuery(outcomes: .failures), [6]),
        ]
        for (query, expected) in queries { #expect(try ids(query) == expected) }
        _ = try index.catchUp()
        for (query, expected) in queries { #expect(try ids(query) == expected) }
    }

    @Test func `tells a peer only what it has a part in`() throws {
        let call = CorrelationID(high: 1, low: 1)
        try append(
            .event(event(1)),
            .event(
                event(2) {
                    $0.correlation = call
                    $0.target = node(3)
                }),
            .admitted(event(3) { $0.correlation = call }))
        #expect(try index.half(of: call, for: node(2)).map(\.id.low) == [1])
        #expect(try index.half(of: call, for: node(3)).map(\.id.low) == [2])
        #expect(try index.half(of: call, for: node(4)).isEmpty)
    }

    @Test func `fills itself again after it was emptied, in batches`() throws {
        for number in 1...30 { try append(.admitted(event(number)), .settled(settlement(number))) }
        while try !index.catchUp(limit: 7).isComplete {}
        let before = try index.entries(AuditQuery())
        #expect(before.count == 30 && before.allSatisfy { $0.stage == .ended })
        try index.empty()
        #expect(try index.position == .start)
        #expect(try index.entries(AuditQuery()) == before)
        while try !index.catchUp(limit: 7).isComplete {}
        #expect(try index.position == journal.end)
        #expect(try index.entries(AuditQuery()) == before)
    }

    @Test func `counts a record that it cannot read and goes on behind it`() throws {
        try append(.event(event(1)))
        try journal.append([[0xff, 1, 2]])
        try append(.event(event(2)))
        #expect(try ids() == [2, 1])
        #expect(try index.catchUp() == AuditIndexProgress(indexed: 3, unreadable: 1, isComplete: true))
        #expect(try ids() == [2, 1])
    }

    @Test func `knows nothing of records that were lost with the power`() throws {
        // The first call is over and settled; of the second the end, of the third everything will be lost.
        try append(.admitted(event(1)), .settled(settlement(1)), .event(closing(1)))
        try append(.admitted(event(2) { $0.success = false }))
        let kept = journal.end
        try append(.settled(settlement(2)), .event(closing(2)), .admitted(event(3)))
        _ = try index.catchUp()
        #expect(try ids() == [102, 101, 3, 2, 1])
        #expect(try index.unfinishedCalls().unclosed.map(\.id.low) == [3])

        let name = try "journal/" + #require(try home.names(in: "journal").first)
        journal.close()
        try home.write(Array(try home.bytes(of: name).prefix(Int(kept.offset))), to: name)
        let reopened = try Journal.open(folder: home.path + "/journal", limits: journal.limits)
        defer { reopened.close() }
        let again = try AuditIndex(store: store, journal: reopened)
        let found = try again.unfinishedCalls()
        #expect(found.underWay.map(\.id.low) == [2])
        #expect(found.unclosed.map(\.id.low) == [2])
        try reopened.append([AuditRecordCodec.encode(.event(event(9)))])
        #expect(try again.entries(AuditQuery()).map(\.event.id.low) == [101, 9, 2, 1])
        _ = try again.catchUp()
        let entries = try again.entries(AuditQuery())
        #expect(entries.map(\.event.id.low) == [101, 9, 2, 1])
        #expect(entries.map(\.stage) == [.ended, .ended, .underWay, .ended])
    }

    /// The event that closes the call of the attempt `number`.
    private func closing(_ number: Int) -> AuditEvent {
        event(number + 100) {
            $0.type = .call
            $0.correlation = CorrelationID(high: 1, low: UInt64(number))
        }
    }

    @Test func `shows each event once while a mark that was set back passes rows that are there`() throws {
        for number in 1...6 { try append(.admitted(event(number)), .settled(settlement(number))) }
        while try !index.catchUp().isComplete {}
        let before = try index.entries(AuditQuery())
        // As a process leaves it that ends while it empties the index.
        try store.pool.write { try $0.setIndexedPosition(.start) }
        #expect(try index.entries(AuditQuery()) == before)
        _ = try index.catchUp(limit: 3)
        #expect(try index.entries(AuditQuery()) == before)
        while try !index.catchUp(limit: 3).isComplete {}
        #expect(try index.entries(AuditQuery()) == before)
        #expect(try index.unfinishedCalls().underWay.isEmpty)
    }

    @Test func `leaves out an event whose record was damaged since`() throws {
        for number in 1...3 { try append(.event(event(number))) }
        _ = try index.catchUp()
        let name = try "journal/" + #require(try home.names(in: "journal").first)
        var bytes = try home.bytes(of: name)
        bytes[bytes.count - 1] ^= 1
        try home.write(bytes, to: name)
        #expect(try ids() == [2, 1])
    }

    @Test func `removes segments whose time is over together with their rows`() throws {
        for number in 1...400 { try append(.event(event(number))) }
        while try !index.catchUp().isComplete {}
        #expect(journal.segments.count > 3)
        let now = WallTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
        try index.retire(at: now + .seconds(7_200), age: .seconds(3_600))
        #expect(journal.segments.count == 1)
        let left = try ids(AuditQuery(limit: 1_000))
        #expect(left.first == 400)
        #expect(left.count < 200)
        #expect(left.count > 0)
    }

    @Test(.timeLimit(.minutes(1))) func `follows the journal by itself, a whole block at a time`()
        async throws
    {
        let index = try AuditIndex(store: store, journal: journal, blockBytes: 1_000)
        let follower = Task { await index.keepUp(every: .milliseconds(2)) { Issue.record($0) } }
        for number in 1...40 { try append(.event(event(number))) }
        // Fewer bytes than a block takes stay behind the mark, and are found there.
        while try Int(journal.end.offset) - Int(index.position.offset) >= 1_000 { await Task.yield() }
        follower.cancel()
        await follower.value
        #expect(try index.position < journal.end)
        #expect(try ids(AuditQuery(limit: 3)) == [40, 39, 38])
        let count = try await store.pool.read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM audit_blocks")
        }
        #expect(try #require(count) >= 4)
    }

    @Test func `indexes nothing that a loss of power could take`() throws {
        try append(.admitted(event(1)))
        _ = try index.catchUp()
        let mark = try index.position
        #expect(journal.state.withLock { $0.synced } >= mark)
        #expect(mark == journal.end)
    }
}
