import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

/// What one input makes the audit write is one write, before everything else.
@Suite struct WritingTests {
    private func writes(_ effects: [CallEffect]) -> [(count: Int, durability: AuditDurability)] {
        effects.compactMap { effect in
            if case .record(let records, let durability) = effect { (records.count, durability) } else { nil }
        }
    }

    @Test func `the last settlement and the event that closes its call are one write`() {
        var rig = DeskRig()
        rig.call("B", "orders", "buy")
        guard let (attempt, _) = rig.sent.last else {
            Issue.record("nothing left")
            return
        }
        rig.take(.attemptAnswered(attempt, status: 200, headers: []))
        let effects = rig.take(.attemptEnded(attempt, BodySummary(length: 3, digest: nil)))
        guard case .record(let records, .synced) = effects.first, records.count == 2,
            case .settled = records[0], case .event(let closing) = records[1]
        else {
            Issue.record("\(effects)")
            return
        }
        #expect(closing.type == .call)
        #expect(writes(effects).count == 1)
    }

    @Test func `a failed attempt and the one that follows are one write, before the second leaves`() {
        var rig = DeskRig()
        rig.call("any", "orders", "put")
        guard let (first, _) = rig.sent.last else {
            Issue.record("nothing left")
            return
        }
        let effects = rig.take(.attemptFailed(first, .streamReset, .possible))
        guard case .record(let records, .synced) = effects.first, case .settled = records[0],
            case .admitted = records[1], case .send = effects.last
        else {
            Issue.record("\(effects)")
            return
        }
        #expect(writes(effects).count == 1)
    }

    @Test func `written in the order of the inputs, an attempt begins before it ends`() {
        for seed in UInt64(1)...20 {
            var rig = DeskRig(seed: seed)
            rig.isWatched = false
            // An attempt fails, and the application goes away while that is still being synced.
            let id = rig.call("any", "orders", "put")
            guard let (first, _) = rig.sent.last else { continue }
            rig.take(.attemptFailed(first, .streamReset, .possible))
            rig.take(.cancelled(id))
            var fold = AuditFold()
            // A shell writes what is ordered first at once; whatever stands behind it may wait for a sync.
            var held: [AuditRecord] = []
            for effects in rig.turns {
                var isHeld = false
                for case .record(let records, let durability) in effects {
                    if isHeld { held += records } else { for record in records { _ = fold.add(record) } }
                    isHeld = isHeld || durability == .synced
                }
            }
            for record in held { _ = fold.add(record) }
            #expect(fold.unfinished.isEmpty && fold.orphans.isEmpty, "seed \(seed)")
        }
    }
}
