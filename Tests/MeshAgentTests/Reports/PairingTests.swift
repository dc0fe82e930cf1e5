import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

/// Two whole agents on loopback that pair by words, asked over their control sockets as the command does.
@Suite("Pairing by words over the control API", .serialized)
struct PairingTests {
    /// Waits until the window stands so.
    private func wait(
        _ client: ControlClient, _ window: Int64, for state: PairState
    ) async throws(ControlFailure) -> PairReport {
        var report: PairReport?
        for _ in 0..<40 {
            let now = try await client.ask(
                AwaitPairing.self, .init(window: window, known: report, waitMilliseconds: 500),
                waiting: .seconds(1))
            if now.state == state { return now }
            report = now
        }
        throw ControlFailure(
            .fault, code: "test", message: "never \(state): \(String(describing: report))")
    }

    @Test func `the side that names an address dials until the other's window is open; then both see words`()
        async throws
    {
        try await AgentPair.with { baker, miller in
            let place = try #require(try await miller.ask(ShowStatus.self).listening.link.first)
            let left = try await baker.ask(OpenPairing.self)
            #expect(left.state == .listening && left.until != nil)
            _ = try await baker.ask(DialPairing.self, .init(window: left.window, to: [place]))
            let waiting = try await wait(baker, left.window, for: .dialling)
            #expect(waiting.address == place)
            let right = try await miller.ask(OpenPairing.self)
            let seen = try await wait(miller, right.window, for: .comparing)
            let shown = try await wait(baker, left.window, for: .comparing)
            #expect(seen.words == shown.words && shown.words.count == 4)
            // Words of another try are answered to no more.
            let stale = await #expect(throws: ControlFailure.self) {
                try await baker.ask(
                    AnswerPairing.self,
                    .init(
                        window: left.window, words: ["acorn", "acorn", "acorn", "acorn"], accept: true))
            }
            #expect(stale?.code == RefusalCode.pairingWordsDiffer.rawValue)
            for (client, window) in [(baker, left.window), (miller, right.window)] {
                _ = try await client.ask(
                    AnswerPairing.self, .init(window: window, words: shown.words, accept: true))
            }
            let paired = try await wait(baker, left.window, for: .paired)
            #expect(paired.peer?.name == NodeName("miller"))
            #expect(try await wait(miller, right.window, for: .paired).peer?.name == NodeName("baker"))
            for (client, peer) in [(baker, "miller"), (miller, "baker")] {
                for _ in 0..<100 {
                    if try await client.ask(ShowPeer.self, .init(peer: peer)).link == .up { break }
                    try await Task.sleep(for: .milliseconds(50))
                }
                let reach = try await client.ask(
                    ProveReach.self, .init(peer: peer), waiting: .seconds(10))
                #expect(reach.inbound.map(\.isReached) == [true] && reach.outbound.map(\.isReached) == [true])
                #expect(try #require(reach.clockSkewSeconds).magnitude < 2)
            }
        }
    }

    @Test func `a no is told to the other side, and a window that another took over is closed`() async throws
    {
        try await AgentPair.with { baker, miller in
            let place = try #require(try await miller.ask(ShowStatus.self).listening.link.first)
            let left = try await baker.ask(OpenPairing.self)
            let right = try await miller.ask(OpenPairing.self)
            _ = try await baker.ask(DialPairing.self, .init(window: left.window, to: [place]))
            let shown = try await wait(miller, right.window, for: .comparing)
            _ = try await miller.ask(
                AnswerPairing.self, .init(window: right.window, words: shown.words, accept: false))
            let told = try await wait(baker, left.window, for: .listening)
            #expect(told.failure?.code == RefusalCode.pairingDeclined.rawValue && told.failures == 1)
            #expect(told.failure?.facts.contains { $0.name == "reference" } == true)
            // It had its try.
            let again = await #expect(throws: ControlFailure.self) {
                try await baker.ask(DialPairing.self, .init(window: left.window, to: [place]))
            }
            #expect(again?.code == RefusalCode.pairingTriesSpent.rawValue)
            let newer = try await baker.ask(OpenPairing.self)
            #expect(newer.window == left.window + 1)
            #expect(try await wait(baker, left.window, for: .closed).failure?.code == "pairing-closed")
            let late = await #expect(throws: ControlFailure.self) {
                try await baker.ask(DialPairing.self, .init(window: left.window, to: [place]))
            }
            #expect(late?.code == "pairing-closed")
            _ = try await baker.ask(ClosePairing.self, .init(window: newer.window))
            #expect(try await baker.ask(ListPeers.self).peers.isEmpty)
        }
    }
}
