import MeshBase

/// What keeps an agent from starting.
public enum AgentFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Everything that is wrong with the configuration.
    case configuration([ConfigurationProblem])
    /// A row of the store is not what this program writes.
    case storeUnreadable(what: String)
    /// The identity keys or what they signed cannot be used.
    case identity(String)
    /// The text in `COMITY_JOIN` is no join token.
    case joinToken(String)
    /// No port could be listened on.
    case cannotListen(Endpoint, cause: String)

    public var description: String {
        switch self {
        case .configuration(let problems):
            (["the configuration has \(problems.count) mistake\(problems.count == 1 ? "" : "s"):"]
                + problems.map { "  \($0)" }).joined(separator: "\n")
        case .storeUnreadable(let what): "the store holds \(what) in a form that this program does not write"
        case .identity(let cause): "the identity cannot be used: \(cause)"
        case .joinToken(let cause):
            "COMITY_JOIN holds no join token: \(cause); make one on the node with the anchor:"
                + " comity domain token FILE"
        case .cannotListen(let endpoint, let cause):
            "peers cannot connect to \(endpoint): \(cause); choose another with: comity up --listen HOST:PORT"
        }
    }
}
