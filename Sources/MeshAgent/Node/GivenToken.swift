import Logging
import MeshCredentials
import MeshWire

/// The join token with which an agent is started: a file that `COMITY_JOIN_FILE` names, or the text itself in
/// `COMITY_JOIN`.
enum GivenToken {
    /// Nil when none is given; also when one is given that cannot be read and this node is a member already.
    /// - Throws: `CredentialError` when the file cannot be used; `AgentFailure` when the text is no token.
    static func read(
        _ environment: [String: String], isMember: Bool, _ log: Logger
    ) throws -> HeldToken? {
        do {
            return try read(environment, log)
        } catch  where isMember {
            log.notice("the join token is not read, and not needed", metadata: ["cause": "\(error)"])
            return nil
        }
    }

    private static func read(_ environment: [String: String], _ log: Logger) throws -> HeldToken? {
        if let path = environment["COMITY_JOIN_FILE"], !path.isEmpty { return try HeldToken.load(from: path) }
        guard let text = environment["COMITY_JOIN"], !text.isEmpty else { return nil }
        log.warning(
            "COMITY_JOIN holds a secret that other processes may see: use COMITY_JOIN_FILE=PATH"
        )
        do throws(WireError) {
            return try HeldToken(Array(text.utf8))
        } catch {
            throw AgentFailure.joinToken("\(error)")
        }
    }
}
