import Foundation
import MeshAudit
import MeshBase
import MeshWire
import Testing

@testable import MeshStore

/// Whatever is asked, and however the journal is divided into blocks, the index answers as a reader does who
/// reads all of the journal.
@Suite struct AuditSearchTests {
    let home: TemporaryFolder
    let store: Store
    let journal: Journal
    let index: AuditIndex
    var generator = SeededGenerator(seed: 1)
    /// Events that are under way.
    var open: [AuditEvent] = []
    var number: UInt64 = 0

    init() throws {
        home = try TemporaryFolder()
        store = try Store.open(path: home.path + "/comity.db")
        journal = try Journal.open(
            folder: home.path + "/journal",
            limits: JournalLimits(segmentBytes: 20_000, totalBytes: 400_000, syncIntervalMilliseconds: 0))
        index = try AuditIndex(store: store, journal: journal, blockBytes: 3_000)
    }

    private mutating func draw(below bound: UInt64) -> UInt64 { generator.number(below: bound) }

    /// One of few values for each thing, so that every question has some answers and most blocks have none.
    private mutating func event(rare: Bool) -> AuditEvent {
        number += 1
        let shade = rare ? 8 + draw(below: 2) : draw(below: 3)
        // Clocks are set back now and then, and a call has two events.
        let time = Int64(number) - (draw(below: 20) == 0 ? 30 : 0)
        var event = AuditEvent(
            id: CorrelationID(high: 0x7000, low: number), time: wall(time),
            type: shade == 9 ? .trust : .attempt, correlation: CorrelationID(high: 1, low: number / 2),
            source: node(1), target: node(UInt8(2 + shade)),
            principal: shade == 1 ? nil : Principal("p\(shade)"), resource: ResourceName("r\(shade)"),
            action: "invoke", success: draw(below: 8) > 0)
        if shade == 2 { event.correlation = nil }
        return event
    }

    private mutating func append() throws {
        let record: AuditRecord
        switch draw(below: 3) {
        case 0: record = .event(event(rare: draw(below: 60) == 0))
        case 1:
            var admitted = event(rare: draw(below: 60) == 0)
            admitted.success = false
            open.append(admitted)
            record = .admitted(admitted)
        default:
            guard !open.isEmpty else { return }
            // Some take long: they end in a later block, or never.
            let place = draw(below: 4) == 0 ? 0 : open.count - 1
            let ended = open.remove(at: place)
            record = .settled(
                AuditSettlement(
                    id: ended.id, time: wall(Int64(number)), success: draw(below: 6) > 0,
                    durationInMilliseconds: 5, status: 200))
        }
        try journal.append([AuditRecordCodec.encode(record)])
    }

    private mutating func query() -> AuditQuery {
        var query = AuditQuery(limit: [1, 3, 100, 10_000][Int(draw(below: 4))])
        let shade = [0, 1, 2, 8, 9, 7][Int(draw(below: 6))]
        switch draw(below: 7) {
        case 0: query.correlation = CorrelationID(high: 1, low: draw(below: number))
        case 1: query.node = node(UInt8(2 + shade))
        case 2: query.principal = Principal("p\(shade)")
        case 3: (query.resource, query.node) = (ResourceName("r\(shade)"), node(1))
        case 4: query.type = .trust
        default: break
        }
        if draw(below: 3) == 0 { query.from = wall(Int64(draw(below: number))) }
        if draw(below: 3) == 0 { query.until = wall(Int64(draw(below: number))) }
        if draw(below: 3) == 0 { query.outcomes = .failures }
        return query
    }

    /// What all of the journal says.
    private func expected(_ query: AuditQuery) throws -> [AuditEntry] {
        var fold = AuditFold()
        var entries: [AuditEntry] = []
        try journal.read(from: .start) { item in
            guard case .record(_, _, let bytes) = item, let record = AuditRecord(journalBytes: bytes) else {
                return .goOn
            }
            if let event = fold.add(record) { entries.append(AuditEntry(event: event, stage: .ended)) }
            return .goOn
        }
        entries += fold.open.map { AuditEntry(event: $0, stage: .underWay) }
        return Array(
            entries.filter(query.matches).sorted(by: AuditEntry.isNewer).prefix(query.limit))
    }

    @Test(arguments: UInt64(1)...12)
    mutating func `the index answers as the whole journal does`(seed: UInt64) throws {
        generator = SeededGenerator(seed: seed)
        for step in 1...900 {
            try append()
            switch draw(below: 40) {
            case 0: _ = try index.catchUp(limit: 1 + Int(draw(below: 60)))
            case 1: _ = try index.catchUp()
            default: break
            }
            if step == 500 {
                // By then there are some segments; the oldest go.
                let all = journal.segments.reduce(0) { $0 + $1.lengthInBytes }
                #expect(all > 40_000)
                let now = WallTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
                try index.retire(
                    at: now + .seconds(7_200), age: seed.isMultiple(of: 2) ? .seconds(3_600) : nil)
            }
            guard step > 20, draw(below: 15) == 0 else { continue }
            let query = query()
            #expect(try index.entries(query) == expected(query), "seed \(seed), step \(step), \(query)")
        }
    }

    @Test func `a filter holds what was put in, and hardly anything else`() {
        let salt = BlockFilter.Salt(first: 1, second: 2)
        func hash(_ number: UInt64) -> UInt64 {
            withUnsafeBytes(of: number) { salt.hash($0, of: .correlation) }
        }
        let filter = BlockFilter(holding: (0..<2_000).map { hash(UInt64($0)) })
        #expect((0..<2_000).allSatisfy { filter.mayHold(hash($0)) })
        let wrong = (2_000..<12_000).count { filter.mayHold(hash($0)) }
        #expect((20..<250).contains(wrong), "\(wrong) of 10 000")
        #expect(BlockFilter(bytes: filter.bytes) == filter)
        let other = withUnsafeBytes(of: UInt64(5)) { salt.hash($0, of: .node) }
        #expect(other != hash(5))
    }
}
