import MeshBase
import MeshNode
import MeshTrust

/// Who asks to join under invites that want the operator's yes: the last one of each, until its invite is
/// over. So there are at most `Limits.openInvites`.
struct AskingJoiners: Sendable, Equatable {
    /// One who proved an invite's secret.
    struct Joiner: Sendable, Equatable {
        let pin: Pin
        /// What it calls itself.
        let name: NodeName
    }

    private var joiners: [InviteName: Joiner] = [:]

    /// How many ask.
    var count: Int { joiners.count }

    /// Who asks under `invite`; nil when nobody does.
    subscript(invite: InviteName) -> Joiner? { joiners[invite] }

    /// Takes what the node orders; most of it says nothing of joiners.
    mutating func note(_ effect: NodeEffect) {
        switch effect {
        case .confirmationWanted(let invite, let pin, let name):
            joiners[invite] = Joiner(pin: pin, name: name)
        case .persist(.trust(.inviteGone(let invite))): joiners[invite] = nil
        case .persist, .dial, .dialThrough, .send, .repeatHandshake, .admit, .awaitPeople, .ping, .sign,
            .linkUp, .publish,
            .pairing, .answer, .lookUp, .record, .close, .drain, .linkDown, .linkAtRest, .renewSessions,
            .makeEncryptionKey,
            .dropEncryptionKey:
            break
        }
    }
}
