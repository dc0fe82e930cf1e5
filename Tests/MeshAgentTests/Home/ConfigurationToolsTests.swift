import Foundation
import MeshBase
import Testing

@testable import MeshAgent

@Suite("The programs that the configuration names")
struct ConfigurationToolsTests {
    private let yaml = """
        mcp:
          servers:
            files: [/usr/bin/files, --root, /srv/a b]
            clock: /usr/bin/clock
        """

    @Test("are read from the file, with their arguments, and shown")
    func read() {
        let reading = readConfiguration(yaml)
        #expect(reading.problems == [])
        let servers = reading.configuration.mcp.servers
        #expect(servers[ResourceName("files")!] == ["/usr/bin/files", "--root", "/srv/a b"])
        #expect(servers[ResourceName("clock")!] == ["/usr/bin/clock"] && servers.count == 2)
        #expect(
            reading.value(of: "mcp.servers")?.text
                == "clock=/usr/bin/clock,files=/usr/bin/files --root /srv/a b")
    }

    @Test("are taken from nowhere else: not from the environment")
    func environment() {
        let reading = readConfiguration(yaml, ["COMITY_MCP_SERVERS": "files=/bin/sh"])
        #expect(reading.problems.map(\.what) == ["is set in config.yaml only"])
        #expect(reading.configuration.mcp.servers[ResourceName("files")!]?.first == "/usr/bin/files")
        #expect(
            readConfiguration(nil, ["COMITY_MCP_SERVERS": "files=/bin/sh"]).configuration.mcp.servers.isEmpty)
    }

    @Test("are refused while others can change the file", arguments: [0o600, 0o644, 0o620, 0o602, 0o666])
    func guarded(mode: Int) throws {
        let folder =
            FileManager.default.temporaryDirectory.path + "/comity-guard-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = folder + "/config.yaml"
        try Data(yaml.utf8).write(to: URL(filePath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        let problems = try ConfigurationReader.read(home: Home(path: folder), environment: [:]).problems
        #expect(problems.map(\.key) == (mode & 0o022 == 0 ? [] : ["mcp.servers"]), "\(problems)")
        // What names no program may be as it is.
        try Data("name: a".utf8).write(to: URL(filePath: file))
        #expect(try ConfigurationReader.read(home: Home(path: folder), environment: [:]).problems == [])
    }

    @Test(
        "are absolute paths and words, and not too many",
        arguments: [
            "servers: /bin/sh", "servers: { a: sh }", "servers: { a: [] }", "servers: { a: [sh, -c] }",
            "servers: { 'A b': /bin/sh }", "servers: { a: { b: c } }", "servers: { a: [/bin/sh, [x]] }",
            #"servers: { a: [/bin/sh, "\0"] }"#,
            "servers: { a: [/bin/sh, \(String(repeating: "x", count: 4_097))] }",
            "servers: { a: [/bin/sh\(String(repeating: ", x", count: 64))] }",
            "servers: { \((0...16).map { "a\($0): /bin/sh" }.joined(separator: ", ")) }",
        ])
    func refused(text: String) {
        let reading = readConfiguration("mcp: { \(text) }")
        #expect(!reading.problems.isEmpty)
    }

    @Test("have 64 words of 4096 bytes, and are sixteen")
    func bounds() {
        let words = [String(repeating: "x", count: 4_096)] + Array(repeating: "x", count: 62)
        let all = (0..<16).map { "a\($0): [/bin/sh, \(words.joined(separator: ", "))]" }
        let reading = readConfiguration("mcp: { servers: { \(all.joined(separator: ", ")) } }")
        #expect(reading.problems == [] && reading.configuration.mcp.servers.count == 16)
    }
}
