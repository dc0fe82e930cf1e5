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

    @Test("is free once it was released, though its descriptor has a copy, as in a child that just begins")
    func copied() throws {
        try place.home.prepare()
        let lock = try HomeLock.take(in: place.home)
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let found = open.compactMap(Int32.init)
            .first { number in
                var (here, there) = (stat(), stat())
                return fstat(number, &here) == 0 && stat(place.home.lock, &there) == 0
                    && here.st_ino == there.st_ino && here.st_dev == there.st_dev
            }
        let copy = dup(try #require(found))
        defer { close(copy) }
        lock.release()
        let next = try HomeLock.take(in: place.home)
        lock.release()
        #expect(HomeLock.isHeld(in: place.home), "the second release took it from who has it now")
        withExtendedLifetime((lock, next)) {}
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
