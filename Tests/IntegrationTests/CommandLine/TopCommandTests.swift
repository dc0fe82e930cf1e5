import Foundation
import MeshControl
import Testing

@Suite(
    "comity top", .timeLimit(.minutes(1)),
    .enabled(if: Program.isHere, "needs the program beside the tests: swift build --product comity"))
struct TopCommandTests {
    @Test("shows the calls that end while it looks, as a document a line and as a picture")
    func live() async throws {
        let folder = try TestFolder()
        let home = folder.path + "/alice"
        let agent = try AgentProcess(
            home: home, name: "alice", options: ["--listen", "127.0.0.1:0", "--gateway", "127.0.0.1:0"])
        do {
            try await until("the agent answers") {
                try await Command.comity("status", "--home", home).status == 0
            }
            async let shown = Command.comity(
                "top", "--home", home, "--every", "300ms", "--count", "8", "--json")
            for _ in 0..<5 {
                let call = try await Command.comity("call", "alice/echo", "{}", "--home", home)
                #expect(call.status == 0, "\(call.errors)")
            }
            let refused = try await Command.comity("call", "alice/nothing", "{}", "--home", home)
            #expect(refused.status != 0)
            let top = try await shown
            #expect(top.status == 0, "\(top.errors)")
            let samples = try top.output.split(separator: "\n").map {
                try JSONDecoder().decode(TopSample.self, from: Data($0.utf8))
            }
            #expect(samples.count == 8)
            #expect(samples.first?.seconds == nil)
            #expect(samples.dropFirst().allSatisfy { ($0.seconds ?? 0) > 0.2 })

            // However the calls fell between the looks, the counts have all of them.
            let picture = try await Command.comity("top", "--home", home, "--count", "1")
            #expect(picture.status == 0 && picture.output.contains("echo"))
            let last = try await Command.comity("top", "--home", home, "--count", "1", "--json")
            let sample = try JSONDecoder().decode(TopSample.self, from: Data(last.output.utf8))
            #expect(sample.calls.map(\.peer.title) == ["alice"])
            #expect((sample.calls.first?.ended ?? 0) >= 5)
            #expect(!picture.output.contains("\u{1b}"))
        } catch {
            await agent.end()
            throw error
        }
        await agent.end()
    }

    @Test("tells what is wrong with its options, and that no agent runs")
    func wrong() async throws {
        #expect(try await Command.comity("top", "--every", "1ms").status == 2)
        #expect(try await Command.comity("top", "--count", "0").status == 2)
        let folder = try TestFolder()
        let none = try await Command.comity("top", "--home", folder.path + "/none")
        #expect(none.status == 3 && none.errors.contains("agent-not-running"))
    }
}
