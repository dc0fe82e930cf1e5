import MeshBase

extension Handshake {
    /// Whom the certificate says the other end is, proved or not: for the record.
    var claimedNode: NodeID? {
        guard case .wellFormed(let facts) = connection.presented else { return nil }
        return facts.statement.node
    }

    /// Whether the other end may know the true reason: a trusted peer, anyone whose clock is off or whose
    /// time is over, who named an invite, and whose own boot number it is: it has proved to be that node.
    func mayTell(_ code: RefusalCode, isTrusted: Bool) -> Bool {
        switch code {
        case .clockSkew, .handshakeTimeout: true
        case .inviteExpired, .inviteUsed, .inviteUnknown, .inviteProofWrong, .inviteDeclined,
            .pairingClosed, .pairingBusy, .pairingTriesSpent, .pairingDeclined, .pairingTimeout,
            .pairingCommitmentWrong,
            .tokenInvalid, .tokenForeign, .tokenExpired, .tokenUsed, .roleNotGiven:
            connection.purpose == .pairing
        case .bootReturned: connection.purpose == .peering
        default: isTrusted && connection.purpose == .peering
        }
    }
}
