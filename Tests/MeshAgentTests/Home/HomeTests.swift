import Foundation
import Glibc
import Testing

@testable import MeshAgent

@Suite("A home")
struct HomeTests {
    let place = TemporaryHome()
    var home: Home { place.home }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test("is created for its owner alone, once")
    func created() throws {
        #expect(try home.prepare() == .created)
        #expect(try mode(home.path) == 0o700)
        #expect(try mode(home.journal) == 0o700)
        #expect(try home.prepare() == .existing)
    }

    @Test(
        "is refused when the group or everybody may enter, with the chmod that helps",
        arguments: [0o750, 0o705, 0o770, 0o701])
    func openToOthers(mode: Int) throws {
        try home.prepare()
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: home.path)
        let error = #expect(throws: HomeError.self) { try home.prepare() }
        #expect(try #require(error).description.hasSuffix("Next: chmod 700 \(home.path)"))
    }

    @Test(
        "is refused when it belongs to another user",
        .enabled(if: geteuid() == 0, "only root can give a folder away"))
    func foreignOwner() throws {
        try home.prepare()
        #expect(chown(home.path, 12_345, 12_345) == 0)
        #expect(throws: HomeError.ofAnotherUser(path: home.path, owner: 12_345, expected: 0)) {
            try home.prepare()
        }
    }

    @Test("is refused where a file is, and where no folder is to create it in")
    func wrongPlace() throws {
        #expect(FileManager.default.createFile(atPath: home.path, contents: nil))
        #expect(throws: HomeError.notAFolder(path: home.path)) { try home.prepare() }
        let deep = Home(path: place.folder + "/a/b")
        #expect(throws: HomeError.parentMissing(path: deep.path, parent: place.folder + "/a")) {
            try deep.prepare()
        }
        #expect(throws: HomeError.notAFolder(path: home.path)) {
            try Home(path: home.path + "/below").prepare()
        }
    }

    @Test("is where COMITY_HOME says, else .comity in the user's folder")
    func standardPlace() throws {
        #expect(try Home.standard(environment: ["COMITY_HOME": "/a/b/", "HOME": "/c"]).path == "/a/b")
        #expect(try Home.standard(environment: ["COMITY_HOME": "", "HOME": "/c"]).path == "/c/.comity")
        #expect(try Home.standard(environment: [:]).path.hasSuffix("/.comity"))
        #expect(Home(path: "x").path == FileManager.default.currentDirectoryPath + "/x")
    }

    @Test("has sockets in it when its path is short")
    func shortSockets() throws {
        let home = Home(path: "/run/comity")
        #expect(try home.socket(.control) == "/run/comity/control.sock")
        #expect(try home.socket(.gateway) == "/run/comity/gateway.sock")
    }

    @Test(
        "has links to sockets in a private folder when its path is too long, and both ends find them"
    )
    func longSockets() throws {
        let long = Home(path: place.folder + "/" + String(repeating: "x", count: 120))
        try long.prepare()
        #expect(throws: HomeError.self) { try long.socket(.control) }
        let environment = ["XDG_RUNTIME_DIR": place.folder]
        try long.prepareSockets(environment: environment)
        try long.prepareSockets(environment: environment)
        let control = try long.socket(.control)
        #expect(control.utf8.count <= 107)
        #expect(control.hasPrefix(place.folder + "/comity-"))
        #expect(control.hasSuffix("/control.sock"))
        #expect(try mode(String(control.dropLast("/control.sock".count))) == 0o700)
        #expect(try long.socket(.gateway) != control)
    }

    @Test("refuses a runtime folder that somebody else prepared")
    func preparedByOthers() throws {
        let long = Home(path: place.folder + "/" + String(repeating: "x", count: 120))
        try long.prepare()
        try long.prepareSockets(environment: ["XDG_RUNTIME_DIR": place.folder])
        let control = try long.socket(.control)
        let runtime = String(control.dropLast("/control.sock".count))
        #expect(chmod(runtime, 0o777) == 0)
        #expect(throws: HomeError.self) {
            try long.prepareSockets(environment: ["XDG_RUNTIME_DIR": place.folder])
        }
        #expect(rmdir(runtime) == 0)
        #expect(symlink("/tmp", runtime) == 0)
        #expect(throws: HomeError.notAFolder(path: runtime)) {
            try long.prepareSockets(environment: ["XDG_RUNTIME_DIR": place.folder])
        }
    }
}

@Suite("The lock of a home")
struct HomeLockTests {
    let place = TemporaryHome()

    @Test("lets one agent in, and tells the second which process holds it")
    func exclusive() throws {
        try place.home.prepare()
        let lock = try HomeLock.take(in: place.home)
        let error = #expect(throws: HomeError.inUse(path: place.home.path, holder: getpid())) {
            try HomeLock.take(in: place.home)
        }
        #expect(try #require(error).description.contains("process \(getpid())"))
        withExtendedLifetime(lock) {}
    }

    @Test("ends with whoever held it, whatever the file says")
    func released() throws {
        try place.home.prepare()
        do { _ = try HomeLock.take(in: place.home) }
        try Data("999999\nold".utf8).write(to: URL(fileURLWithPath: place.home.lock))
        let lock = try HomeLock.take(in: place.home)
        #expect(try String(contentsOfFile: place.home.lock, encoding: .utf8) == "\(getpid())\n")
        withExtendedLifetime(lock) {}
    }

    @Test("survives noise in its file")
    func noise() throws {
        try place.home.prepare()
        let lock = try HomeLock.take(in: place.home)
        try Data(repeating: 0xff, count: 100_000).write(
            to: URL(fileURLWithPath: place.home.lock), options: [])
        #expect(throws: HomeError.inUse(path: place.home.path, holder: nil)) {
            try HomeLock.take(in: place.home)
        }
        withExtendedLifetime(lock) {}
    }
}
