import MeshBase
import MeshGossip

/// What a ping carries: 40 bytes that say whether the two ends still hold the same.
public struct LinkPing: Equatable, Sendable {
    /// Of the audiences that the two share.
    public let registry: RegistrySummary
    /// Of what the sender believes about the two; nil from a node that does not say.
    public let beliefs: BeliefMark?

    init(registry: RegistrySummary, beliefs: BeliefMark?) {
        self.registry = registry
        self.beliefs = beliefs
    }

    /// Reads what `bytes` writes: 32 bytes, or 40; nil for any other length.
    public init?(_ bytes: [UInt8]) {
        guard let digest = Digest(Array(bytes.prefix(32))) else { return nil }
        registry = RegistrySummary(digest: digest)
        guard bytes.count > 32 else {
            beliefs = nil
            return
        }
        guard let mark = BeliefMark(bytes.dropFirst(32)) else { return nil }
        beliefs = mark
    }

    /// As it travels.
    public var bytes: [UInt8] { registry.digest.bytes + (beliefs?.octets.bytes ?? []) }
}
