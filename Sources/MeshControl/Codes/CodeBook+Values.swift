import MeshBase

// The names of the values, as refusals give them; a tidy test holds them against every place that makes one.
extension CodeBook {
    static func values(of code: RefusalCode) -> [String] {
        switch code {
        case .handshakeRefused: ["reference"]
        case .certificateMissing: ["certificates"]
        case .certificateMalformed: ["problem"]
        case .certificateExpired: ["until", "here", "there"]
        case .certificateNotYetValid: ["from", "here", "there"]
        case .identityStatementInvalid: ["node"]
        case .clockSkew:
            [
                "here", "there", "issued", "created", "now", "its clock less ours", "agreement",
                "version", "domain", "sequence",
            ]
        case .isMyself: ["answered", "this node", "invite of"]
        case .identityMismatch:
            ["expected", "answered", "presented", "hello", "certificate", "node", "its key's pin"]
        case .pinMismatch: ["peer", "pinned"]
        case .peerUnknown: ["node", "peer", "state"]
        case .peerRevoked: ["peer", "because", "node", "pin", "trust"]
        case .peerSuspended: ["peer", "because", "trust"]
        case .inceptionInvalid: ["node", "peer", "problem"]
        case .versionUnsupported: ["here", "there", "code"]
        case .bindingUnsupported: ["here", "there"]
        case .nonceReused: ["nonce"]
        case .proofInvalid: ["message", "signing"]
        case .grantMissing: ["side"]
        case .handshakeMalformed:
            [
                "message", "expected", "problem", "versions", "bindings", "invite", "pairing", "secret proof",
                "anchor tags", "credential", "token", "house agreement",
            ]
        case .handshakeTimeout: ["waited", "no message for", "not finished in"]
        case .pairingBusy: ["pairing with", "address"]
        case .pairingTriesSpent: ["address", "tries", "limit", "last"]
        case .pairingCommitmentWrong: ["node"]
        case .pairingDeclined: ["side", "node"]
        case .pairingTimeout: ["waited"]
        case .pairingWordsDiffer: ["answered", "shown"]
        case .handshakeLimit: ["address", "unfinished", "allowed", "gave way to"]
        case .bootReturned: ["accepted", "returned"]
        case .inviteMalformed: ["problem", "characters", "limit", "addresses"]
        case .inviteExpired: ["until", "now"]
        case .inviteUsed: ["invite"]
        case .inviteUnknown: ["invite", "who asks to join"]
        case .inviteProofWrong: ["side"]
        case .inviteDeclined: ["invite"]
        case .pairingClosed: ["invites open", "windows open", "tried", "because"]
        case .pairingLimit: ["address", "attempts", "in all"]
        case .domainUnknown: ["domain", "trusted here"]
        case .domainMissing: ["domains", "domain"]
        case .domainPresent, .anchorMissing: ["domain", "id"]
        case .credentialMissing: ["node"]
        case .credentialInvalid: ["problem", "node"]
        case .credentialExpired: ["until", "now"]
        case .credentialNotYetValid: ["issued", "now"]
        case .issuerInvalid: ["problem", "issuer"]
        case .issuerExpired: ["issuer", "until", "now"]
        case .issuerMissing: ["roles"]
        case .roleNotGiven: ["roles", "the issuer may give"]
        case .tokenInvalid: ["problem"]
        case .tokenForeign: ["token's", "this node's"]
        case .tokenExpired: ["until", "now"]
        case .tokenUsed: ["used", "uses"]
        case .agreeRoleMissing: ["node", "signed by", "party", "roles", "may sign", "wanted"]
        case .partnerRoleMissing: ["domain", "roles", "accepted here"]
        case .partnerUnknown: ["domain", "given", "partners"]
        case .bundleUnsigned: ["keys", "their IDs"]
        case .fingerprintDiffers: ["given", "domain", "words", "their IDs"]
        case .partnerIsHome, .bundleMissing: ["domain", "id"]
        case .domainUnheard: ["domain", "members", "missing"]
        case .bundleInvalid: ["problem", "domain"]
        case .bundleOlder: ["domain", "sequence", "held"]
        case .bundleConflict: ["domain", "sequence", "content", "held"]
        case .peerNotFound:
            ["name", "node", "peer", "given", "known", "peers known", "node IDs that begin so"]
        case .peerNotTrusted: ["peer", "node", "trust"]
        case .peerUnreachable:
            [
                "peer", "link", "because", "after ms", "waited for", "tried", "known addresses", "dialling",
            ]
        case .resourceUnknown:
            [
                "resource", "at", "provided here", "providers here",
                "members of the domain that offer it", "providers by route", "method", "path",
            ]
        case .capabilityUnknown:
            [
                "capability", "method", "path", "resource", "its capabilities", "declared",
                "capability named", "capability matched",
            ]
        case .capabilityUnnamed: ["resource", "its capabilities"]
        case .websocketExpected: ["capability", "method", "path"]
        case .agreementMissing:
            [
                "caller", "callee", "resource", "capability", "principal", "agreements between the two",
                "decided at",
            ]
        case .agreementNotYetValid:
            ["agreement", "version", "from", "now", "margin in ms", "decided at"]
        case .agreementExpired:
            ["agreement", "version", "until", "now", "margin in ms", "decided at"]
        case .agreementEnded:
            [
                "agreement", "version", "decided at", "ended", "content id", "offer", "rejected by",
                "revoked by", "ordered by", "reason", "revoked at", "person", "vouched for by", "roles",
                "given", "calls under way",
            ]
        case .agreementPending: ["agreement", "version", "offered by", "decided at"]
        case .purposeNotAgreed: ["agreement", "version", "purpose", "purposes agreed", "decided at"]
        case .approvalMissing:
            [
                "agreement", "version", "offer", "missing here", "missing at the provider",
                "missing at the consumer", "waits for", "decided at", "required here",
                "agreements of domains",
            ]
        case .approvalInvalid:
            [
                "agreement", "version", "person", "vouched for by", "because", "party", "signature by",
                "roles given", "roles vouched for", "given", "from", "until", "now",
            ]
        case .houseAgreementMissing: ["domain", "decided at"]
        case .membershipMissing: ["caller", "caller is", "callee", "callee is", "now", "decided at"]
        case .notOfferedToDomain: ["resource", "callee", "domain", "decided at"]
        case .capabilityNotAgreed:
            ["agreement", "version", "resource", "capability", "agreed capabilities", "decided at"]
        case .accessLevelExceeded:
            [
                "agreement", "version", "access agreed", "method", "capability", "capability is",
                "decided at",
            ]
        case .principalNotAgreed: ["agreement", "version", "principal", "principals agreed", "decided at"]
        case .roleNotAgreed: ["agreement", "version", "caller's roles", "roles agreed", "decided at"]
        case .hopsExceeded:
            ["agreement", "version", "nodes that relay the link", "hops at most", "decided at"]
        case .networkNotAgreed: ["agreement", "version", "caller's address", "networks agreed", "decided at"]
        case .externalPolicyDenied: ["decision", "reason", "decided at"]
        case .externalPolicyFailed: ["because", "decided at"]
        case .rateExceeded: ["agreement", "version", "decided at", "rate agreed", "free again in ms"]
        case .tooManyCalls: ["decided at", "calls of", "rate set", "burst", "free again in ms"]
        case .quotaExhausted:
            [
                "agreement", "version", "decided at", "quota agreed", "used", "day", "month",
                "free again at", "free again in ms",
            ]
        case .encryptionRequired, .encryptionKeyMissing:
            ["agreement", "version", "payload", "encryption agreed", "decided at"]
        case .encryptionKeyUnknown: ["sealed to"]
        case .sealBroken: ["sealed to", "part", "peer", "because", "after ms"]
        case .partyMismatch:
            [
                "agreement", "version", "agreed provider", "callee", "agreed consumer", "caller",
                "decided at", "provider", "consumer", "offered by", "peer", "this node",
                "provider until now", "party", "signed for", "revoked by", "for",
            ]
        case .pathRefused: ["path", "because it", "normal form"]
        case .requestMalformed:
            [
                "http", "framing", "target", "query", "method", "host", "content-length",
                "transfer-encoding", "expect", "idempotency key", "bytes of the idempotency key",
                "at most", "attempt", "capability", "because it", "body", "body in the head", "upgrade",
                "is asked for", "content-type", "HTTP/2 is spoken for", "scheme", "authority", "is read",
                "with a dot in a name", "comity-target", "grpc-timeout", "field",
            ]
        case .bodyTooLarge: ["bytes", "bytes of all answers", "body", "limit", "at most"]
        case .headTooLarge: ["bytes", "head limit", "limit", "at most"]
        case .deadlineExceeded:
            [
                "deadline in ms", "attempts", "at", "attempt's time in ms", "after ms", "time left in ms",
                "bytes of the body so far",
            ]
        case .breakerOpen: ["breaker", "state", "for", "since", "because", "next probe"]
        case .outcomeUnknown: ["at", "attempts", "reason", "idempotency key"]
        case .correlationReused: ["correlation id", "attempt"]
        case .auditUnavailable:
            ["room in bytes", "needed", "calls under way", "calls at most", "because"]
        case .overloaded:
            [
                "own calls under way", "peers' calls under way", "at most", "this peer's",
                "this peer's at most", "bytes of one peer's calls at most",
                "seals that did not open at most", "free again in ms", "resource", "calls in hand", "limit",
                "partners", "share of each", "this partner's",
            ]
        case .resourceUnreachable: ["resource"]
        case .resourceTimeout: ["after ms"]
        case .resourceMisbehaved: ["resource", "status"]
        case .cancelled: ["because", "attempt"]
        case .draining: []
        case .hostRefused: ["host", "allowed"]
        case .originRefused: ["origin", "sec-fetch-site"]
        case .principalRefused: ["caller", "claimed", "may claim", "bearer token"]
        case .documentInvalid:
            [
                "problem", "content id", "digest", "because", "person", "agreement", "version",
                "highest known version", "version at most", "signature by", "signature",
                "grants", "grants at most", "names in a condition at most", "calls of a rate at most",
                "calls of a quota at most", "hops at most", "head", "owner", "audience",
                "epoch", "sequence", "newest",
                "life", "leaves", "count", "leaf", "expired", "bytes of the head", "root", "record",
                "reasons given", "domain", "bytes", "bytes at most", "coded symbols", "here", "there",
            ]
        case .limitReached:
            [
                "peers", "open invites", "resources", "labels", "limit", "agreements with one peer at most",
                "resources offered to the peer", "resources offered to the domain", "heads a minute",
                "epochs a day", "idempotency keys", "questions under way", "proofs of reach under way",
                "bytes of reconciliation a minute", "walks over a set at once", "life in ms",
                "shortest in ms", "longest in ms",
                "signature checks a second", "tokens in use", "uses", "partner domains",
                "bytes of the reason", "at most", "approvals of one party at most", "persons",
                "party", "agreements of domains", "providers", "with one party at most",
                "offers of one party at most",
            ]
        case .nameTaken: ["name", "its key"]
        case .nothingFound:
            [
                "given", "it is no", "words to answer",
                "a reference", "correlation id", "peers asked", "calls of this node", "agreement",
                "offer",
                "agreements that begin so", "agreements in all", "person",
            ]
        }
    }
}
