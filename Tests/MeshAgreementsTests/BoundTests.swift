import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Bounds of one agreement")
struct BoundTests {
    private func isWellFormed(_ grants: [Grant], version: Int64 = 1) -> Bool {
        var generator = SeededGenerator(seed: 1)
        let (a, b) = (Party(1), Party(2))
        return Agreement(
            id: AgreementID(using: &generator), version: version, source: a.node, target: b.node,
            grants: grants, validFrom: nil, validUntil: day(1).wall, createdBy: a.node, created: day(0).wall
        ).isWellFormed
    }

    private func names(_ count: Int) -> [ResourceName] { (0..<count).map { name("r\(1_000 + $0)") } }

    @Test("covers one to sixty-four resources")
    func grants() {
        func covering(_ count: Int) -> [Grant] { names(count).map { Grant(resource: $0, capabilities: nil) } }
        #expect(!isWellFormed(covering(0)))
        #expect(isWellFormed(covering(AgreementLimits.grants)))
        #expect(!isWellFormed(covering(AgreementLimits.grants + 1)))
    }

    @Test("names one to sixty-four capabilities of a resource")
    func capabilities() {
        func naming(_ count: Int) -> [Grant] { [Grant(resource: name("r"), capabilities: names(count))] }
        #expect(!isWellFormed(naming(0)))
        #expect(isWellFormed(naming(Limits.capabilitiesPerResource)))
        #expect(!isWellFormed(naming(Limits.capabilitiesPerResource + 1)))
    }

    @Test("has a version of 1 to 2^53 - 1")
    func versions() {
        let grant = [Grant(resource: name("r"), capabilities: nil)]
        #expect(isWellFormed(grant, version: AgreementLimits.versionMax))
        #expect(!isWellFormed(grant, version: AgreementLimits.versionMax + 1))
        #expect(!isWellFormed(grant, version: 0))
    }
}
