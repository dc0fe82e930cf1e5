import MeshAgreements
import MeshBase
import MeshControl
import MeshTrust
import Testing

@testable import MeshAgent
@testable import MeshCredentials
@testable import MeshNode

@Suite struct HouseReportTests {
    private let anchor = IdentityKey.ephemeral()
    private let bakery = ReportRig.Person("bakery")
    private var domain: DomainID { DomainID(anchor.pin.digest) }

    private func membership(_ days: Int64) -> Membership {
        Membership(domain: domain, roles: [.member], until: ReportRig.now.wall + .seconds(days * 86_400))
    }

    private func house(_ days: Int64) throws -> HouseDocument {
        let body = HouseAgreement(
            domain: domain, version: 3, issued: ReportRig.now.wall - ReportRig.day,
            until: ReportRig.now.wall + .seconds(days * 86_400))
        return HouseDocument(
            anchor: anchor.publicKey, agreement: try Signer(anchor).signed(body, using: SystemSuite()))
    }

    /// This node, a member like the bakery, which it trusts.
    private func writer(
        house: HouseDocument?, own: Membership?, theirs: Membership?
    ) throws -> ReportWriter<SystemSuite> {
        var rig = ReportRig()
        try rig.add(bakery)
        if let house { rig.restored.houseAgreements = [house] }
        var node = try rig.writer.node
        var outbox = Outbox<TrustEffect>()
        outbox.post(.membershipChanged(rig.me.node, own))
        outbox.post(.membershipChanged(bakery.node, theirs))
        var effects = Outbox<NodeEffect>()
        node.perform(&outbox, at: ReportRig.now, into: &effects)
        return ReportWriter(node, using: SystemSuite(), at: ReportRig.now)
    }

    @Test func tellsWhoIsInItUntilWhenAndWhatEachOffers() throws {
        let document = try house(300)
        let report = try #require(
            try writer(house: document, own: membership(6), theirs: membership(5)).house)
        #expect(report.id == document.agreement.contentID(using: SystemSuite()).description)
        #expect(report.domain == domain && report.state == .active && report.agreementVersion == 3)
        #expect(report.offered == [.echo])
        #expect(report.members.map(\.node.title) == ["bakery"])
        #expect(report.memberUntil.time == ReportRig.now.wall + ReportRig.day * 6)
    }

    @Test func saysThatItIsOverWhenTheDocumentOrTheOwnCredentialIs() throws {
        for (house, own) in [(try house(0), membership(6)), (try house(300), membership(0))] {
            let report = try #require(try writer(house: house, own: own, theirs: membership(5)).house)
            #expect(report.state == .expired)
        }
        let none = try #require(try writer(house: nil, own: membership(6), theirs: membership(5)).house)
        #expect(none.state == .offered && none.id == nil)
    }

    @Test func needsAttentionAMonthBeforeItsEnd() throws {
        for (days, isNear) in [(Int64(31), false), (29, true), (0, true)] {
            let writer = try writer(house: try house(days), own: membership(6), theirs: nil)
            #expect(writer.houseAttention.isEmpty != isNear)
        }
    }

    @Test func isFoundByItsNameAndByItsID() throws {
        let document = try house(300)
        let writer = try writer(house: document, own: membership(6), theirs: membership(5))
        let id = document.agreement.contentID(using: SystemSuite()).description
        for text in ["house", "HOUSE", id, String(id.prefix(12)).uppercased()] {
            guard case .allowed(.house(let report)) = writer.agreementReport(text) else {
                Issue.record("\(text) names nothing")
                continue
            }
            #expect(report.id == id)
        }
        guard case .refused(let refusal) = writer.agreementReport("ffff0000") else {
            Issue.record("found")
            return
        }
        #expect(refusal.code == .nothingFound)
    }

    @Test func isNoneWhereTheNodeIsInNoDomain() throws {
        let writer = try writer(house: try house(300), own: nil, theirs: membership(5))
        #expect(writer.house == nil)
        guard case .refused = writer.agreementReport("house") else {
            Issue.record("found")
            return
        }
    }

    @Test func permitsAMembersCallsAsLongAsAllOfItHolds() throws {
        let writer = try writer(house: try house(300), own: membership(6), theirs: membership(5))
        #expect(writer.houseFacts(about: bakery.node, asProvider: true).map(\.name) == ["echo"])
        #expect(writer.houseFacts(about: bakery.node, asProvider: false).isEmpty)
        let other = try self.writer(house: try house(300), own: membership(6), theirs: membership(0))
        #expect(other.houseFacts(about: bakery.node, asProvider: true).isEmpty)
    }

    @Test func resourcesSayThatTheyAreOfferedToTheDomain() throws {
        let writer = try writer(house: try house(300), own: membership(6), theirs: membership(5))
        #expect(writer.resources.map(\.offeredToDomain) == [true])
        #expect(writer.catalog(nil, labels: []).map(\.toDomain) == [true])
    }
}
