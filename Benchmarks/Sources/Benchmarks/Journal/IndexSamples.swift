import MeshAudit
import MeshBase
import MeshStore
import MeshWire

/// What the audit's index adds to a record, and what a question about one call takes as there is more to look
/// through.
func indexComparisons() -> [Comparison] {
    [
        Comparison(
            area: "journal", title: "a record of a call is found again",
            baseline: .calls("appended, 48 in one write", isIndexed: false),
            others: [.calls("appended and indexed", isIndexed: true)]),
        Comparison(
            area: "journal", title: "one call is asked for",
            baseline: .question("among 5 000", calls: 5_000),
            others: [
                .question("among 20 000", calls: 20_000), .question("among 200 000", calls: 200_000),
            ]),
    ]
}

extension Sample {
    /// The three records of a consumer's calls, and the blocks that they fill.
    fileprivate static func calls(_ name: String, isIndexed: Bool) -> Sample {
        let calls = 16_000
        return Sample(name, by: .thread, portion: 3 * calls) {
            let ledger = try Ledger()
            return { count in
                for _ in 0..<count {
                    try ledger.append(calls)
                    if isIndexed { try ledger.indexAll() }
                    try ledger.tidy()
                }
            }
        }
    }

    fileprivate static func question(_ name: String, calls: Int) -> Sample {
        Sample(name, by: .wall) {
            let ledger = try Ledger()
            try ledger.append(calls)
            try ledger.indexAll()
            var generator = SeededGenerator(seed: 1)
            return { count in
                for _ in 0..<count {
                    let call = generator.number(below: UInt64(calls))
                    let found = try ledger.index.entries(AuditQuery(correlation: Ledger.correlation(call)))
                    try require(found.count == 2, "\(found.count) events of a call that has two")
                }
            }
        }
    }
}

/// A journal of calls as a consumer has them, and its index.
private final class Ledger {
    let diary: Diary
    let index: AuditIndex
    private var calls: UInt64 = 0

    init() throws {
        diary = try Diary()
        index = try AuditIndex(
            store: try Store.open(path: diary.folder.path + "/comity.db"), journal: diary.journal)
    }

    static func correlation(_ call: UInt64) -> CorrelationID {
        CorrelationID(high: 0x0190_1234_5678_7abc &+ call, low: call &* 0x9e37_79b9_7f4a_7c15)
    }

    /// So many more calls: admitted, settled, closed, sixteen calls in one write.
    func append(_ count: Int) throws {
        guard case .admitted(var attempt) = CodecSamples.admitted else { throw Unfit("no admission") }
        for first in stride(from: 0, to: count, by: 16) {
            var records: [[UInt8]] = []
            for _ in first..<min(count, first + 16) {
                let correlation = Self.correlation(calls)
                attempt.id = CorrelationID(high: correlation.high, low: correlation.low &+ 1)
                attempt.correlation = correlation
                var call = attempt
                call.id = CorrelationID(high: correlation.high, low: correlation.low &+ 2)
                (call.type, call.success, call.attempt) = (.call, true, 0)
                let settlement = AuditSettlement(
                    id: attempt.id, time: attempt.time, success: true, durationInMilliseconds: 3, status: 200)
                records += [.admitted(attempt), .settled(settlement), .event(call)]
                    .map(AuditRecordCodec.encode)
                calls += 1
            }
            try diary.journal.append(records)
        }
    }

    func indexAll() throws { while try !index.catchUp().isComplete {} }

    func tidy() throws { try diary.tidy() }
}
