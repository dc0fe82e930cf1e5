import MeshBase
import MeshCredentials
import MeshNode
import MeshPolicy

/// The policy engine as the call plane asks it.
struct ExternalPolicyDesk: Sendable {
    private let engine: PolicyEngine
    private let patience: Duration

    /// Nil where none is configured.
    /// - Throws: `PolicyEngineFailure` when its files cannot be used: an agent that could not ask would
    ///   refuse everything, so it does not start.
    static func prepare(
        _ configuration: AgentConfiguration.Policy, in home: Home
    ) throws(PolicyEngineFailure) -> ExternalPolicyDesk? {
        guard let url = configuration.url else { return nil }
        let token = { @Sendable () throws(PolicyEngineFailure) -> String? in
            try configuration.tokenFile.map { path throws(PolicyEngineFailure) in try Self.token(path, home) }
        }
        _ = try token()
        let settings = PolicyEngineSettings(
            url: "\(url)/v1/data/\(configuration.rule)",
            authorities: try configuration.authorityFile.map { path throws(PolicyEngineFailure) in
                try contents(path, home)
            },
            token: token)
        return ExternalPolicyDesk(engine: try PolicyEngine(settings), patience: configuration.timeout)
    }

    /// Asks, and tells the plane what came of it.
    func judge(
        _ ticket: ExternalTicket, _ question: ExternalQuestion, _ correlation: CorrelationID,
        for plane: CallPlane
    ) {
        let wall = SystemClock.now().wall
        Task {
            let answer = await engine.decide(question, correlation, at: wall, within: patience)
            plane.submit(.judged(ticket, answer))
        }
    }

    func close() async throws(PolicyEngineFailure) { try await engine.close() }

    private static func token(_ path: String, _ home: Home) throws(PolicyEngineFailure) -> String {
        let bytes: [UInt8]
        do {
            bytes = try SecretFile.read(home.resolve(path))
        } catch {
            throw PolicyEngineFailure(what: "the policy engine's token: \(error)")
        }
        let untrimmed = String(decoding: bytes, as: UTF8.self)
        let text = untrimmed.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
        // Only what may stand in a header: else a token could bring headers of its own.
        let token = String(text)
        guard (1...4_096).contains(token.utf8.count), token.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw PolicyEngineFailure(what: "the policy engine's token is not one of visible characters") }
        return token
    }

    private static func contents(_ path: String, _ home: Home) throws(PolicyEngineFailure) -> [UInt8] {
        let found: [UInt8]?
        do {
            found = try home.contents(of: home.resolve(path), limit: 1 << 20)
        } catch {
            throw PolicyEngineFailure(what: "\(error)")
        }
        guard let found else { throw PolicyEngineFailure(what: "there is no file \(home.resolve(path))") }
        return found
    }
}

extension ExternalPolicyRules {
    /// Nil where no engine is configured.
    init?(_ configuration: AgentConfiguration.Policy) {
        guard configuration.url != nil else { return nil }
        self.init(
            asksAsConsumer: configuration.asks != .provider, asksAsProvider: configuration.asks != .consumer,
            patience: configuration.timeout, cacheLife: configuration.cache)
    }
}
