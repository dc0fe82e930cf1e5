import Foundation
import Testing

/// A small LAN of `Scripts/lan`, with the witness running in its nodes: this test program, started once more
/// inside a node, is the program that announces and browses there (see `LabNodeTests`).
final class Lab {
    /// Where a lab can be: root may make network namespaces, and the tools are there. Nil: it can; else why
    /// not.
    static let obstacle: String? = {
        let script = Process()
        script.executableURL = URL(filePath: scriptPath)
        script.arguments = ["status"]
        let answer = Pipe()
        script.standardError = answer
        script.standardOutput = FileHandle.nullDevice
        do { try script.run() } catch { return "\(error)" }
        let reason = answer.fileHandleForReading.readDataToEndOfFile()
        script.waitUntilExit()
        return script.terminationStatus == 0 ? nil : String(decoding: reason, as: UTF8.self)
    }()

    static var scriptPath: String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(path: "Scripts/lan").path(percentEncoded: false)
    }

    private let environment: [String: String]
    private var nodes: [LabNode] = []

    init(nodes count: Int) throws {
        let name = "t" + String(UInt32.random(in: .min ... .max), radix: 36).prefix(6)
        var environment = ProcessInfo.processInfo.environment
        environment["COMITY_LAN_NAME"] = name
        environment["COMITY_LAN_DIR"] =
            FileManager.default.temporaryDirectory.appending(path: "comity-lan-\(name)").path
        self.environment = environment
        try lan("up", "\(count)")
    }

    func lan(_ arguments: String...) throws { try lan(arguments) }

    /// Runs `ip` with these words in a node.
    func ip(in node: String, _ words: String) throws {
        try lan(["exec", node, "ip"] + words.split(separator: " ").map(String.init))
    }

    private func lan(_ arguments: [String]) throws {
        let script = Process()
        script.executableURL = URL(filePath: Self.scriptPath)
        script.arguments = arguments
        script.environment = environment
        try script.run()
        script.waitUntilExit()
        try #require(script.terminationStatus == 0, "lan \(arguments) failed")
    }

    /// Starts a witness in a node; it announces `port` unless that is nil, under `instance` unless that is,
    /// and browses anew every `renewal` seconds.
    func witness(
        in node: Int, port: UInt16?, txt: String = "", instance: String? = nil, renewal: Int = 2
    ) throws -> LabNode {
        var environment = environment
        environment[LabNode.portVariable] = port.map { "\($0)" } ?? "none"
        environment[LabNode.txtVariable] = txt
        environment[LabNode.instanceVariable] = instance
        environment[LabNode.renewalVariable] = "\(renewal)"
        let started = try LabNode(in: node, environment: environment)
        nodes.append(started)
        return started
    }

    /// Starts another program in a node, which prints events in the same way.
    func program(in node: Int, _ command: [String]) throws -> LabNode {
        let started = try LabNode(in: node, command, environment: environment)
        nodes.append(started)
        return started
    }

    /// Lets the node's Avahi use all interfaces from its next start on.
    func allowAllInterfaces(of node: Int) throws {
        let folder = environment["COMITY_LAN_DIR"] ?? ""
        let file = URL(filePath: "\(folder)/\(node)/avahi.conf")
        let text = try String(contentsOf: file, encoding: .utf8)
        let all = text.replacing("allow-interfaces=eth0\n", with: "")
        try all.write(to: file, atomically: true, encoding: .utf8)
    }

    func down() throws {
        for node in nodes { node.end() }
        try lan("down")
    }
}

/// The witness in one node, as a process of its own: it prints each event as a line and takes orders on its
/// standard input.
final class LabNode: @unchecked Sendable {
    static let portVariable = "COMITY_TEST_AVAHI_PORT"
    static let instanceVariable = "COMITY_TEST_AVAHI_INSTANCE"
    static let renewalVariable = "COMITY_TEST_AVAHI_RENEWAL"
    static let txtVariable = "COMITY_TEST_AVAHI_TXT"
    static let mark = "AVAHI-EVENT "

    private let process = Process()
    private let orders = Pipe()
    // Guarded by `lock`: the pipe's reader adds, the test looks.
    private let lock = NSLock()
    private var text = ""

    /// - Parameter command: what prints the events; nil: the witness.
    init(in node: Int, _ command: [String]? = nil, environment: [String: String]) throws {
        process.executableURL = URL(filePath: Lab.scriptPath)
        let witness = [
            URL(filePath: CommandLine.arguments[0]).path, "--testing-library", "swift-testing", "--filter",
            "LabNodeTests",
        ]
        process.arguments = ["exec", "\(node)"] + (command ?? witness)
        process.environment = environment
        process.standardInput = orders
        let output = Pipe()
        process.standardOutput = output
        output.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            guard let self, !data.isEmpty else { return handle.readabilityHandler = nil }
            lock.withLock { self.text += String(decoding: data, as: UTF8.self) }
        }
        try process.run()
    }

    func order(_ line: String) throws {
        try orders.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    /// The events so far, one a line.
    var events: [String] {
        lock.withLock { text }.split(separator: "\n").filter { $0.hasPrefix(Self.mark) }
            .map { String($0.dropFirst(Self.mark.count)) }
    }

    /// Waits until an event from `position` on holds all of `words`, and answers with it.
    func event(_ words: String..., from position: Int = 0, within seconds: Double) async throws -> String {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            let found = events.dropFirst(position).first { event in words.allSatisfy { event.contains($0) } }
            if let found { return found }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Missing(words: words, events: events)
    }

    struct Missing: Error { let words: [String], events: [String] }

    func end() {
        orders.fileHandleForWriting.closeFile()
        process.waitUntilExit()
    }
}
