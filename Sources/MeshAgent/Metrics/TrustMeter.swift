import MeshAudit
import MeshBase
import MeshNode
import Synchronization

/// Counts what became of handshakes and of trust, for the page of metrics:
/// `federation_trust_verification_total{status}` and `federation_trust_establishment_total{status}`.
///
/// It reads what the node orders, and never what somebody sent: so there is nothing that others could name.
///
///     a connection is admitted               a verification that succeeded, the hourly repetition too
///     "handshake refused"                    one that failed; under an invite, an establishment too
///     "peer trusted" from another state      an establishment that succeeded; after `resume` it is none, nor
///                                            where trust only rests on something else from now on
final class TrustMeter: Sendable {
    /// What was counted since the start.
    struct Counts: Sendable, Equatable {
        var verified: UInt64 = 0
        var refused: UInt64 = 0
        var established: UInt64 = 0
        var notEstablished: UInt64 = 0
    }

    private let counts = Mutex(Counts())

    /// What was counted so far.
    var snapshot: Counts { counts.withLock { $0 } }

    /// Takes what the node orders; most of it is nothing to count.
    func note(_ effect: NodeEffect) {
        switch effect {
        case .admit: counts.withLock { $0.verified += 1 }
        case .record(let records, _): for case .event(let event) in records { note(event) }
        default: break
        }
    }

    private func note(_ event: AuditEvent) {
        guard event.type == .trust else { return }
        switch event.action {
        case "handshake refused":
            let isPairing = event.refusals.contains { Self.ofPairing.contains($0.code) }
            counts.withLock {
                $0.refused += 1
                if isPairing { $0.notEstablished += 1 }
            }
        case "handshake denied by peer" where event.refusals.contains { Self.ofPairing.contains($0.code) }:
            counts.withLock { $0.notEstablished += 1 }
        case "peer trusted" where !Self.hadTrust.contains(where: event.metadata.contains):
            counts.withLock { $0.established += 1 }
        default: break
        }
    }

    /// Who is resumed, or trusted for another reason than before, is not trusted anew.
    private static let hadTrust = [Fact("from", "suspended"), Fact("from", "trusted")]

    /// Refusals that only a handshake under an invite meets.
    private static let ofPairing: [RefusalCode] = [
        .inviteExpired, .inviteUsed, .inviteUnknown, .inviteProofWrong, .inviteDeclined, .pairingClosed,
    ]
}
