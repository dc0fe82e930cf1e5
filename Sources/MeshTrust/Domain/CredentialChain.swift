import MeshBase

/// A credential with all that is needed to check it: evidence of membership that ends at an anchor.
///
///     anchor ──signs──> issuer certificate ──its key signs──> credential
///        └────signs───────────────────────────────────────────────┘      (no issuer certificate then)
///        └────signs──> the holder's own issuer certificate               (when the holder may issue)
///
/// Nothing is believed because it stands here: `ruling` says what it proves, where, and now.
public struct CredentialChain: Codable, Equatable, Sendable {
    /// The anchor's key. Its pin is the domain's ID, so it names the domain and proves nothing by itself.
    public let anchor: PublicKey
    /// Who signed the credential; nil: the anchor itself.
    public let issuer: Signed<IssuerCertificate>?
    /// The credential.
    public let credential: Signed<Credential>
    /// The holder's own issuer certificate; nil when it may not issue.
    public let authority: Signed<IssuerCertificate>?

    init(
        anchor: PublicKey, issuer: Signed<IssuerCertificate>?, credential: Signed<Credential>,
        authority: Signed<IssuerCertificate>?
    ) {
        self.anchor = anchor
        self.issuer = issuer
        self.credential = credential
        self.authority = authority
    }

    /// Which chain it is, in signatures and for people.
    func digest(using suite: some SignatureSuite) -> Digest { suite.digest(suite.encoded(self)) }

    /// Whose signature is under the credential.
    func signer(using suite: some SignatureSuite) -> Pin {
        suite.pin(of: issuer?.body.key ?? anchor)
    }
}

/// A chain that was checked, and what it says while it counts.
public struct HeldCredential: Equatable, Sendable {
    /// The evidence.
    public let chain: CredentialChain
    /// What it says.
    public let membership: Membership
    /// When something of it ends, and it is to be read again: the membership, or the right to issue.
    let nextEnd: WallTime
}

/// Whom a chain is shown for, and by what it is judged.
struct CredentialGround {
    /// The node that shows it, under the key that it proved.
    let node: NodeID
    let key: PublicKey
    /// The domains that count here, each by its own keys; every other key's word is nothing.
    let domains: [AcceptedDomain]
    /// What is revoked here counts neither as a holder nor as an issuer.
    let pins: PinBook
    let now: WallTime
}

/// A domain whose credentials count, and what they must end at and hold.
struct AcceptedDomain: Equatable, Sendable {
    let domain: DomainID
    /// The pins of its keys. Those of one domain count for no other.
    let keys: [Pin]
    /// A credential counts only with one of these; nil: with whatever it holds.
    let roles: RoleList?

    /// By the one anchor whose pin is its ID.
    init(_ domain: DomainID) {
        self.init(domain: domain, keys: [Pin(domain.digest)], roles: nil)
    }

    init(domain: DomainID, keys: [Pin], roles: RoleList?) {
        self.domain = domain
        self.keys = keys
        self.roles = roles
    }

    /// Why what a credential says is not enough here; nil when it is.
    func refusal(of membership: Membership) -> Refusal? {
        guard let roles, !roles.roles.contains(where: membership.holds) else { return nil }
        return Refusal(
            .partnerRoleMissing,
            [
                Fact("domain", domain), Fact("roles", membership.roles.text), Fact("accepted here", roles),
            ])
    }
}

extension CredentialChain {
    /// What the chain proves, or the first reason why it proves nothing. One that proves nothing anywhere is
    /// refused for that, whether its anchor counts here or not: nobody learns by it whose does.
    func ruling(_ ground: CredentialGround, using suite: some SignatureSuite) -> Ruling<HeldCredential> {
        let pin = suite.pin(of: anchor)
        let claimed = ground.domains.filter { $0.keys.contains(pin) }
        // A key that several domains name counts for the one that the credential is of.
        guard let accepted = claimed.first(where: { $0.domain == credential.body.domain }) ?? claimed.first
        else {
            let named = AcceptedDomain(domain: credential.body.domain, keys: [pin], roles: nil)
            if case .refused(let worthless) = ruling(under: named, ground, using: suite) {
                return .refused(worthless)
            }
            let trusted = ground.domains.map(\.domain.description).joined(separator: ", ")
            return .refused(
                Refusal(
                    .domainUnknown,
                    [Fact("domain", DomainID(pin.digest)), Fact("trusted here", trusted)]))
        }
        return ruling(under: accepted, ground, using: suite)
    }

    /// What the chain proves under its anchor, if that counts for `accepted`.
    private func ruling(
        under accepted: AcceptedDomain, _ ground: CredentialGround, using suite: some SignatureSuite
    ) -> Ruling<HeldCredential> {
        let domain = accepted.domain
        if let issuer, let refusal = refusal(of: issuer, domain, ground, using: suite) {
            return .refused(refusal)
        }
        let body = credential.body
        if let problem = flaw(of: body, domain, ground, using: suite) {
            return .refused(
                Refusal(.credentialInvalid, [Fact("problem", problem), Fact("node", ground.node)]))
        }
        if let refusal = rolesRefusal(of: body) ?? timeRefusal(of: body, at: ground.now) {
            return .refused(refusal)
        }
        let until = issuer.map { min(body.until, $0.body.until) } ?? body.until
        var held = HeldCredential(
            chain: self, membership: Membership(domain: domain, roles: body.roles.roles, until: until),
            nextEnd: until)
        if let authority, isAuthority(authority, domain, ground, using: suite) {
            held = HeldCredential(
                chain: self,
                membership: Membership(domain: domain, roles: body.roles.roles + [.issue], until: until),
                nextEnd: min(until, authority.body.until))
        }
        return accepted.refusal(of: held.membership).map { .refused($0) } ?? .allowed(held)
    }

    /// Why `certificate` makes nobody an issuer now; nil when it does.
    private func refusal(
        of certificate: Signed<IssuerCertificate>, _ domain: DomainID, _ ground: CredentialGround,
        using suite: some SignatureSuite
    ) -> Refusal? {
        let body = certificate.body
        func invalid(_ problem: String) -> Refusal {
            Refusal(.issuerInvalid, [Fact("problem", problem), Fact("issuer", body.node)])
        }
        if let refusal = ground.pins.revocation(of: suite.pin(of: body.key)) { return refusal }
        guard body.domain == domain else { return invalid("it is of another domain than its anchor") }
        guard certificate.isSigned(by: anchor, using: suite) else {
            return invalid("the anchor did not sign it")
        }
        guard body.until <= body.issued + Limits.issuerLifeMax,
            body.issued <= ground.now + Limits.clockSkewRefused
        else { return invalid("its life is not one that an anchor gives") }
        guard ground.now < body.until else {
            return Refusal(
                .issuerExpired,
                [
                    Fact("issuer", body.node), Fact("until", RFC3339.text(body.until)),
                    Fact("now", RFC3339.text(ground.now)),
                ])
        }
        return nil
    }

    /// What is wrong with the credential whatever the time; nil when nothing is.
    private func flaw(
        of body: Credential, _ domain: DomainID, _ ground: CredentialGround, using suite: some SignatureSuite
    ) -> String? {
        if body.domain != domain { return "it is of another domain than its anchor" }
        if body.node != ground.node { return "it is another node's" }
        if body.pin != suite.pin(of: ground.key) { return "it is of another key" }
        let signer = issuer?.body.key ?? anchor
        if !credential.isSigned(by: signer, using: suite) { return "its issuer did not sign it" }
        if !body.roles.contains(.member) { return "it makes nobody a member" }
        if body.roles.contains(.issue) { return "a credential gives no right to issue" }
        if body.until > body.issued + Limits.credentialLifeMax {
            return "its life is not one of a credential"
        }
        return nil
    }

    /// Nobody gives more than it may give.
    private func rolesRefusal(of body: Credential) -> Refusal? {
        guard let issuer else { return nil }
        let beyond = body.roles.beyond(issuer.body.roles)
        guard !beyond.isEmpty else { return nil }
        return Refusal(
            .roleNotGiven,
            [Fact("roles", beyond.text), Fact("the issuer may give", issuer.body.roles)])
    }

    private func timeRefusal(of body: Credential, at now: WallTime) -> Refusal? {
        let compared = Fact("now", RFC3339.text(now))
        if body.issued > now + Limits.clockSkewRefused {
            return Refusal(.credentialNotYetValid, [Fact("issued", RFC3339.text(body.issued)), compared])
        }
        guard now < body.until else {
            return Refusal(.credentialExpired, [Fact("until", RFC3339.text(body.until)), compared])
        }
        return nil
    }

    /// Whether the holder may issue now.
    private func isAuthority(
        _ certificate: Signed<IssuerCertificate>, _ domain: DomainID, _ ground: CredentialGround,
        using suite: some SignatureSuite
    ) -> Bool {
        certificate.body.node == ground.node && certificate.body.key == ground.key
            && refusal(of: certificate, domain, ground, using: suite) == nil
    }
}
