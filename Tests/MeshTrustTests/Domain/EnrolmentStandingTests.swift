import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("A node that nobody enrols knows why")
struct EnrolmentStandingTests {
    private let shop = DomainWorkshop()
    private let tokenKey = SimulatedKey(8_000)

    private func table() -> TrustTable {
        var table = TrustTable(
            Party(member: 1, "issuer") { shop.book(shop.issuerChain(of: $0), anchor: false) },
            Party(2, name: "newcomer"), Party(3, name: "second"))
        for index in 0...2 { table.start(index) }
        return table
    }

    @Test("by what the last one that it asked answered, until it is enrolled")
    func denied() {
        var table = table()
        table.enrol(2, at: 0, shop.token(tokenKey, uses: 1), tokenKey)
        table.enrol(1, at: 0, shop.token(tokenKey, uses: 1), tokenKey)
        let enrolment = table.parties[1].trust.enrolment
        #expect(enrolment?.obstacle?.code == .tokenUsed && enrolment?.remote != nil)
        #expect(enrolment?.isHopeless == false && table.parties[1].seeking == .issuer)

        table.enrol(1, at: 0, shop.token(SimulatedKey(8_001)), SimulatedKey(8_001))
        #expect(table.parties[1].trust.enrolment == nil)
        #expect(table.parties[1].trust.domains.own != nil)
    }

    @Test("of a member of another domain it knows no more than that it was refused, and goes on looking")
    func foreign() {
        var table = table()
        table.enrol(1, at: 0, DomainWorkshop(9_500).token(tokenKey), tokenKey)
        let enrolment = table.parties[1].trust.enrolment
        #expect(enrolment?.obstacle?.code == .handshakeRefused && enrolment?.remote != nil)
        #expect(table.parties[1].seeking == .issuer)
    }

    @Test("by itself when its token is over, and then asks nobody")
    func hopeless() {
        var table = table()
        table.parties[1].token = tokenKey
        table.handle(1, .enrolmentOrdered(shop.token(tokenKey, life: .milliseconds(0))))
        let enrolment = table.parties[1].trust.enrolment
        #expect(enrolment?.obstacle?.code == .tokenExpired && enrolment?.remote == nil)
        #expect(enrolment?.isHopeless == true && table.parties[1].seeking == .nobody)
        #expect(table.parties[1].trust.intentTowardStrangers == nil)
    }
}
