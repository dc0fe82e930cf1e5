import MeshBase
import Testing

@testable import MeshControl

@Suite("What comity doctor makes of a domain") struct DoctorDomainTests {
    private let now = WallTime(milliseconds: 1_795_255_200_000)

    private func reference(_ name: String, _ byte: UInt8) -> NodeReference {
        NodeReference(name: NodeName(name), id: NodeID(Digest(Array(repeating: byte, count: 32))!))
    }

    /// An agent in the domain `acme` with these other issuers, and a member that is none.
    private func findings(
        roles: [DomainRole] = [.member], until: Duration = .seconds(5 * 86_400), renewal: Duration? = nil,
        issuers: [PeerReport.Link] = [.up], hasAnchor: Bool = false
    ) -> [DoctorFinding] {
        var members = issuers.enumerated().map { index, link in
            MemberReport(
                node: reference("issuer-\(index)", UInt8(index + 2)), roles: [.issue, .member],
                until: Timestamp(now + .seconds(86_400)), link: link)
        }
        members.append(
            MemberReport(
                node: reference("plain", 99), roles: [.member], until: Timestamp(now + .seconds(86_400)),
                link: .up))
        var facts = DoctorFacts(home: .init(path: "/h", exists: true))
        facts.agent = DoctorFacts.AgentFacts(
            status: StatusReport(
                node: NodeReport(
                    name: NodeName("A")!, id: reference("A", 1).id, words: [], boot: 1,
                    started: Timestamp(now),
                    program: "0.1.0"),
                listening: ListeningReport(link: [], gateway: nil, gatewaySocket: nil, control: "/c"),
                discovery: [], peers: [], resources: [], agreements: [], breakers: [], attention: []))
        facts.agent?.domain = DomainReport(
            name: NodeName("acme")!, id: DomainID(Digest(Array(repeating: 7, count: 32))!), words: [],
            roles: roles, until: Timestamp(now + until), renewal: renewal.map { Timestamp(now + $0) },
            issuer: nil, hasAnchor: hasAnchor, mayGive: [], members: members)
        return DoctorJudgement(facts, at: now).report.findings.filter { $0.area == .domain }
    }

    @Test func `a node in no domain is told nothing of one`() {
        let facts = DoctorFacts(home: .init(path: "/h", exists: true))
        #expect(DoctorJudgement(facts, at: now).report.findings.allSatisfy { $0.area != .domain })
    }

    @Test func `a credential in time, one that nobody renews and one that is over are told apart`() {
        #expect(findings().map(\.level)[0] == .ok)
        #expect(findings(renewal: .seconds(-3_600))[0].level == .ok)
        let late = findings(renewal: .seconds(-3_601))[0]
        #expect(late.level == .advice && late.what.contains("no issuer of acme has renewed"))
        for over in [findings(roles: [], until: .seconds(60))[0], findings(until: .zero)[0]] {
            #expect(over.level == .trouble && over.next == "comity domain show")
        }
    }

    @Test func `a domain has issuers in reach, more than one`() {
        let two = findings(issuers: [.up, .down])[1]
        #expect(two.level == .ok && two.facts.contains(Fact("issuers", 2)))
        let none = findings(issuers: [.down, .down])[1]
        #expect(none.level == .advice && none.next == "comity peers")
        // One whose link is opened when something needs it is in reach, and is not called linked.
        let atRest = findings(issuers: [.onDemand, .down])[1]
        #expect(atRest.level == .ok && atRest.facts.contains(Fact("linked", "none")))
        #expect(atRest.facts.contains(Fact("linked when needed", 1)))
        let one = findings(issuers: [.up])[1]
        #expect(one.level == .advice && one.next == "comity domain token --role issue FILE")
        #expect(one.facts.contains { $0.name == "to be given at" })
        let alone = findings(roles: [.issue, .member], issuers: [], hasAnchor: true)[1]
        #expect(alone.level == .advice && !alone.facts.contains { $0.name == "to be given at" })
        #expect(findings(roles: [.issue, .member], issuers: [.down])[1].level == .ok)
    }
}
