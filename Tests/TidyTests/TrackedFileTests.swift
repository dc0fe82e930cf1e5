import Foundation
import Testing

@Suite("What is tracked", .enabled(if: TrackedFiles.areKnown, "needs git, to know what is tracked"))
struct TrackedFileTests {
    @Test("no tracked file names a path of one machine")
    func noPathsOfOneMachine() throws {
        // Written in pieces, so that this file is not its own finding.
        let folders = ["work", "root", "opt"].map { "/" + $0 + "/" }
        for (path, text) in try TrackedFiles.texts() {
            for folder in folders {
                let found = text.range(of: "(?<![\\w.~)}$-])" + folder, options: .regularExpression)
                #expect(found == nil, "\(path) names \(folder)")
            }
        }
    }

    @Test("tracked files name no hosts but those of standards, of our sources, and made-up ones")
    func noForeignHosts() throws {
        let known = [
            "github.com", "www.apache.org", "www.rfc-editor.org", "datatracker.ietf.org", "www.w3.org",
            "swift.org",
            "www.swift.org", "keepachangelog.com", "semver.org", "c2sp.org", "www.sqlite.org", "avahi.org",
            "www.freedesktop.org",
        ]
        let madeUp = [".example", ".example.org", ".example.com", ".example.net", ".test", ".invalid"]
        for (path, text) in try TrackedFiles.texts() {
            for match in text.matches(of: /https?:\/\/([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})/) {
                let host = String(match.1).lowercased()
                let isFine = known.contains(host) || madeUp.contains { ("." + host).hasSuffix($0) }
                #expect(isFine, "\(path) names \(host)")
            }
        }
    }

    @Test("no key, certificate or build product is tracked")
    func noKeys() throws {
        for path in try TrackedFiles.paths() {
            let isKey = [".key", ".pem", ".p12", ".der", ".db"].contains { path.hasSuffix($0) }
            #expect(!isKey && !path.hasPrefix(".build"), "\(path) is tracked")
        }
    }

    @Test("every script says what it is for, stops at the first error, and may be executed")
    func scriptsAreAlike() throws {
        for path in try TrackedFiles.paths() where path.hasPrefix("Scripts/") || path == ".ci/run" {
            let text = try SourceTree.text(path)
            guard text.hasPrefix("#!/usr/bin/env bash") || text.hasPrefix("#!/bin/bash") else { continue }
            #expect(text.contains("set -euo pipefail"), "\(path) does not stop at the first error")
            #expect(path == ".ci/run" || text.contains("--help"), "\(path) has no --help")
            let file = SourceTree.root.appendingPathComponent(path).path
            #expect(FileManager.default.isExecutableFile(atPath: file), "\(path) cannot be executed")
        }
    }
}

/// What git tracks here.
enum TrackedFiles {
    static var areKnown: Bool {
        do { return try !paths().isEmpty } catch { return false }
    }

    /// Paths from the repository's folder, of files that exist.
    static func paths() throws -> [String] {
        let git = Process()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        git.arguments = ["git", "-c", "safe.directory=*", "-C", SourceTree.root.path, "ls-files", "-z"]
        let pipe = Pipe()
        git.standardOutput = pipe
        git.standardError = FileHandle.nullDevice
        try git.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        guard git.terminationStatus == 0 else { return [] }
        return output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.filter {
            FileManager.default.fileExists(atPath: SourceTree.root.appendingPathComponent($0).path)
        }
    }

    /// Every tracked file that is text.
    static func texts() throws -> [(path: String, text: String)] {
        try paths().compactMap { path in
            let data = try Data(contentsOf: SourceTree.root.appendingPathComponent(path))
            return String(data: data, encoding: .utf8).map { (path, $0) }
        }
    }
}
