import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

/// Who may sign a document in its domain's name, by a chain that travels with it.
@Suite("Who signs for a domain")
struct SigningTests {
    private let shop = DomainWorkshop()
    private let signer = SimulatedKey(50)
    private let issuer = SimulatedKey(51)
    private let week = Limits.credentialLife

    /// A member of the domain, with what it may know of keys that are revoked.
    private func trust(revoking key: SimulatedKey? = nil) -> Trust<SimulatedSuite> {
        var table = TrustTable(Party(member: 1, "alpha") { shop.book(shop.chain(of: $0)) })
        table.start(0)
        var trust = table.parties[0].trust
        if let key {
            let pin = SimulatedSuite().pin(of: key.publicKey)
            trust.pins = PinBook(peers: [], revokedPins: [(pin, key.node)])
        }
        return trust
    }

    private func right(
        _ chain: CredentialChain, by key: SimulatedKey? = nil, made: Duration = .zero,
        at later: Duration = .zero,
        _ trust: Trust<SimulatedSuite>? = nil
    ) -> Ruling<SigningRight> {
        (trust ?? self.trust()).signing(
            (key ?? signer).publicKey, chain, since: shop.now + made, at: shop.now + later)
    }

    @Test("who holds the role agree now, by the anchor's word or an issuer's")
    func present() {
        let wanted = SigningRight(domain: shop.domain, isPresent: true)
        let own = shop.chain(of: signer, roles: [.agree, .member])
        #expect(right(own).value == wanted)
        let given = shop.chain(
            of: signer, roles: [.agree, .member], under: shop.certificate(of: issuer), by: issuer)
        #expect(right(given, at: week - .seconds(1)).value == wanted)
    }

    @Test("nobody by membership alone, under another key, of a domain that does not count, or by no issuer")
    func nobody() {
        #expect(right(shop.chain(of: signer)).refusal?.code == .agreeRoleMissing)
        let own = shop.chain(of: signer, roles: [.agree, .member])
        #expect(right(own, by: issuer).refusal?.code == .credentialInvalid)
        let foreign = DomainWorkshop(9_500).chain(of: signer, roles: [.agree, .member])
        #expect(right(foreign).refusal?.code == .domainUnknown)
        let forged = shop.chain(
            of: signer, roles: [.agree, .member], under: shop.certificate(of: issuer, by: issuer), by: issuer)
        #expect(right(forged).refusal?.code == .issuerInvalid)
        #expect(!trust().accepts(DomainWorkshop(9_500).domain) && trust().accepts(shop.domain))
    }

    @Test("whose credential ended since, or whose key was revoked here, might once and may no more")
    func past() {
        let once = SigningRight(domain: shop.domain, isPresent: false)
        let own = shop.chain(of: signer, roles: [.agree, .member])
        #expect(right(own, at: week).value == once)
        #expect(right(own, at: week * 50).value == once)
        #expect(right(own, trust(revoking: signer)).value == once)
        #expect(trust(revoking: signer).isRevoked(signer.publicKey))
        let given = shop.chain(
            of: signer, roles: [.agree, .member], under: shop.certificate(of: issuer), by: issuer)
        #expect(right(given, trust(revoking: issuer)).value == once)
    }

    @Test("for what was made after its end it never could, but for clocks")
    func tooLate() {
        let own = shop.chain(of: signer, roles: [.agree, .member])
        let skew = Limits.clockSkewRefused
        #expect(right(own, made: week + skew, at: week * 2).refusal?.code == .credentialExpired)
        #expect(right(own, made: week + skew - .milliseconds(1), at: week * 2).value != nil)
    }

    @Test(
        "what a chain claims of itself is read whatever counts here, and not believed without its signatures")
    func claims() {
        let foreign = DomainWorkshop(9_500)
        let chain = foreign.chain(of: signer, roles: [.agree, .member])
        #expect(trust().claim(signer.publicKey, chain).value?.domain == foreign.domain)
        let forged = CredentialChain(
            anchor: foreign.anchor.publicKey, issuer: nil,
            credential: foreign.credential(of: signer, roles: [.agree, .member], by: signer), authority: nil)
        #expect(trust().claim(signer.publicKey, forged).refusal?.code == .credentialInvalid)
    }
}
