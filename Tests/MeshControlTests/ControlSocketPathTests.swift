import Foundation
import Testing

@testable import MeshControl

@Suite struct ControlSocketPathTests {
    @Test func `a short home holds its socket itself`() {
        let place = ControlSocketPath(
            home: "/home/ada/.comity", name: "control.sock", runtimeFolder: "/run/user/1000")
        #expect(place.socket == "/home/ada/.comity/control.sock")
        #expect(ControlSocketPath.existing(home: "/home/ada/.comity", name: "control.sock") == place.socket)
    }

    @Test func `the limit is 107 bytes and not one more`() {
        let home = "/" + String(repeating: "h", count: 107 - 14)
        #expect(
            ControlSocketPath(home: home, name: "control.sock", runtimeFolder: nil).socket == home
                + "/control.sock")
        #expect(
            ControlSocketPath(home: home + "h", name: "control.sock", runtimeFolder: nil).socket.hasPrefix(
                "/tmp/"))
    }

    @Test func `a runtime folder that is too long itself is not used`() {
        let long = "/" + String(repeating: "r", count: 120)
        #expect(
            ControlSocketPath(home: long, name: "control.sock", runtimeFolder: long).socket.utf8.count <= 107)
    }

    @Test func `a long home holds a link that a client follows`() throws {
        try withFolder { folder in
            let home = folder + "/" + String(repeating: "h", count: 120)
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
            let place = ControlSocketPath(home: home, name: "control.sock", runtimeFolder: folder)
            try place.prepare()
            #expect(ControlSocketPath.existing(home: home, name: "control.sock") == place.socket)
            place.remove()
            #expect(try FileManager.default.contentsOfDirectory(atPath: home).isEmpty)
        }
    }

    @Test func `a runtime folder that others can look into is refused`() throws {
        try withFolder { folder in
            let home = folder + "/" + String(repeating: "h", count: 120)
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
            let place = ControlSocketPath(home: home, name: "control.sock", runtimeFolder: folder)
            let private_ = URL(filePath: place.socket).deletingLastPathComponent().path
            try FileManager.default.createDirectory(
                atPath: private_, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
            #expect(throws: ControlSocketPathFailure.foreignFolder(private_)) { try place.prepare() }
        }
    }
}

/// A fresh folder, removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = try makeFolder()
    defer { removeFolder(folder) }
    return try body(folder)
}

func makeFolder() throws -> String {
    let folder = "/tmp/comity-test-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    return folder
}

func removeFolder(_ folder: String) {
    do {
        try FileManager.default.removeItem(atPath: folder)
    } catch {
        Issue.record("\(folder) is left behind: \(error)")
    }
}
