import MeshBase

/// The HTTP status under which the gateway answers with a refusal. One table, so that a client can rely on
/// it.
public enum HTTPStatusTable {
    /// The status for `code`, 400 ... 599.
    public static func status(for code: RefusalCode) -> Int {
        switch code {
        case .requestMalformed, .pathRefused, .capabilityUnnamed, .websocketExpected, .documentInvalid,
            .inviteMalformed, .handshakeMalformed:
            400
        case .agreementMissing, .agreementNotYetValid, .agreementExpired, .agreementEnded, .agreementPending,
            .approvalMissing, .approvalInvalid, .houseAgreementMissing, .membershipMissing,
            .notOfferedToDomain, .capabilityNotAgreed,
            .purposeNotAgreed, .hopsExceeded, .accessLevelExceeded, .principalNotAgreed, .roleNotAgreed,
            .networkNotAgreed,
            .externalPolicyDenied, .encryptionRequired, .partyMismatch, .principalRefused, .hostRefused,
            .originRefused,
            .peerNotTrusted,
            .peerUnknown, .peerRevoked, .peerSuspended, .pairingClosed, .inviteProofWrong, .inviteDeclined,
            .isMyself, .pairingBusy, .pairingTriesSpent, .pairingDeclined, .pairingTimeout,
            .pairingCommitmentWrong, .pairingWordsDiffer,
            .domainUnknown, .domainMissing, .anchorMissing, .credentialMissing, .credentialInvalid,
            .credentialExpired, .credentialNotYetValid, .issuerInvalid, .issuerExpired, .issuerMissing,
            .roleNotGiven, .tokenInvalid, .tokenForeign, .partnerRoleMissing, .agreeRoleMissing,
            .partnerIsHome, .bundleInvalid,
            .bundleUnsigned,
            .fingerprintDiffers:
            403
        case .peerNotFound, .resourceUnknown, .capabilityUnknown, .nothingFound, .inviteUnknown,
            .partnerUnknown, .bundleMissing:
            404
        case .correlationReused, .nameTaken, .domainPresent, .domainUnheard, .bundleOlder, .bundleConflict:
            409
        case .inviteExpired, .inviteUsed, .tokenExpired, .tokenUsed: 410
        case .bodyTooLarge: 413
        case .limitReached, .pairingLimit, .rateExceeded, .quotaExhausted, .tooManyCalls: 429
        case .headTooLarge: 431
        case .cancelled: 499
        case .handshakeRefused, .certificateMissing, .certificateMalformed, .certificateExpired,
            .certificateNotYetValid, .identityStatementInvalid, .clockSkew, .identityMismatch, .pinMismatch,
            .inceptionInvalid, .versionUnsupported, .bindingUnsupported, .nonceReused, .proofInvalid,
            .grantMissing,
            .bootReturned, .outcomeUnknown, .resourceUnreachable, .resourceMisbehaved, .encryptionKeyUnknown,
            .sealBroken:
            502
        case .encryptionKeyMissing, .breakerOpen, .peerUnreachable, .externalPolicyFailed, .overloaded,
            .draining, .auditUnavailable, .handshakeLimit:
            503
        case .deadlineExceeded, .resourceTimeout, .handshakeTimeout: 504
        }
    }
}
