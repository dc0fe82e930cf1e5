import Foundation
import MeshAudit
import MeshBase
import MeshControl
import Testing

/// Three hosts, of which the first and the third cannot reach one another; the second offers to carry.
@Suite(
    "Two nodes that cannot connect, and one that carries for them", .serialized,
    .enabled(if: LanLab.isPossible && Program.isHere, "needs root, Avahi, nft and the program"))
struct CarriedLinkTests {
    /// Alice, Bob who carries, Carol: linked through Bob.
    private func carried(_ body: (Lan) async throws -> Void) async throws {
        try await Lan.with { lan in
            try await lan.allLinked(within: .seconds(30))
            for peer in ["alice", "carol"] { try await comity(lan, 1, "offer", "relay", "--to", peer) }
            for index in [0, 2] {
                try await until("the offer is accepted", within: .seconds(10)) {
                    try await comity(lan, index, "agreement", "list").contains("relay")
                }
            }
            try await lan.lab.run("partition", "1", "3")
            try await linked(lan, through: "bob", within: .seconds(60))
            try await body(lan)
        }
    }

    @Test(
        "calls, offers and revocations pass; the relay learns nothing of them; the direct way wins",
        .timeLimit(.minutes(4)))
    func passes() async throws {
        try await carried { lan in
            let answer = try await comity(lan, 0, "call", "carol/echo", #"{"through":1}"#)
            #expect(answer.contains(#"{"through":1}"#))
            for text in ["peers", "routes", "explain peer carol", "explain call carol/echo"] {
                let shown = try await comity(lan, 0, text.split(separator: " ").map(String.init))
                #expect(shown.contains("bob"), "\(text) does not name who carries: \(shown)")
            }

            try await comity(lan, 2, "resource", "add", "secrets", "--url", "http://127.0.0.1:9")
            try await comity(lan, 2, "offer", "secrets", "--to", "alice", "--hops", "0")
            let offered = try await eventually("alice hears of it", within: .seconds(20)) {
                try await self.comity(lan, 0, "agreement", "list").split(separator: "\n")
                    .first { $0.contains("secrets") }
            }
            let id = String(try #require(offered.split(separator: " ").first))
            // What is agreed for direct links alone is refused over this one, at the caller.
            let refused = try await Command.comity(
                "call", "carol/secrets/read", "--home", lan.homes[0])
            #expect(refused.status == 1 && refused.errors.contains("hops-exceeded"), "\(refused)")
            try await comity(lan, 2, "agreement", "revoke", id, "--reason", "enough")
            try await until("alice hears that it is over", within: .seconds(20)) {
                try await comity(lan, 0, "agreement", "show", id).contains("enough")
            }

            #expect(try holds(lan.homes[0], "secrets"))
            #expect(!(try holds(lan.homes[1], "secrets")), "the relay's home tells of what it carried")
            let carried = try await comity(lan, 1, "audit", "list", "--type", "service")
            #expect(carried.contains("relay/circuit"))
            var used = ""
            for end in [0, 2] { used += try await comity(lan, end, "audit", "list", "--type", "call") }
            #expect(used.contains("relay/circuit") && used.contains("101"))

            try await lan.lab.run("heal")
            try await linked(lan, through: nil, within: .seconds(40))
            #expect(try await comity(lan, 0, "call", "carol/echo", #"{"direct":1}"#).contains("direct"))
        }
    }

    @Test(
        "a relay that is killed, frozen, or wants no more takes the link with it, and gives it back",
        .enabled(if: Patience.isLong, Patience.why), .timeLimit(.minutes(5)))
    func ends() async throws {
        try await carried { lan in
            try await lan.kill(1)
            try await unlinked(lan, within: .seconds(30))
            try await lan.start(1, port: 7_410)
            try await linked(lan, through: "bob", within: .seconds(90))

            let bob = try #require(await lan.process(1))
            kill(bob.pid, SIGSTOP)
            try await unlinked(lan, within: .seconds(60))
            kill(bob.pid, SIGCONT)
            try await linked(lan, through: "bob", within: .seconds(90))

            // Stopping is not held up by what is carried.
            let began = ContinuousClock.now
            try await bob.stop()
            #expect(ContinuousClock.now - began < .seconds(4))
            try await unlinked(lan, within: .seconds(20))
            try await lan.start(1, port: 7_410)
            try await linked(lan, through: "bob", within: .seconds(90))

            let agreements = try await comity(lan, 1, "agreement", "list").split(separator: "\n")
            let offer = try #require(
                agreements.first { $0.contains("relay") && $0.contains("carol") })
            let id = String(try #require(offer.split(separator: " ").first))
            try await comity(lan, 1, "agreement", "revoke", id, "--reason", "no more")
            // What is carried goes on, as calls under way do; nothing new is carried.
            #expect(await lan.link(0, 2) == .up)
            try await lan.lab.run("isolate", "3")
            try await unlinked(lan, within: .seconds(60))
            try await lan.lab.run("heal")
            try await lan.lab.run("partition", "1", "3")
            try await until("bob and carol are linked again", within: .seconds(60)) {
                await lan.link(1, 2) == .up
            }
            try await Task.sleep(for: .seconds(15))
            #expect(await lan.link(0, 2) != .up)
        }
    }

    @discardableResult
    private func comity(_ lan: Lan, _ index: Int, _ words: String...) async throws -> String {
        try await comity(lan, index, words)
    }

    @discardableResult
    private func comity(_ lan: Lan, _ index: Int, _ words: [String]) async throws -> String {
        let done = try await Command.run(Program.path, words + ["--home", lan.homes[index]])
        guard done.status == 0 else { throw NeverHappened(description: "\(words): \(done)") }
        return done.output
    }

    /// Waits until both ends say that their link is up, and who carries it.
    private func linked(_ lan: Lan, through relay: String?, within patience: Duration) async throws {
        try await until("alice and carol are linked through \(relay ?? "nobody")", within: patience) {
            for (here, there) in [(0, 2), (2, 0)] {
                let peers = await lan.process(here)?.status()?.peers ?? []
                guard let peer = peers.first(where: { $0.id == lan.nodes[there] }), peer.link.isUp,
                    peer.relay?.title == relay
                else { return false }
            }
            return true
        }
    }

    private func unlinked(_ lan: Lan, within patience: Duration) async throws {
        try await until("alice and carol have no link", within: patience) {
            let (here, there) = (await lan.link(0, 2), await lan.link(2, 0))
            return here?.isUp != true && there?.isUp != true
        }
    }

    /// Whether any file of a home holds this word.
    private func holds(_ home: String, _ word: String) throws -> Bool {
        guard let files = FileManager.default.enumerator(atPath: home) else { return false }
        for case let file as String in files {
            let url = URL(filePath: home).appending(path: file)
            guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
            if try Data(contentsOf: url).range(of: Data(word.utf8)) != nil { return true }
        }
        return false
    }
}
