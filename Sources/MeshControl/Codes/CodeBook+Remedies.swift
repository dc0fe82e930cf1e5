import MeshBase

extension CodeBook {
    static func next(after code: RefusalCode) -> String? {
        switch code {
        case .handshakeRefused: "comity explain REFERENCE"
        case .certificateMissing, .certificateMalformed, .identityStatementInvalid, .isMyself: nil
        case .inceptionInvalid, .bindingUnsupported, .nonceReused, .proofInvalid: nil
        case .handshakeMalformed, .handshakeTimeout, .handshakeLimit: nil
        case .certificateExpired, .certificateNotYetValid, .clockSkew: "timedatectl set-ntp true"
        case .identityMismatch: "comity peer show PEER"
        case .pinMismatch: "comity invite"
        case .peerUnknown, .grantMissing, .pairingClosed: "comity invite"
        case .peerRevoked: "comity explain peer PEER"
        case .peerSuspended: "comity peer resume PEER"
        case .versionUnsupported: "comity --version"
        case .bootReturned: "comity explain peer PEER"
        case .inviteMalformed, .inviteExpired, .inviteUsed, .inviteUnknown, .inviteProofWrong,
            .inviteDeclined:
            "comity invite"
        case .pairingLimit: "comity join LINE"
        case .peerNotFound: "comity peers"
        case .peerNotTrusted: "comity explain peer PEER"
        case .peerUnreachable: "comity peer show PEER"
        case .resourceUnknown: "comity find"
        case .capabilityUnknown, .capabilityUnnamed: "comity find RESOURCE"
        case .agreementMissing, .capabilityNotAgreed: "comity offer RESOURCE --to PEER"
        case .agreementNotYetValid, .agreementPending, .partyMismatch: "comity agreement show ID"
        case .agreementExpired, .agreementEnded: "comity offer RESOURCE --to PEER"
        case .pathRefused, .requestMalformed, .bodyTooLarge, .headTooLarge: nil
        case .deadlineExceeded: "comity call PEER/RESOURCE --deadline 30s"
        case .breakerOpen: "comity routes"
        case .outcomeUnknown: "comity audit trace CORRELATION-ID"
        case .correlationReused: "comity audit trace CORRELATION-ID"
        case .auditUnavailable: "comity status"
        case .overloaded, .cancelled: nil
        case .resourceUnreachable, .resourceTimeout, .resourceMisbehaved: "comity resource list"
        case .draining: "comity up"
        case .hostRefused, .originRefused: nil
        case .principalRefused: "comity config show"
        case .documentInvalid: nil
        case .limitReached: "comity status"
        case .nameTaken: "comity resource list"
        case .nothingFound: "comity audit list"
        }
    }
}
