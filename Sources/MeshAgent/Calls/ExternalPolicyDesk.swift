import MeshBase
import MeshNode
import MeshPolicy

/// The policy engine as the call plane asks it.
struct ExternalPolicyDesk: Sendable {
    private let engine: PolicyEngine
    private let patience: Duration
    /// Where the engine is, for this node's operator alone.
    let url: String

    /// Nil where none is configured.
    /// - Throws: `PolicyEngineFailure` when its files cannot be used: an agent that could not ask would
    ///   refuse everything, so it does not start.
    static func prepare(
        _ configuration: AgentConfiguration.Policy, in home: Home
    ) throws(PolicyEngineFailure) -> ExternalPolicyDesk? {
        guard let url = configuration.url else { return nil }
        let files = ServerFiles(home: home, server: "the policy engine")
        let token = { @Sendable () throws(PolicyEngineFailure) -> String? in
            guard let path = configuration.tokenFile else { return nil }
            do throws(ServerFileProblem) {
                return try files.token(at: path, limit: 4_096)
            } catch {
                throw PolicyEngineFailure(what: error.what)
            }
        }
        _ = try token()
        var authorities: [UInt8]?
        if let path = configuration.authorityFile {
            do {
                authorities = try files.contents(path)
            } catch {
                throw PolicyEngineFailure(what: error.what)
            }
        }
        let settings = PolicyEngineSettings(
            url: "\(url)/v1/data/\(configuration.rule)", authorities: authorities, token: token)
        return ExternalPolicyDesk(
            engine: try PolicyEngine(settings), patience: configuration.timeout, url: url.description)
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
