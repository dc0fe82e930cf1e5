import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls lost when a provider fails")
struct LossTests {
    @Test(
        "a provider that fails fast costs no repeatable call, and unsafe ones at most threshold and probes"
    )
    func failsFast() {
        let list = Traffic.run("list", seconds: 20, failing: 5...15)
        #expect(list.lost == 0 && list.calls == 2_500)
        let buy = Traffic.run("buy", seconds: 20, failing: 5...15)
        // The breaker's threshold, a probe for each opening of 1, 2, 4 ... s within ten, and two in flight:
        // the picker does better, since a failure counts as its attempt's time-out.
        #expect((1...5 + 4 + 2).contains(buy.lost))
    }

    @Test("a provider that returns is used again")
    func returns() {
        let traffic = Traffic.run("list", seconds: 120, failing: 5...15)
        #expect(traffic.lost == 0)
        #expect(traffic.servedByFirstAtEnd > 100)
    }
}

/// 125 calls a second to two providers that answer in four milliseconds; the first fails for a while.
private struct Traffic {
    var calls = 0
    var lost = 0
    var servedByFirstAtEnd = 0

    static func run(_ capability: String, seconds: Int64, failing: ClosedRange<Int64>) -> Traffic {
        var traffic = Traffic()
        var rig = DeskRig(seed: 11, room: 1 << 50)
        rig.isWatched = false
        var due: [(Int64, AttemptID, NodeID)] = []
        for now in stride(from: 0, to: seconds * 1000, by: 8) {
            rig.now = now
            rig.effects = []
            rig.times = []
            traffic.calls += 1
            rig.call("any", "orders", capability)
            while let (time, attempt, to) = due.first, time <= now {
                due.removeFirst()
                let isFailing = to == node(1) && failing.contains(now / 1000)
                if isFailing {
                    rig.take(.attemptRefused(attempt, [Refusal(.resourceUnreachable)], .possible))
                } else {
                    rig.take(.attemptAnswered(attempt, status: 200, headers: []))
                    rig.take(.attemptEnded(attempt, BodySummary(length: 1, digest: nil)))
                    if to == node(1), now >= (seconds - 10) * 1000 { traffic.servedByFirstAtEnd += 1 }
                }
            }
            if let next = rig.desk.nextDeadline, next <= moment(now).instant { rig.take(.timeReached) }
            due += rig.sent.map { (now + 4, $0.0, $0.1) }
            traffic.lost += rig.effects.filter { if case .refuse = $0 { true } else { false } }.count
        }
        return traffic
    }
}
