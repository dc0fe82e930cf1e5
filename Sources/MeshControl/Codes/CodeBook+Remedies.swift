import MeshBase

extension CodeBook {
    /// Whether what comes next is for the provider to do: only it can offer.
    public static func isForProvider(_ code: RefusalCode) -> Bool {
        switch code {
        case .agreementMissing, .capabilityNotAgreed, .agreementExpired, .agreementEnded, .notOfferedToDomain,
            .accessLevelExceeded, .principalNotAgreed, .roleNotAgreed, .networkNotAgreed:
            true
        default: false
        }
    }

    static func next(after code: RefusalCode) -> String? {
        switch code {
        case .handshakeRefused: "comity explain REFERENCE"
        // What only the other side can change: who it was, from where and how often.
        case .certificateMissing, .certificateMalformed, .identityStatementInvalid, .inceptionInvalid,
            .nonceReused, .proofInvalid, .handshakeMalformed, .handshakeTimeout, .handshakeLimit,
            .pairingCommitmentWrong,
            .documentInvalid:
            "comity audit list --code \(code.rawValue)"
        case .isMyself: "comity status"
        case .certificateExpired, .certificateNotYetValid, .clockSkew: "timedatectl set-ntp true"
        case .identityMismatch: "comity peer show PEER"
        case .pinMismatch: "comity invite"
        case .peerUnknown, .grantMissing: "comity invite"
        case .pairingClosed, .pairingBusy, .pairingTriesSpent, .pairingDeclined, .pairingTimeout,
            .pairingWordsDiffer:
            "comity pair"
        case .peerRevoked: "comity explain peer PEER"
        case .peerSuspended: "comity peer resume PEER"
        case .versionUnsupported, .bindingUnsupported: "comity --version"
        case .bootReturned: "comity explain peer PEER"
        case .inviteMalformed, .inviteExpired, .inviteUsed, .inviteUnknown, .inviteProofWrong,
            .inviteDeclined:
            "comity invite"
        case .pairingLimit: "comity join LINE"
        case .domainUnknown, .domainPresent, .issuerMissing, .credentialMissing: "comity domain show"
        case .domainMissing: "comity domain create NAME"
        case .anchorMissing: "comity domain import --anchor-key FILE"
        case .credentialInvalid, .issuerInvalid, .tokenInvalid: "comity audit list --code \(code.rawValue)"
        case .credentialExpired, .issuerExpired: "comity domain show"
        case .credentialNotYetValid: "timedatectl set-ntp true"
        case .roleNotGiven: "comity domain token --role ROLE FILE"
        case .agreeRoleMissing: "comity domain token --role agree FILE"
        case .partnerRoleMissing: "comity domain token --role ROLE FILE"
        case .partnerUnknown, .partnerIsHome, .bundleOlder: "comity domain show"
        case .domainUnheard: "comity peers"
        case .bundleInvalid: "comity domain export FILE"
        case .bundleUnsigned, .fingerprintDiffers: "comity domain import FILE --fingerprint DOMAIN-ID"
        case .bundleMissing: "comity domain import --anchor-key FILE"
        case .bundleConflict: "comity audit list --code \(code.rawValue)"
        case .tokenForeign, .tokenExpired, .tokenUsed: "comity domain token FILE"
        case .peerNotFound: "comity peers"
        case .peerNotTrusted: "comity explain peer PEER"
        case .peerUnreachable: "comity explain peer PEER"
        case .resourceUnknown: "comity find"
        case .capabilityUnknown, .capabilityUnnamed: "comity find RESOURCE"
        case .websocketExpected: "comity status"
        case .agreementMissing, .capabilityNotAgreed, .accessLevelExceeded, .principalNotAgreed,
            .roleNotAgreed, .networkNotAgreed:
            "comity offer RESOURCE --to PEER"
        case .externalPolicyDenied: "comity audit list --code \(code.rawValue)"
        case .externalPolicyFailed: "comity config show"
        case .purposeNotAgreed: "comity call PEER/RESOURCE --purpose PURPOSE"
        case .approvalMissing, .approvalInvalid: "comity agreement show ID"
        case .agreementNotYetValid, .agreementPending, .partyMismatch, .rateExceeded, .quotaExhausted,
            .hopsExceeded:
            "comity agreement show ID"
        case .tooManyCalls: "comity config show"
        case .houseAgreementMissing, .membershipMissing: "comity explain peer PEER"
        case .encryptionRequired: "comity agreement show ID"
        case .encryptionKeyMissing, .encryptionKeyUnknown: "comity explain peer PEER"
        case .sealBroken: "comity audit trace CORRELATION-ID"
        case .notOfferedToDomain: "comity resource add RESOURCE --url URL --offer-to domain"
        case .agreementExpired, .agreementEnded: "comity offer RESOURCE --to PEER"
        case .pathRefused: "comity find RESOURCE"
        case .requestMalformed, .hostRefused, .originRefused: "comity call PEER/RESOURCE"
        case .bodyTooLarge, .headTooLarge: nil
        case .deadlineExceeded: "comity call PEER/RESOURCE --deadline 30s"
        case .breakerOpen: "comity routes"
        case .outcomeUnknown: "comity audit trace CORRELATION-ID"
        case .correlationReused: "comity audit trace CORRELATION-ID"
        case .auditUnavailable: "comity status"
        case .overloaded: "comity routes"
        case .cancelled: "comity audit trace CORRELATION-ID"
        case .resourceUnreachable, .resourceTimeout, .resourceMisbehaved: "comity resource list"
        case .draining: "comity up"
        case .principalRefused: "comity config show"
        case .limitReached: "comity status"
        case .nameTaken: "comity resource list"
        case .nothingFound: "comity audit list"
        }
    }
}
