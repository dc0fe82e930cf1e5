import MeshBase
import MeshSimulator

@testable import MeshTrust

/// Makes what an anchor and its issuers sign, right or wrong, for tests.
struct DomainWorkshop {
    let anchor: SimulatedKey
    var now = WallTime(milliseconds: 10_000_000)

    init(_ number: UInt64 = 9_000) { anchor = SimulatedKey(number) }

    var domain: DomainID { DomainID(SimulatedSuite().pin(of: anchor.publicKey).digest) }

    func certificate(
        of issuer: SimulatedKey, giving roles: [DomainRole] = [.member, .agree],
        by signer: SimulatedKey? = nil,
        in other: DomainID? = nil, issued: WallTime? = nil, life: Duration = Limits.issuerLifeMax
    ) -> Signed<IssuerCertificate> {
        let issued = issued ?? now
        return (signer ?? anchor).sign(
            IssuerCertificate(
                domain: other ?? domain, node: issuer.node, key: issuer.publicKey, roles: RoleList(roles)!,
                issued: issued, until: issued + life))
    }

    func credential(
        of holder: SimulatedKey, roles: [DomainRole] = [.member], by signer: SimulatedKey? = nil,
        in other: DomainID? = nil, issued: WallTime? = nil, life: Duration = Limits.credentialLife
    ) -> Signed<Credential> {
        let issued = issued ?? now
        return (signer ?? anchor).sign(
            Credential(
                domain: other ?? domain, node: holder.node,
                pin: SimulatedSuite().pin(of: holder.publicKey), roles: RoleList(roles)!, issued: issued,
                until: issued + life))
    }

    /// Signed by the anchor itself.
    func chain(
        of holder: SimulatedKey, roles: [DomainRole] = [.member], life: Duration = Limits.credentialLife
    )
        -> CredentialChain
    {
        CredentialChain(
            anchor: anchor.publicKey, issuer: nil,
            credential: credential(of: holder, roles: roles, life: life),
            authority: nil)
    }

    /// Signed by an issuer.
    func chain(
        of holder: SimulatedKey, roles: [DomainRole] = [.member],
        under issuer: Signed<IssuerCertificate>, by key: SimulatedKey
    ) -> CredentialChain {
        CredentialChain(
            anchor: anchor.publicKey, issuer: issuer,
            credential: credential(of: holder, roles: roles, by: key),
            authority: nil)
    }

    /// A member that may issue.
    func issuerChain(of holder: SimulatedKey, giving roles: [DomainRole] = [.member, .agree])
        -> CredentialChain
    {
        CredentialChain(
            anchor: anchor.publicKey, issuer: nil,
            credential: credential(of: holder, roles: [.member, .agree]),
            authority: certificate(of: holder, giving: roles))
    }

    func book(_ chain: CredentialChain, anchor isHere: Bool = false, uses: [TokenUse] = []) -> DomainBook {
        DomainBook(
            home: HomeDomain(domain: domain, label: NodeName("acme")!, chain: chain), credentials: [],
            tokens: uses, anchor: isHere ? anchor.publicKey : nil)
    }

    func token(
        _ key: SimulatedKey, roles: [DomainRole] = [.member], uses: Int = 1, life: Duration = .seconds(3_600),
        by signer: SimulatedKey? = nil
    ) -> JoinToken {
        let record = TokenRecord(
            domain: domain, label: NodeName("acme")!, key: key.publicKey, roles: RoleList(roles)!,
            until: now + life, uses: uses)
        return JoinToken(record: (signer ?? anchor).sign(record), domain: domain)
    }

    func ruling(
        _ chain: CredentialChain, for holder: SimulatedKey, in domains: [DomainID]? = nil,
        as accepted: AcceptedDomain? = nil, pins: PinBook = PinBook(), at wall: WallTime? = nil
    ) -> Ruling<HeldCredential> {
        let ground = CredentialGround(
            node: holder.node, key: holder.publicKey,
            domains: accepted.map { [$0] } ?? (domains ?? [domain]).map { AcceptedDomain($0) },
            pins: pins, now: wall ?? now)
        return chain.ruling(ground, using: SimulatedSuite())
    }
}

extension Ruling {
    var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
    var value: Value? { if case .allowed(let value) = self { value } else { nil } }
}

extension Party {
    /// A party that is a member, with its credential at hand.
    init(member number: UInt64, _ name: String, _ book: (SimulatedKey) -> DomainBook) {
        self.init(number, name: name, domains: book(SimulatedKey(number)))
    }
}

extension TrustTable {
    /// Lets a party take up what it restored.
    mutating func start(_ index: Int) {
        var outbox = Outbox<TrustEffect>()
        parties[index].trust.start(at: now, into: &outbox)
        take(index, outbox.drain())
    }

    /// Starts a newcomer's dial under its token and an issuer's end.
    @discardableResult
    mutating func enrol(_ newcomer: Int, at issuer: Int, _ token: JoinToken, _ key: SimulatedKey) -> (
        ConnectionID, ConnectionID
    ) {
        parties[newcomer].token = key
        handle(newcomer, .enrolmentOrdered(token))
        let pair = open(newcomer, issuer, .pairing, intent: DialIntent(token: token))
        settle()
        return pair
    }
}
