import MeshBase

@testable import MeshAgreements

/// A domain with its anchor's key, and what that key signs.
struct House {
    let anchor: PublicKey
    let suite = TestSuite()
    /// As the parties of the tests count time: `day`, below.
    static let start = WallTime(milliseconds: 1_000_000_000_000)

    init(_ number: UInt8 = 1) { anchor = PublicKey(info: [0xa0, number]) }

    var domain: DomainID { DomainID(suite.pin(of: anchor).digest) }

    func document(
        _ version: Int64 = 1, issued: WallTime = House.start, life: Duration = .seconds(1_000_000),
        of domain: DomainID? = nil, by signer: PublicKey? = nil, under key: PublicKey? = nil,
        permits: HouseAgreement.Permission = .whatMembersOffer
    ) -> HouseDocument {
        let body = HouseAgreement(
            domain: domain ?? self.domain, version: version, permits: permits, issued: issued,
            until: issued + life)
        let payload = Octets(suite.encoded(body))
        let signature = suite.signature(by: signer ?? anchor, over: payload)
        return HouseDocument(
            anchor: key ?? anchor, agreement: Signed(body: body, payload: payload, signatures: [signature]))
    }

    func member(until: WallTime = House.start + .seconds(500_000)) -> Membership {
        Membership(domain: domain, roles: [.member], until: until)
    }

    static func moment(_ seconds: Int64) -> Moment {
        Moment(
            instant: Instant(nanoseconds: seconds * 1_000_000_000), wall: start + .seconds(seconds))
    }
}
