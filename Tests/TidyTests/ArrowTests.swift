import Foundation
import Testing

/// Who may import whom (Docs/Architecture.md): a module imports rows below its own, and nothing in its own
/// row.
enum House {
    /// The rows from below, and why a row's modules do not know one another.
    static let rows: [(modules: [String], whyNoNeighbours: String)] = [
        (["MeshBase"], "there is one vocabulary"),
        (
            ["MeshDiscovery", "MeshTrust", "MeshAgreements", "MeshGossip", "MeshRouting", "MeshAudit"],
            "the protocols never meet: only MeshNode turns one's effect into another's input"
        ),
        (["MeshNode"], "there is one place where the protocols meet"),
        (
            ["MeshWire", "MeshSimulator"],
            "the simulator runs without the encoding, so that thousands of nodes fit into one process"
        ),
        (
            [
                "MeshLink", "MeshGateway", "MeshControl", "MeshStore", "MeshCredentials", "MeshAvahi",
                "MeshDNS", "MeshConsul", "MeshPolicy", "MeshMCP", "MeshTelemetry",
            ],
            "a shell never knows another shell: what it needs from one, MeshAgent hands it as a closure"
        ),
        (["MeshAgent"], "there is one wiring"),
        (["comity"], "there is one program"),
    ]

    static let whyNotUpward =
        "below the line nothing knows what stands on it: decisions must run without the world"

    /// C borders and the one module that may cross each.
    static let borders = [
        "CAvahi": (only: "MeshAvahi", why: "callbacks and raw pointers stay behind one door"),
        "CChecksum": (only: "MeshStore", why: "what not every processor knows is asked for in one place"),
        "CSpawn": (
            only: "MeshAgent", why: "what a program that is started gets of ours is said in one place"
        ),
        "CResolv": (only: "MeshDNS", why: "what blocks and fills buffers stays behind one door"),
    ]

    /// Libraries that have one place, and why.
    static let libraries: [(modules: [String], home: [String], why: String)] = [
        (["GRDB"], ["MeshStore"], "what survives a restart is decided in one module"),
        (["X509", "SwiftASN1", "Crypto", "_CryptoExtras"], ["MeshCredentials"], "keys live in one module"),
        (
            ["NIOSSL", "NIOTLS"], ["MeshLink", "MeshConsul", "MeshPolicy"],
            "one module decides what TLS proves between peers; a server of somebody else's is another matter"
        ),
        (
            ["NIOHTTP1"], ["MeshGateway", "MeshControl", "MeshConsul", "MeshPolicy"],
            "HTTP stays at the edges; between peers run frames"
        ),
        (
            ["NIOHTTP2", "NIOHPACK"], ["MeshGateway"],
            "gRPC is spoken to applications and servers of this host; between peers run frames"
        ),
        (
            ["Hummingbird", "HummingbirdCore"], ["MeshControl"],
            "it serves the control socket and nothing else"
        ),
        (
            ["AsyncHTTPClient"], ["MeshControl", "MeshConsul", "MeshPolicy"],
            "it is for clients off the path of calls; a policy engine of somebody else's is waited for anyway"
        ),
        (["Yams"], ["MeshAgent"], "configuration is one plain struct; only its reader knows YAML"),
        (["ArgumentParser"], ["comity"], "the command line is not the agent"),
    ]

    static func row(of module: String) -> Int? { rows.firstIndex { $0.modules.contains(module) } }
}

@Suite("The arrows between modules")
struct ArrowTests {
    @Test("every module of the manifest stands in a row, and every row in the manifest")
    func everyModuleHasARow() throws {
        let declared = Set(try Manifest.read().keys)
        let standing = Set(House.rows.flatMap(\.modules)).union(House.borders.keys)
        #expect(declared == standing)
        #expect(Set(SourceTree.sources.map(\.module)).isSubset(of: standing))
    }

    @Test("a module imports rows below its own, and nothing in its own row")
    func rowsHold() {
        for file in SourceTree.sources {
            guard let own = House.row(of: file.module) else { continue }
            for (imported, line) in file.imports {
                guard let other = House.row(of: imported) else { continue }
                let why = other == own ? House.rows[own].whyNoNeighbours : House.whyNotUpward
                #expect(other < own, "\(file.path):\(line) imports \(imported): \(why)")
            }
        }
    }

    @Test("a module imports only those of our modules that the manifest declares for it")
    func manifestHolds() throws {
        let declared = try Manifest.read()
        let ours = Set(declared.keys)
        for file in SourceTree.sources {
            for (imported, line) in file.imports where ours.contains(imported) {
                #expect(
                    declared[file.module, default: []].contains(imported),
                    "\(file.path):\(line) imports \(imported), not given it in Package.swift"
                )
            }
        }
    }

    @Test("each C border is crossed by its one module")
    func bordersHold() {
        for file in SourceTree.sources {
            for (imported, line) in file.imports {
                guard let border = House.borders[imported] else { continue }
                #expect(file.module == border.only, "\(file.path):\(line) imports \(imported): \(border.why)")
            }
        }
    }

    @Test("each library has its place")
    func librariesHold() {
        for file in SourceTree.sources {
            for (imported, line) in file.imports {
                for library in House.libraries where library.modules.contains(imported) {
                    #expect(
                        library.home.contains(file.module),
                        "\(file.path):\(line) imports \(imported): \(library.why)")
                }
            }
        }
    }
}

/// What Package.swift says of each module's imports, read from its text.
private enum Manifest {
    static func read() throws -> [String: Set<String>] {
        let text = try SourceTree.text("Package.swift")
        let protocols = names(in: line(beginning: "let protocols", of: text))
        let below = names(in: line(beginning: "let below", of: text)).union(protocols)
        var modules: [String: Set<String>] = [:]
        let entry = /Module\(\s*"(\w+)",\s*\.(?:\w+)(?:\([^)]*\))?(?:,\s*on:\s*([^\n]*(?:\n\s+\[[^\n]*)?))?/
        for match in text.matches(of: entry) {
            var expression = String(match.2 ?? "")
            if let end = expression.firstMatch(of: /\],\s*(\[|tests|\))|\),$/) {
                expression = String(expression[..<end.range.lowerBound])
            }
            if let tests = expression.range(of: "testsOn:") {
                expression = String(expression[..<tests.lowerBound])
            }
            var imports = names(in: expression)
            if expression.contains(/\bprotocols\b/) { imports.formUnion(protocols) }
            if expression.contains(/\bbelow\b/) { imports.formUnion(below) }
            modules[String(match.1)] = imports
        }
        return modules
    }

    private static func line(beginning start: String, of text: String) -> String {
        text.components(separatedBy: "\n").first { $0.hasPrefix(start) } ?? ""
    }

    private static func names(in text: String) -> Set<String> {
        Set(text.matches(of: /"(\w+)"/).map { String($0.1) })
    }
}
