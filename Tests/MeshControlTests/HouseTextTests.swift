import Foundation
import MeshBase
import Testing

@testable import MeshControl

@Suite struct HouseTextTests {
    private let presentation = Presentation(
        hasColour: false, width: 200, now: WallTime(milliseconds: 1_800_000_000_000),
        zone: .fixed(seconds: 0))
    private let domain = DomainID(Digest([UInt8](repeating: 3, count: 32))!)

    private func time(_ days: Int64) -> Timestamp {
        Timestamp(WallTime(milliseconds: 1_800_000_000_000 + days * 86_400_000))
    }

    private func reference(_ name: String) -> NodeReference {
        NodeReference(name: NodeName(name)!, id: NodeID(Digest([UInt8](repeating: 4, count: 32))!))
    }

    private var house: HouseReport {
        HouseReport(
            id: String(repeating: "ab", count: 32), domain: domain, state: .active, agreementVersion: 2,
            issued: time(-10), until: time(300), memberUntil: time(6), offered: [.echo],
            members: [
                .init(node: reference("bakery"), until: time(5), offered: [.echo, ResourceName("stock")!]),
                .init(node: reference("mill"), until: time(5), offered: []),
            ])
    }

    @Test func saysWhatMembersMayDoAndUntilWhen() {
        let text = AgreementText.render(AgreementDetail.house(house), presentation)
        #expect(text.contains("house agreement of domain \(domain)"))
        #expect(text.contains("each member may call what another offers to the domain; nothing else"))
        #expect(text.contains("bakery offers") && text.contains("echo, stock"))
        #expect(text.contains("mill offers") && text.contains("nothing"))
        #expect(text.contains("(in 300 d)") && text.contains("(in 6 d)"))
    }

    @Test func saysThatNoneHasComeYet() {
        let none = HouseReport(
            id: nil, domain: domain, state: .offered, agreementVersion: nil, issued: nil, until: nil,
            memberUntil: time(6), offered: [], members: [])
        let text = AgreementText.render(AgreementDetail.house(none), presentation)
        #expect(text.hasPrefix("the house agreement has not come yet"))
        #expect(text.contains("none that is trusted here"))
    }

    @Test func standsAmongTheAgreementsOfTwo() {
        let text = AgreementText.render(AgreementsReport(agreements: [], house: house), presentation)
        #expect(text.contains("abababababab") && text.contains("domain \(domain.brief): 2 members"))
        #expect(text.contains("what is offered to it"))
    }

    @Test func isItselfAsJSON() throws {
        let bytes = try JSONEncoder().encode(AgreementDetail.house(house))
        let object = try JSONSerialization.jsonObject(with: bytes) as? [String: Any]
        #expect(object?["domain"] as? String == domain.description)
        #expect(try JSONDecoder().decode(AgreementDetail.self, from: bytes) == .house(house))
        let pair = AgreementReport(
            id: "ab", role: .provider, peer: reference("bakery"), resources: [.echo], capabilities: [],
            state: .active, offered: time(0), from: nil, until: time(1))
        let other = try JSONEncoder().encode(AgreementDetail.pair(pair))
        #expect(try JSONDecoder().decode(AgreementDetail.self, from: other) == .pair(pair))
        #expect(try JSONDecoder().decode(AgreementReport.self, from: other) == pair)
    }

    @Test func showsInTheCatalogWhatComesFromTheDomain() {
        let description = ResourceDescription(name: .echo, protocol: .builtin, capabilities: [], labels: [])
        func entry(_ name: String, toDomain: Bool?) -> CatalogEntry {
            CatalogEntry(
                provider: reference(name), isHere: false, description: description, agreement: "ab",
                until: time(1), toDomain: toDomain)
        }
        let mixed = CatalogReport(entries: [entry("bakery", toDomain: true), entry("mill", toDomain: nil)])
        let lines = ResourceText.render(mixed, presentation).split(separator: "\n")
        #expect(lines[0].contains("OFFERED TO"))
        #expect(lines[1].contains("domain") && lines[2].contains("us"))
        var unmet = entry("n4hz7k2", toDomain: true)
        (unmet.agreement, unmet.until, unmet.notMet) = (nil, nil, true)
        let far = CatalogReport(entries: [unmet])
        #expect(ResourceText.render(far, presentation).contains("not met yet"))
        let alone = CatalogReport(entries: [entry("mill", toDomain: nil)])
        #expect(!ResourceText.render(alone, presentation).contains("OFFERED TO"))
    }
}
