import MeshBase
import MeshCredentials

/// What a server of somebody else's is shown, and by what it is believed: read where an operator keeps it,
/// never shown.
struct ServerFiles: Sendable {
    let home: Home
    /// Whose: `Consul`, `the policy engine`.
    let server: String

    /// A token that may stand in a header: else it could bring headers of its own.
    /// - Parameter limit: characters at most.
    static func token(
        _ text: String, for server: String, limit: Int
    ) throws(ServerFileProblem) -> String {
        let trimmed = String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
        guard (1...limit).contains(trimmed.utf8.count),
            trimmed.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw ServerFileProblem(what: "the token for \(server) is not 1 to \(limit) visible characters")
        }
        return trimmed
    }

    /// The token in a file that only its owner reads.
    func token(at path: String, limit: Int) throws(ServerFileProblem) -> String {
        try Self.token(String(decoding: try secret(path), as: UTF8.self), for: server, limit: limit)
    }

    /// A file that only its owner reads.
    func secret(_ path: String) throws(ServerFileProblem) -> [UInt8] {
        do {
            return try SecretFile.read(home.resolve(path))
        } catch {
            throw ServerFileProblem(what: "\(error)")
        }
    }

    /// Any other file, of 1 MiB at most.
    func contents(_ path: String) throws(ServerFileProblem) -> [UInt8] {
        let found: [UInt8]?
        do {
            found = try home.contents(of: home.resolve(path), limit: 1 << 20)
        } catch {
            throw ServerFileProblem(what: "\(error)")
        }
        guard let found else { throw ServerFileProblem(what: "there is no file \(home.resolve(path))") }
        return found
    }
}

/// Why such a file cannot be used, in words.
struct ServerFileProblem: Error, Equatable {
    let what: String
}
