import Foundation
import MeshBase
import Testing

@testable import MeshCredentials

@Suite("The gateway's token")
struct AccessTokenTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("comity-token-\(UUID().uuidString)")

    @Test("is made once, for its owner alone, and only its digest is kept")
    func isMadeOnce() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("gateway.token").path
        let first = try AccessToken.prepare(at: path)
        let again = try AccessToken.prepare(at: path)
        #expect(first.digest == again.digest)
        let text = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
        #expect(first.digest == SystemSuite().digest(Array(text.utf8)))
        #expect(Base64URL.decode(text)?.count == 32)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("is refused when others may read it, or when it is none")
    func isRefused() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("gateway.token").path
        try Data("short\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: CredentialError.self) { try AccessToken.prepare(at: path) }
        chmod(path, 0o600)
        #expect(throws: CredentialError.keyMalformed(path: path)) { try AccessToken.prepare(at: path) }
    }
}
