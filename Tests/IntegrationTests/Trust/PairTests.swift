import Foundation
import MeshBase
import MeshControl
import MeshTrust
import Testing

@testable import MeshAgent

/// `comity pair`, as people and scripts use it, between two agents as processes.
@Suite(
    "Two people pair by words", .serialized, .timeLimit(.minutes(2)),
    .enabled(if: Program.isHere, "needs the program beside the tests: swift build --product comity"))
struct PairTests {
    @Test("a script gives the words that the other side shows, and both trust each other")
    func scripted() async throws {
        try await Two.with { two in
            let left = try two.pair(0)
            let right = try two.pair(1, two.link(0))
            let words = try await left.showsWords()
            #expect(try await right.showsWords() == words)
            left.type(words + "\n")
            right.type(words.replacing(" ", with: "-").uppercased() + "\n")
            #expect(try await left.ends() == 0)
            #expect(try await right.ends() == 0)
            for text in [left.text, right.text] {
                #expect(text.contains("paired with"), "\(text)")
                #expect(text.contains("reaches this node  at 127.0.0.1:"), "\(text)")
                #expect(text.contains("agrees with ours"), "\(text)")
            }
            for index in 0...1 {
                let status = try #require(await two.processes[index].status())
                #expect(status.peers.map(\.trust) == [.trusted] && status.peers.map(\.link) == [.up])
            }
        }
    }

    @Test("--yes-if says yes to these words, and no to any others; nothing is stored then")
    func expectedWords() async throws {
        try await Two.with { two in
            let left = try two.pair(0)
            let wrong = try two.pair(1, two.link(0), "--yes-if", "acorn acorn acorn acorn", "--json")
            // This no comes at once: the other screen may not have shown any words before it.
            #expect(try await wrong.ends() == 1)
            let shown = try #require(wrong.words)
            #expect(wrong.text.contains("pairing-words-differ") && wrong.text.contains("\"\(shown)\""))
            try await left.says("pairing-declined")
            left.end()
            for index in 0...1 {
                try await two.expectNobody(at: index)
            }
        }
        try await Two.with { two in
            let left = try two.pair(0, "--json")
            let right = try two.pair(1, two.link(0))
            let words = try await right.showsWords()
            left.type(words + "\n")
            right.type(words + "\n")
            #expect(try await left.ends() == 0)
            #expect(try await right.ends() == 0)
            #expect(
                left.text.contains("\"state\" : \"paired\"") && left.text.contains("\"isReached\" : true"))
        }
    }

    @Test("a plain yes is none in a script, nor is the end of its input; both are a no")
    func blindYes() async throws {
        try await Two.with { two in
            let left = try two.pair(0)
            let right = try two.pair(1, two.link(0))
            _ = try await left.showsWords()
            right.type("yes\n")
            #expect(try await right.ends() == 1)
            #expect(right.text.contains("pairing-words-differ"))
            try await left.says("pairing-declined")
            left.end()
            try await two.expectNobody(at: 0)
        }
    }

    @Test("at a terminal one key says yes, and the terminal is as it was")
    func keys() async throws {
        try await Two.with { two in
            let left = try two.pair(0, terminal: true)
            try await left.says("waiting for the other node")
            let right = try two.pair(1, two.link(0), terminal: true)
            let words = try await left.showsWords()
            #expect(try await right.showsWords() == words)
            right.type("y")
            try await right.says("waiting for the other operator's yes")
            left.type("y")
            #expect(try await left.ends() == 0)
            #expect(try await right.ends() == 0)
            #expect(left.text.contains("paired with right") && right.text.contains("paired with left"))
        }
    }

    @Test("Ctrl-C at a terminal ends the window, for the other side too")
    func interrupted() async throws {
        try await Two.with { two in
            let left = try two.pair(0, terminal: true)
            let right = try two.pair(1, two.link(0), terminal: true)
            _ = try await right.showsWords()
            left.type("\u{3}")
            #expect(try await left.ends() == 1)
            #expect(try await right.ends() == 1)
            #expect(right.text.contains("pairing-closed"))
        }
    }

    @Test("somebody in between shows each of the two other words than the other's")
    func inBetween() async throws {
        try await Two.with { two in
            let mallory = [try await two.mesh.start("mallory"), try await two.mesh.start("eve")]
            for agent in mallory {
                try await agent.order(.pair(.open(PairingSeed(Octets(SystemRandom.bytes(32))))))
            }
            let left = try two.pair(0, mallory[0].link.description)
            let right = try two.pair(1)
            try await mallory[1].order(.pair(.dial([try two.endpoint(1)])))
            let words = try await (left.showsWords(), right.showsWords())
            #expect(words.0 != words.1)
            left.type(words.1 + "\n")
            right.type(words.0 + "\n")
            #expect(try await left.ends() == 1)
            try await right.says("pairing-words-differ")
            for agent in mallory {
                let peers = await agent.plane.node.trust.pins.peers
                #expect(peers.isEmpty)
            }
            for index in 0...1 {
                try await two.expectNobody(at: index)
            }
        }
    }
}

/// Two agents as processes on loopback, `left` and `right`, which do not know each other.
final class Two: Sendable {
    let mesh: TestMesh
    let processes: [AgentProcess]
    private let homes: [String]

    static func with(_ body: (Two) async throws -> Void) async throws {
        try await TestMesh.with { mesh in
            let two = try await Two(mesh)
            try await body(two)
        }
    }

    private init(_ mesh: TestMesh) async throws {
        self.mesh = mesh
        homes = ["left", "right"].map(mesh.folder.file)
        var processes: [AgentProcess] = []
        for (home, name) in zip(homes, ["left", "right"]) {
            let process = try AgentProcess(
                home: home, name: name, options: ["--listen", "127.0.0.1:0", "--gateway", "127.0.0.1:0"])
            mesh.atEnd { await process.end() }
            processes.append(process)
            try await until("\(name) answers") { await process.status() != nil }
        }
        self.processes = processes
        links = try await [processes[0].listens(), processes[1].listens()]
    }

    private let links: [Endpoint]

    /// Nothing was stored.
    func expectNobody(at index: Int) async throws {
        let status = try #require(await processes[index].status())
        #expect(status.peers.isEmpty)
    }

    func endpoint(_ index: Int) throws -> Endpoint { links[index] }
    func link(_ index: Int) -> String { links[index].description }

    /// `comity pair` at one of them.
    func pair(_ index: Int, _ arguments: String..., terminal: Bool = false) throws -> Dialogue {
        let dialogue = try Dialogue(
            [Program.path, "pair", "--home", homes[index]] + arguments, terminal: terminal)
        mesh.atEnd { dialogue.end() }
        return dialogue
    }
}

extension AgentProcess {
    /// Where its peers connect.
    func listens() async throws -> Endpoint {
        guard let link = await status()?.listening.link.first else {
            throw NeverHappened(description: "\(home) listens nowhere")
        }
        return link
    }
}
