/// Every reason for which anything is refused. The text is a contract: it stands in answers, in the audit and
/// in `Docs/Codes.md`, is never reused with another meaning, and only new ones are added.
public enum RefusalCode: String, Sendable, CaseIterable, Codable, Hashable {
    // Handshake and trust
    /// What a stranger is told, with a reference, whatever the reason was.
    case handshakeRefused = "handshake-refused"
    /// No certificate came with the TLS handshake.
    case certificateMissing = "certificate-missing"
    /// The certificate, or its identity statement, cannot be read.
    case certificateMalformed = "certificate-malformed"
    /// The node certificate is over.
    case certificateExpired = "certificate-expired"
    /// The node certificate is not valid yet.
    case certificateNotYetValid = "certificate-not-yet-valid"
    /// The certificate's identity statement is not signed by the identity key it names.
    case identityStatementInvalid = "identity-statement-invalid"
    /// The two clocks differ by more than 300 s.
    case clockSkew = "clock-skew"
    /// The other side is this node.
    case isMyself = "is-myself"
    /// Another node answered than the one that was dialled, or the hello names another one than the
    /// certificate.
    case identityMismatch = "identity-mismatch"
    /// The key differs from the one that is pinned for this node ID.
    case pinMismatch = "pin-mismatch"
    /// Nobody here has made trust with this node.
    case peerUnknown = "peer-unknown"
    /// This node's operator revoked the peer's key.
    case peerRevoked = "peer-revoked"
    /// This node's operator, or an alarm, suspended the peer.
    case peerSuspended = "peer-suspended"
    /// The inception is not one by this key, or differs from the pinned one.
    case inceptionInvalid = "inception-invalid"
    /// The two sides have no protocol version in common, or one names other versions than its proof covers.
    case versionUnsupported = "version-unsupported"
    /// The two sides have no channel binding in common.
    case bindingUnsupported = "binding-unsupported"
    /// A nonce is one's own, or one of a message that was sent back.
    case nonceReused = "nonce-reused"
    /// A proof is missing, is not over this handshake, or its signature is not valid.
    case proofInvalid = "proof-invalid"
    /// The other side did not grant a link.
    case grantMissing = "grant-missing"
    /// A message of the handshake came out of order or cannot be read.
    case handshakeMalformed = "handshake-malformed"
    /// The handshake took longer than 15 s, or one message longer than 5 s.
    case handshakeTimeout = "handshake-timeout"
    /// Too many unfinished handshakes, in all or from this address.
    case handshakeLimit = "handshake-limit"
    /// A boot number returned after a higher one was accepted: perhaps a cloned node.
    case bootReturned = "boot-returned"

    // Invites
    /// The line is not an invite.
    case inviteMalformed = "invite-malformed"
    /// The invite is over.
    case inviteExpired = "invite-expired"
    /// Another key has used the invite.
    case inviteUsed = "invite-used"
    /// No such invite is open here.
    case inviteUnknown = "invite-unknown"
    /// The proof under the invite's secret is wrong.
    case inviteProofWrong = "invite-proof-wrong"
    /// The operator said no to the joiner.
    case inviteDeclined = "invite-declined"
    /// Neither an invite nor a window for pairing is open.
    case pairingClosed = "pairing-closed"
    /// Too many attempts to pair in this minute.
    case pairingLimit = "pairing-limit"
    /// Words are being compared with somebody else.
    case pairingBusy = "pairing-busy"
    /// This address had its try in this window, or three tries have failed.
    case pairingTriesSpent = "pairing-tries-spent"
    /// The nonce that was shown is not the one that was committed to: somebody tried to choose the words.
    case pairingCommitmentWrong = "pairing-commitment-wrong"
    /// An operator said no to the words.
    case pairingDeclined = "pairing-declined"
    /// Nobody said yes to the words in time.
    case pairingTimeout = "pairing-timeout"
    /// The words that were expected are not the words that are shown: somebody may be in between.
    case pairingWordsDiffer = "pairing-words-differ"

    // Domains
    /// No anchor of this domain is trusted here.
    case domainUnknown = "domain-unknown"
    /// The node is in no domain.
    case domainMissing = "domain-missing"
    /// The node is in a domain already.
    case domainPresent = "domain-present"
    /// The domain's anchor key is not in this home.
    case anchorMissing = "anchor-missing"
    /// A credential was due and did not come.
    case credentialMissing = "credential-missing"
    /// A credential is not what it must be, or not of who shows it.
    case credentialInvalid = "credential-invalid"
    /// A credential is over.
    case credentialExpired = "credential-expired"
    /// A credential is dated further ahead than clocks may differ.
    case credentialNotYetValid = "credential-not-yet-valid"
    /// Who signed a credential was never made an issuer by the anchor.
    case issuerInvalid = "issuer-invalid"
    /// The issuer certificate above a credential is over.
    case issuerExpired = "issuer-expired"
    /// This node may not sign credentials.
    case issuerMissing = "issuer-missing"
    /// A role is beyond what may be given.
    case roleNotGiven = "role-not-given"
    /// A join token is not what it must be, or not of who presents it.
    case tokenInvalid = "token-invalid"
    /// A join token is of another domain.
    case tokenForeign = "token-foreign"
    /// A join token is over.
    case tokenExpired = "token-expired"
    /// A join token's uses are used up at this issuer.
    case tokenUsed = "token-used"
    /// The member of a partner domain has none of the roles that are accepted of it here.
    case partnerRoleMissing = "partner-role-missing"
    /// Who would sign, or signed, an agreement for a domain does not hold its role `agree`.
    case agreeRoleMissing = "agree-role-missing"
    /// No partner domain has this name or ID.
    case partnerUnknown = "partner-unknown"
    /// What was to become a partner is this node's own domain.
    case partnerIsHome = "partner-is-home"
    /// A home that was put back has not heard what its domain decided since.
    case domainUnheard = "domain-unheard"
    /// A bundle is not what it must be, or its domain's anchor did not sign it.
    case bundleInvalid = "bundle-invalid"
    /// Nobody signed the bundle, and no fingerprint says whose it is.
    case bundleUnsigned = "bundle-unsigned"
    /// The fingerprint that was expected is not the domain's.
    case fingerprintDiffers = "fingerprint-differs"
    /// No bundle of the domain is held.
    case bundleMissing = "bundle-missing"
    /// A bundle is older than the one that is held.
    case bundleOlder = "bundle-older"
    /// Two bundles of one domain say different things under one number.
    case bundleConflict = "bundle-conflict"

    // Calls
    /// No peer has this name or ID.
    case peerNotFound = "peer-not-found"
    /// The peer is known but not trusted now.
    case peerNotTrusted = "peer-not-trusted"
    /// There is no link to the peer, and none came up in time.
    case peerUnreachable = "peer-unreachable"
    /// No such resource, or none that the caller may know of.
    case resourceUnknown = "resource-unknown"
    /// The resource has no such capability, or the request matches none.
    case capabilityUnknown = "capability-unknown"
    /// The resource has several capabilities and none was named.
    case capabilityUnnamed = "capability-unnamed"
    /// The capability is a WebSocket, which is opened and not called.
    case websocketExpected = "websocket-expected"
    /// No agreement covers the call.
    case agreementMissing = "agreement-missing"
    /// The agreement that would cover the call is not valid yet.
    case agreementNotYetValid = "agreement-not-yet-valid"
    /// The agreement that would cover the call is over.
    case agreementExpired = "agreement-expired"
    /// The agreement was ended by one of its parties.
    case agreementEnded = "agreement-ended"
    /// The agreement is not signed by both yet.
    case agreementPending = "agreement-pending"
    /// People who must approve have not, or not both sides know it.
    case approvalMissing = "approval-missing"
    /// An approval that does not count.
    case approvalInvalid = "approval-invalid"
    /// No house agreement is known of the domain in which both are members.
    case houseAgreementMissing = "house-agreement-missing"
    /// Caller and callee are not proved to be members of one domain now.
    case membershipMissing = "membership-missing"
    /// The callee does not offer the resource to the domain in which both are members.
    case notOfferedToDomain = "not-offered-to-domain"
    /// An agreement covers the resource but not this capability.
    case capabilityNotAgreed = "capability-not-agreed"
    /// The agreement lets its consumer do less with data than the call would.
    case accessLevelExceeded = "access-level-exceeded"
    /// The agreement names other principals.
    case principalNotAgreed = "principal-not-agreed"
    /// The agreement asks for a role that the caller's credential does not prove.
    case roleNotAgreed = "role-not-agreed"
    /// The agreement names other networks than the one from which the call comes.
    case networkNotAgreed = "network-not-agreed"
    /// More nodes relay the link between the two than the agreement allows.
    case hopsExceeded = "hops-exceeded"
    /// The external policy engine said no.
    case externalPolicyDenied = "external-policy-denied"
    /// The external policy engine gave no decision.
    case externalPolicyFailed = "external-policy-failed"
    /// The agreement is for other purposes than the one that the call states, or it states none.
    case purposeNotAgreed = "purpose-not-agreed"
    /// As many calls as the agreement allows in so short a time have gone by.
    case rateExceeded = "rate-exceeded"
    /// As many calls as the agreement allows in this day or month have gone by.
    case quotaExhausted = "quota-exhausted"
    /// Calls of this partner, or in this principal's name, come faster than the operator set.
    case tooManyCalls = "too-many-calls"
    /// The agreement wants payloads sealed, and this one came in clear.
    case encryptionRequired = "encryption-required"
    /// The agreement wants payloads sealed, and no key of the provider is known to which they could be.
    case encryptionKeyMissing = "encryption-key-missing"
    /// The payload is sealed to a key that its provider has not, or has no more.
    case encryptionKeyUnknown = "encryption-key-unknown"
    /// What came sealed is not what was sealed for this call.
    case sealBroken = "seal-broken"
    /// The agreement names other parties.
    case partyMismatch = "party-mismatch"
    /// The path leaves the resource, or is written in a way that two readers could read differently.
    case pathRefused = "path-refused"
    /// The request is not one the gateway understands.
    case requestMalformed = "request-malformed"
    /// The body is longer than is allowed.
    case bodyTooLarge = "body-too-large"
    /// The head of the request is longer than is allowed.
    case headTooLarge = "head-too-large"
    /// The time was over before an answer came.
    case deadlineExceeded = "deadline-exceeded"
    /// The breaker of every candidate is open.
    case breakerOpen = "breaker-open"
    /// The call may or may not have taken effect.
    case outcomeUnknown = "outcome-unknown"
    /// The correlation id came before with another request.
    case correlationReused = "correlation-reused"
    /// The audit cannot take the call's records.
    case auditUnavailable = "audit-unavailable"
    /// The node sheds load.
    case overloaded = "overloaded"
    /// The resource behind the provider could not be reached.
    case resourceUnreachable = "resource-unreachable"
    /// The resource did not answer in the time the provider gives it.
    case resourceTimeout = "resource-timeout"
    /// The resource's answer was not HTTP, or was too long.
    case resourceMisbehaved = "resource-misbehaved"
    /// Whoever asked went away.
    case cancelled = "cancelled"
    /// The agent is shutting down.
    case draining = "draining"
    /// The gateway does not serve this `Host`.
    case hostRefused = "host-refused"
    /// The gateway serves no browser.
    case originRefused = "origin-refused"
    /// The caller may not name this principal.
    case principalRefused = "principal-refused"

    // Documents and records
    /// A document cannot be read, or breaks a rule that no honest node breaks.
    case documentInvalid = "document-invalid"
    /// A limit of this node is reached.
    case limitReached = "limit-reached"
    /// The name is already in use here.
    case nameTaken = "name-taken"
    /// Nothing is known under this correlation id or reference.
    case nothingFound = "nothing-found"
}
