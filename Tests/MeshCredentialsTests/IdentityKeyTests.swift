import Foundation
import Glibc
import MeshBase
import Testing

@testable import MeshCredentials

@Suite("The identity key")
struct IdentityKeyTests {
    let folder: TemporaryFolder
    var path: String { folder.file("identity.key") }

    init() throws { folder = try TemporaryFolder() }

    @Test("is the same key after it was written and read")
    func roundTrip() throws {
        let made = try IdentityKey.create(at: path)
        let read = try IdentityKey.load(from: path)
        #expect(read.publicKey == made.publicKey)
        #expect(read.pin == made.pin)
        #expect(made.publicKey.info.bytes.count == 91)
        let signature = try read.sign([1, 2, 3])
        #expect(signature.count == 64)
        #expect(SystemSuite().isValid(signature, over: [1, 2, 3], by: made.publicKey))
    }

    @Test("is a file that only its owner can read, with nothing left beside it")
    func privateFile() throws {
        _ = try IdentityKey.create(at: path)
        #expect(try folder.mode(of: "identity.key") == 0o600)
        #expect(try folder.names() == ["identity.key"])
    }

    @Test("is never overwritten")
    func neverOverwritten() throws {
        let made = try IdentityKey.create(at: path)
        #expect(throws: CredentialError.keyExists(path: path)) { try IdentityKey.create(at: path) }
        #expect(try IdentityKey.load(from: path).pin == made.pin)
        #expect(try folder.names() == ["identity.key"])
    }

    @Test("can be made where a crash left half a draft")
    func draftLeftBehind() throws {
        try Data("-----BEGIN".utf8).write(to: URL(fileURLWithPath: path + ".new"))
        _ = try IdentityKey.create(at: path)
        #expect(try folder.names() == ["identity.key"])
    }

    @Test(
        "is refused when the group or everybody may read or write it",
        arguments: [0o640, 0o604, 0o660, 0o602, 0o601])
    func openToOthers(mode: Int) throws {
        _ = try IdentityKey.create(at: path)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        let error = #expect(throws: CredentialError.self) { try IdentityKey.load(from: path) }
        guard case .keyOpenToOthers(path, _) = error else {
            Issue.record("refused for another reason: \(String(describing: error))")
            return
        }
        #expect(try #require(error).description.contains("chmod 600 \(path)"))
    }

    @Test("is refused behind a symbolic link")
    func symbolicLink() throws {
        _ = try IdentityKey.create(at: folder.file("elsewhere"))
        try FileManager.default.createSymbolicLink(
            atPath: path, withDestinationPath: folder.file("elsewhere"))
        #expect(throws: CredentialError.keyIsNoFile(path: path)) { try IdentityKey.load(from: path) }
        #expect(throws: CredentialError.keyExists(path: path)) { try IdentityKey.create(at: path) }
    }

    @Test("is refused as a folder and as a pipe, without waiting")
    func noFile() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(throws: CredentialError.keyIsNoFile(path: path)) { try IdentityKey.load(from: path) }
        #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
        #expect(throws: CredentialError.keyIsNoFile(path: folder.file("pipe"))) {
            try IdentityKey.load(from: folder.file("pipe"))
        }
    }

    @Test(
        "is refused when it belongs to another user",
        .enabled(if: geteuid() == 0, "only root can give a file away"))
    func foreignOwner() throws {
        _ = try IdentityKey.create(at: path)
        #expect(chown(path, 12_345, 12_345) == 0)
        #expect(throws: CredentialError.keyOfAnotherUser(path: path, owner: 12_345, expected: 0)) {
            try IdentityKey.load(from: path)
        }
    }

    @Test("is missed by name")
    func missing() {
        #expect(throws: CredentialError.keyMissing(path: path)) { try IdentityKey.load(from: path) }
    }

    @Test(
        "is refused when the file holds anything else, of any size",
        arguments: [0, 1, 200, 4_096, 4_097, 2_000_000])
    func malformed(size: Int) throws {
        let noise = Data(repeating: UInt8(ascii: "x"), count: size)
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: noise, attributes: [.posixPermissions: 0o600]))
        #expect(throws: CredentialError.keyMalformed(path: path)) { try IdentityKey.load(from: path) }
    }

    @Test("is refused when it is cut anywhere")
    func torn() throws {
        _ = try IdentityKey.create(at: path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for length in 0..<(whole.count - 1) where length % 7 == 0 {
            let torn = folder.file("torn-\(length)")
            #expect(
                FileManager.default.createFile(
                    atPath: torn, contents: whole.prefix(length), attributes: [.posixPermissions: 0o600]))
            #expect(throws: CredentialError.keyMalformed(path: torn)) { try IdentityKey.load(from: torn) }
        }
    }

    @Test("shows nothing of its private part, whoever prints it and however")
    func noSecretShown() throws {
        let key = try IdentityKey.create(at: path)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let secretLine = try #require(text.split(separator: "\n").dropFirst().first)
        var dumped = ""
        dump(["key": key], to: &dumped)
        for shown in ["\(key)", String(reflecting: key), dumped, String(reflecting: Optional(key))] {
            #expect(!shown.contains(secretLine))
            #expect(!shown.contains("PrivateKey"))
            #expect(shown.contains(key.pin.description))
        }
    }
}
