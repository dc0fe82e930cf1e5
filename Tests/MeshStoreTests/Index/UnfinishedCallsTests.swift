import Foundation
import GRDB
import MeshAudit
import MeshBase
import MeshWire
import Testing

@testable import MeshStore

/// What a start finds unfinished, wherever the index stood when the process ended.
@Suite struct UnfinishedCallsTests {
    let home: TemporaryFolder
    let store: Store
    let journal: Journal
    let index: AuditIndex

    init() throws {
        home = try TemporaryFolder()
        store = try Store.open(path: home.path + "/comity.db")
        journal = try Journal.open(
            folder: home.path + "/journal", limits: JournalLimits(syncIntervalMilliseconds: 0))
        index = try AuditIndex(store: store, journal: journal)
    }

    private func event(_ id: UInt64, _ type: AuditEventType, of call: UInt64, attempt: UInt8 = 1)
        -> AuditEvent
    {
        AuditEvent(
            id: CorrelationID(high: 0x7000, low: id), time: wall(Int64(id)), type: type,
            correlation: CorrelationID(high: 1, low: call), source: node(1), target: node(2),
            principal: .local, resource: orders, action: "invoke", success: false,
            attempt: type == .call ? 0 : attempt)
    }

    private func settled(_ id: UInt64) -> AuditRecord {
        .settled(
            AuditSettlement(
                id: CorrelationID(high: 0x7000, low: id), time: wall(Int64(id) + 1), success: true,
                durationInMilliseconds: 5, status: 200))
    }

    private func append(_ records: AuditRecord...) throws {
        try journal.append(records.map { AuditRecordCodec.encode($0) })
    }

    @Test func `a call that is open between two attempts is found, with the last of them`() throws {
        try append(.admitted(event(1, .attempt, of: 1)), settled(1))
        try append(.admitted(event(2, .attempt, of: 1, attempt: 2)), settled(2))
        let found = try index.unfinishedCalls()
        #expect(found.underWay.isEmpty)
        #expect(found.unclosed.map(\.id.low) == [2])
    }

    @Test func `a call that is closed is not found, though an attempt of it is under way`() throws {
        try append(.admitted(event(1, .attempt, of: 1)), .event(event(2, .call, of: 1)))
        let found = try index.unfinishedCalls()
        #expect(found.underWay.map(\.id.low) == [1])
        #expect(found.unclosed.isEmpty)
    }

    @Test func `a service for a peer closes no call`() throws {
        try append(.admitted(event(1, .service, of: 1)))
        let found = try index.unfinishedCalls()
        #expect(found.underWay.map(\.id.low) == [1])
        #expect(found.unclosed.isEmpty)
    }

    @Test func `the same is found wherever the index stood, and when it is built anew`() throws {
        for seed in UInt64(1)...10 {
            var generator = SeededGenerator(seed: seed)
            var fold = AuditFold()
            func write(_ record: AuditRecord) throws {
                _ = fold.add(record)
                try append(record)
                guard generator.number(below: 3) == 0 else { return }
                _ = try index.catchUp(limit: 1 + Int(generator.number(below: 4)))
            }
            for number in seed * 1_000..<seed * 1_000 + 30 {
                try write(.admitted(event(number * 10, .attempt, of: number)))
                if generator.number(below: 4) > 0 { try write(settled(number * 10)) }
                if generator.number(below: 4) > 0 {
                    try write(.event(event(number * 10 + 1, .call, of: number)))
                }
            }
            #expect(try index.unfinishedCalls() == fold.unfinished, "seed \(seed)")
            try index.empty()
            #expect(try index.unfinishedCalls() == fold.unfinished, "seed \(seed)")
            // The next seed begins with an empty journal's index.
            try finish(fold.unfinished)
            #expect(try index.unfinishedCalls().isEmpty)
            try index.empty()
        }
    }

    private func finish(_ found: UnfinishedCalls) throws {
        for event in found.underWay { try append(settled(event.id.low)) }
        for attempt in found.unclosed {
            try append(.event(event(attempt.id.low + 2, .call, of: attempt.correlation?.low ?? 0)))
        }
    }

    @Test(arguments: [7, 11])
    func `the index of an older file is made anew from the journal`(version: Int) throws {
        let path = home.path + "/old.db"
        var options = Store.Options()
        options.schema = StoreSchema(steps: Array(StoreSchema.current.steps.prefix(version)))
        let old = try Store.open(path: path, options: options)
        try append(
            .admitted(event(1, .attempt, of: 1)), .admitted(event(2, .attempt, of: 2)), settled(2),
            .event(event(3, .call, of: 2)))
        let end = journal.end
        try old.pool.write { try $0.setIndexedPosition(end) }
        try old.close()
        let migrated = try AuditIndex(store: try Store.open(path: path), journal: journal)
        #expect(try migrated.position == .start)
        let found = try migrated.unfinishedCalls()
        #expect(found.underWay.map(\.id.low) == [1])
        #expect(found.unclosed.map(\.id.low) == [1])
        #expect(try migrated.entries(AuditQuery()).map(\.event.id.low) == [3, 2, 1])
    }
}
