import MeshBase
import Testing

@testable import MeshControl

@Suite("A replay in words")
struct ReplayTextTests {
    private let presentation = Presentation(
        hasColour: false, width: 120, now: WallTime(milliseconds: 0), zone: .fixed(seconds: 0))

    private func report(_ changes: [ReplayReport.Change] = [], calls: Int = 0) -> ReplayReport {
        let lost = changes.filter { $0.direction == .lost }.reduce(0) { $0 + $1.calls }
        let gained = changes.filter { $0.direction == .gained }.reduce(0) { $0 + $1.calls }
        return ReplayReport(
            since: Timestamp(WallTime(milliseconds: 0)), before: String(repeating: "ab", count: 32),
            after: "what is agreed now", calls: calls, allowed: calls - lost - gained, refused: 0, lost: lost,
            gained: gained, changes: changes, ungrouped: 0, unreadable: 0, unplaced: 0, isTruncated: false)
    }

    private func change(_ direction: ReplayReport.Change.Direction, _ calls: Int) -> ReplayReport.Change {
        let bakery = NodeReference(
            name: NodeName("bakery"), id: NodeID(Digest([UInt8](repeating: 7, count: 32))!))
        let mill = NodeReference(
            name: NodeName("mill"), id: NodeID(Digest([UInt8](repeating: 8, count: 32))!))
        return .init(
            direction: direction, calls: calls, caller: bakery, principal: Principal("billing")!,
            callee: mill,
            resource: ResourceName("orders")!, capability: ResourceName("list")!, code: .principalNotAgreed,
            examples: [CorrelationID(high: 1, low: 2)])
    }

    @Test("what is lost comes before what is gained, with who, where, why and the next command")
    func changes() {
        let text = ReplayText.render(report([change(.lost, 3), change(.gained, 1)], calls: 9), presentation)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "3 calls would be refused")
        #expect(lines[2].contains("3") && lines[2].contains("billing@bakery"))
        #expect(lines[2].contains("mill/orders/list") && lines[2].contains("principal-not-agreed"))
        #expect(lines[3] == "1 call would be allowed")
        #expect(text.contains("5 allowed both ways"))
        #expect(text.contains("compared: abababababab | what is agreed now"))
        #expect(text.contains("comity explain \(CorrelationID(high: 1, low: 2))"))
    }

    @Test("nothing to say is said, and so is what could not be replayed")
    func nothing() {
        #expect(ReplayText.render(report(), presentation).hasPrefix("no call since "))
        var told = report(calls: 2)
        told.unreadable = 5
        told.unplaced = 1
        told.isTruncated = true
        let text = ReplayText.render(told, presentation)
        #expect(text.hasPrefix("no call would be decided otherwise\n"))
        #expect(text.contains("5 events do not tell") && text.contains("1 call of this node fall"))
        #expect(text.contains("older calls were left out"))
    }
}
