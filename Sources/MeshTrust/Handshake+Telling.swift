import MeshBase

extension Handshake {
    /// Whom the certificate says the other end is, proved or not: for the record.
    var claimedNode: NodeID? {
        guard case .wellFormed(let facts) = connection.presented else { return nil }
        return facts.statement.node
    }

    /// Whether the other end may know what was compared too: which other domains are accepted here is no
    /// business of any.
    func mayTellFacts(of code: RefusalCode, isTrusted: Bool) -> Bool {
        code != .domainUnknown && code != .partnerRoleMissing && mayTell(code, isTrusted: isTrusted)
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
        // Who gets as far as to show its credential has seen this node's: it may know that its domain is not
        // accepted here, so that its operator knows whom to ask.
        case .domainUnknown, .partnerRoleMissing:
            connection.purpose == .peering && connection.role == .responder
        default: isTrusted && connection.purpose == .peering
        }
    }
}
