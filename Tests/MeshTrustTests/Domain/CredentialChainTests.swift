import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Credentials")
struct CredentialChainTests {
    private let shop = DomainWorkshop()
    private let issuer = SimulatedKey(1)
    private let holder = SimulatedKey(2)

    @Test("one that the anchor signed counts, with the roles and the time that it says")
    func anchorSigned() throws {
        let held = try #require(
            shop.ruling(shop.chain(of: holder, roles: [.member, .relay]), for: holder).value)
        #expect(held.membership.domain == shop.domain)
        #expect(held.membership.roles == [.member, .relay])
        #expect(held.membership.until == shop.now + Limits.credentialLife)
    }

    @Test("one that an issuer signed counts until the first of the two ends")
    func issuerSigned() throws {
        let short = shop.certificate(of: issuer, life: .seconds(3_600))
        let chain = shop.chain(of: holder, under: short, by: issuer)
        let held = try #require(shop.ruling(chain, for: holder).value)
        #expect(held.membership.until == shop.now + .seconds(3_600))
        #expect(!held.membership.holds(.issue))
    }

    @Test("its holder may issue by an issuer certificate of its own, and by nothing else")
    func authority() throws {
        let held = try #require(shop.ruling(shop.issuerChain(of: issuer), for: issuer).value)
        #expect(held.membership.holds(.issue))
        let borrowed = CredentialChain(
            anchor: shop.anchor.publicKey, issuer: nil, credential: shop.credential(of: holder),
            authority: shop.certificate(of: issuer))
        #expect(shop.ruling(borrowed, for: holder).value?.membership.holds(.issue) == false)
        let claimed = shop.chain(of: holder, roles: [.member, .issue])
        #expect(shop.ruling(claimed, for: holder).refusal?.code == .credentialInvalid)
    }

    @Test("one of an anchor that is not trusted here never counts")
    func foreignAnchor() {
        let other = DomainWorkshop(9_500)
        let chain = other.chain(of: holder)
        #expect(shop.ruling(chain, for: holder).refusal?.code == .domainUnknown)
        // The foreign anchor's signature under the name of the trusted domain.
        let posed = CredentialChain(
            anchor: shop.anchor.publicKey, issuer: nil,
            credential: other.credential(of: holder, in: shop.domain), authority: nil)
        #expect(shop.ruling(posed, for: holder).refusal?.code == .credentialInvalid)
        // The trusted anchor's key above what it signed for another domain.
        let mixed = CredentialChain(
            anchor: shop.anchor.publicKey, issuer: nil,
            credential: shop.credential(of: holder, in: other.domain), authority: nil)
        #expect(shop.ruling(mixed, for: holder).refusal?.code == .credentialInvalid)
    }

    @Test("a worthless one is refused alike whether its anchor counts here or not")
    func noOracle() {
        let other = DomainWorkshop(9_500)
        let forger = SimulatedKey(77)
        func chain(_ credential: Signed<Credential>, _ issuer: Signed<IssuerCertificate>? = nil)
            -> CredentialChain
        {
            CredentialChain(
                anchor: other.anchor.publicKey, issuer: issuer, credential: credential, authority: nil)
        }
        let forged = other.certificate(of: forger, by: forger)
        let over = other.now + Limits.credentialLife
        let worthless: [(CredentialChain, RefusalCode)] = [
            (chain(other.credential(of: holder, by: forger)), .credentialInvalid),
            (chain(other.credential(of: forger)), .credentialInvalid),
            (chain(other.credential(of: holder, by: forger), forged), .issuerInvalid),
            (chain(other.credential(of: holder)), .credentialExpired),
        ]
        for (chain, code) in worthless {
            let wall = code == .credentialExpired ? over : other.now
            for domains in [[shop.domain], [shop.domain, other.domain]] {
                #expect(shop.ruling(chain, for: holder, in: domains, at: wall).refusal?.code == code)
            }
        }
    }

    @Test("another node's, or another key's, is nobody's here")
    func stolen() {
        let chain = shop.chain(of: holder)
        #expect(shop.ruling(chain, for: issuer).refusal?.code == .credentialInvalid)
        let ground = CredentialGround(
            node: holder.node, key: issuer.publicKey, domains: [AcceptedDomain(shop.domain)],
            pins: PinBook(), now: shop.now)
        #expect(chain.ruling(ground, using: SimulatedSuite()).refusal?.code == .credentialInvalid)
    }

    @Test("who was not made an issuer by the anchor makes nobody a member")
    func noIssuer() {
        let own = shop.certificate(of: issuer, by: issuer)
        let forged = shop.chain(of: holder, under: own, by: issuer)
        #expect(shop.ruling(forged, for: holder).refusal?.code == .issuerInvalid)
        let foreign = shop.certificate(of: issuer, in: DomainWorkshop(9_500).domain)
        #expect(
            shop.ruling(shop.chain(of: holder, under: foreign, by: issuer), for: holder).refusal?.code
                == .issuerInvalid)
        let long = shop.certificate(of: issuer, life: Limits.issuerLifeMax + .seconds(1))
        #expect(
            shop.ruling(shop.chain(of: holder, under: long, by: issuer), for: holder).refusal?.code
                == .issuerInvalid)
        // A certificate that is right, and a signature by somebody else.
        let chain = shop.chain(of: holder, under: shop.certificate(of: issuer), by: holder)
        #expect(shop.ruling(chain, for: holder).refusal?.code == .credentialInvalid)
    }

    @Test("an issuer gives no role that it may not give, and the anchor every one")
    func rolesWithin() throws {
        let narrow = shop.certificate(of: issuer, giving: [.member])
        let chain = shop.chain(of: holder, roles: [.member, .agree], under: narrow, by: issuer)
        let refusal = try #require(shop.ruling(chain, for: holder).refusal)
        #expect(refusal.code == .roleNotGiven)
        #expect(refusal.facts.first?.value == "agree")
        #expect(shop.ruling(shop.chain(of: holder, roles: [.agree, .member]), for: holder).value != nil)
        #expect(shop.ruling(shop.chain(of: holder, roles: [.agree]), for: holder).refusal != nil)
    }

    @Test("its time, and its issuer's, are held against the clock to the millisecond")
    func times() {
        let chain = shop.chain(of: holder, life: .seconds(60))
        let end = shop.now + .seconds(60)
        #expect(shop.ruling(chain, for: holder, at: end - .milliseconds(1)).value != nil)
        #expect(shop.ruling(chain, for: holder, at: end).refusal?.code == .credentialExpired)
        let early = shop.now - Limits.clockSkewRefused
        #expect(shop.ruling(chain, for: holder, at: early).value != nil)
        #expect(
            shop.ruling(chain, for: holder, at: early - .milliseconds(1)).refusal?.code
                == .credentialNotYetValid)
        let certificate = shop.certificate(of: issuer, life: .seconds(30))
        let issued = shop.chain(of: holder, under: certificate, by: issuer)
        #expect(
            shop.ruling(issued, for: holder, at: shop.now + .seconds(30)).refusal?.code == .issuerExpired)
        let long = shop.chain(of: holder, life: Limits.credentialLifeMax)
        #expect(shop.ruling(long, for: holder).value != nil)
        let longer = shop.chain(of: holder, life: Limits.credentialLifeMax + .milliseconds(1))
        #expect(shop.ruling(longer, for: holder).refusal?.code == .credentialInvalid)
    }

    @Test("an issuer whose key is revoked here makes nobody a member here")
    func revokedIssuer() {
        let pin = SimulatedSuite().pin(of: issuer.publicKey)
        let pins = PinBook(peers: [], revokedPins: [(pin, issuer.node)])
        let chain = shop.chain(of: holder, under: shop.certificate(of: issuer), by: issuer)
        #expect(shop.ruling(chain, for: holder, pins: pins).refusal?.code == .peerRevoked)
        #expect(shop.ruling(chain, for: holder).value != nil)
    }

    @Test("roles are 1 to 16, each once")
    func roleLists() {
        let sixteen = (1...16).compactMap { DomainRole("role-\($0)") }
        #expect(RoleList(sixteen)?.roles.count == 16)
        #expect(RoleList(sixteen + [.member]) == nil)
        #expect(RoleList([]) == nil)
        #expect(RoleList([.member, .member])?.roles == [.member])
    }
}
