import Foundation
import MeshBase
import Testing

@testable import MeshControl

@Suite("Agreements in words")
struct AgreementTextTests {
    private func report(_ conditions: ConditionsReport?) throws -> AgreementReport {
        AgreementReport(
            id: "ab", role: .provider,
            peer: NodeReference(
                name: NodeName("bakery"),
                id: NodeID(try #require(Digest([UInt8](repeating: 7, count: 32))))),
            resources: [.echo], capabilities: [], conditions: conditions, state: .active,
            offered: Timestamp(WallTime(milliseconds: 0)), from: nil,
            until: Timestamp(WallTime(milliseconds: 1_000)))
    }

    @Test("a condition stands on a line of its own, and none takes no room")
    func conditions() throws {
        let presentation = Presentation(
            hasColour: false, width: 100, now: WallTime(milliseconds: 0), zone: .fixed(seconds: 0))
        let conditions = ConditionsReport(
            access: .readOnly, principals: [try #require(Principal("billing"))],
            networks: [try #require(IPNetwork("10.1.0.0/16"))])
        let text = AgreementText.render(try report(conditions), presentation)
        #expect(text.contains("read_only: capabilities that are declared safe"))
        #expect(!text.contains("sealed"))
        let sealed = AgreementText.render(
            try report(ConditionsReport(access: .full, encryption: .required)), presentation)
        #expect(sealed.contains("payloads are sealed to the provider, answers to the consumer"))
        #expect(text.contains("billing") && text.contains("10.1.0.0/16") && !text.contains("role "))
        let plain = AgreementText.render(try report(nil), presentation)
        #expect(plain.contains("full: ") && !plain.contains("over links from"))
    }

    @Test("all that was agreed reads as a contract does, and no line is wider than the terminal")
    func contract() throws {
        var report = try report(
            ConditionsReport(
                access: .metadataOnly, roles: [.relay, .issue], purposes: [try #require(Purpose("billing"))]))
        report.grants = [
            GrantReport(
                resource: .echo, capabilities: [.echo], namespaces: [try #require(ShortText("customers/eu"))]),
            GrantReport(resource: try #require(ResourceName("orders")), capabilities: []),
        ]
        for (role, parties) in [
            (AgreementReport.Role.provider, "this node provides, bakery calls"),
            (.consumer, "bakery provides, this node calls"),
        ] {
            report.role = role
            let presentation = Presentation(
                hasColour: false, width: 60, now: WallTime(milliseconds: 0), zone: .fixed(seconds: 0))
            let text = AgreementText.render(report, presentation)
            let read = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            for sentence in [
                parties, "what echo: echo of it only customers/eu", "orders: all that it can do",
                "metadata_only: descriptions, HEAD and OPTIONS; no data", "holds the role relay or issue",
                "each call says that it is for billing", "how much without limit",
                "from when both have signed until 1970-01-01 00:00:01 (in 1 s)",
                "either party may revoke it alone, for good; calls under way run to their end",
            ] { #expect(read.contains(sentence), "\(sentence) in \(read)") }
            #expect(text.split(separator: "\n").allSatisfy { $0.count <= 60 }, "\(text)")
        }
    }

    @Test("a text is broken at its spaces, under its margin; a word that is too long stands alone")
    func wrapping() {
        #expect("  a bc def".wrapped(to: 6) == ["  a bc", "  def"])
        #expect("abcdefgh ij".wrapped(to: 4) == ["abcdefgh", "ij"])
        #expect("".wrapped(to: 4) == [""])
    }

    @Test("a limit stands on a line of its own, with what is used and left here")
    func limits() throws {
        let presentation = Presentation(
            hasColour: false, width: 100, now: WallTime(milliseconds: 0), zone: .fixed(seconds: 0))
        var report = try report(nil)
        #expect(AgreementText.render(report, presentation).contains("without limit"))
        report.limits = LimitsReport(
            rate: .init(calls: 100, seconds: 1, burst: 200), callsPerDay: 10, hops: 2)
        report.usage = [
            UsageReport(
                period: .day, window: "2026-11-28", quota: 10, used: 4, left: 6,
                ends: Timestamp(WallTime(milliseconds: 9)))
        ]
        report.callsAtEnd = .cut
        let text = AgreementText.render(report, presentation)
        for line in [
            "100 calls in 1 s, 200 at once", "10 calls a day of UTC; in 2026-11-28 4 used here, 6 left",
            "over links that at most 2 nodes carry",
            "calls under way are cut",
        ] { #expect(text.contains(line), "\(line)") }
    }

    @Test("a decision says what may be done from now on, and whether the peer knows")
    func decided() throws {
        let presentation = Presentation(
            hasColour: false, width: 100, now: WallTime(milliseconds: 0), zone: .fixed(seconds: 0))
        var report = try report(nil)
        #expect(
            AgreementText.decided(report, presentation)
                == "bakery may call echo here (agreement ab is active)\n")
        report.state = .ended
        report.role = .consumer
        report.facts = [Fact("told", "not yet: at the next link")]
        #expect(
            AgreementText.decided(report, presentation)
                == "agreement ab, by which this node calls echo at bakery, is ended; told: not yet: at the next link\n"
        )
    }

    @Test("who approved, as what, vouched for by whom, what is missing and what leads on stand in the text")
    func approvals() throws {
        let presentation = Presentation(
            hasColour: false, width: 120, now: WallTime(milliseconds: 0), zone: .fixed(seconds: 0))
        var report = try report(nil)
        report.state = .offered
        report.grants = [
            GrantReport(
                resource: .echo, capabilities: [], namespaces: [try #require(ShortText("customers/eu"))])
        ]
        report.commitments = CommitmentsReport(
            frameworks: [try #require(ShortText("gdpr"))],
            serviceLevels: [
                .init(
                    name: try #require(ShortText("availability")), target: try #require(ShortText("99.9")),
                    unit: ShortText("percent"))
            ])
        report.approvals = ApprovalsReport(
            askedHere: [.responsible, .accountable], askedThere: [.accountable], missingHere: [.accountable],
            missingThere: [.accountable],
            words: [
                .init(
                    person: try #require(NodeName("ann")), vouchedFor: report.peer, roles: [.responsible],
                    isApproval: true, reason: "fine", given: Timestamp(WallTime(milliseconds: 0)),
                    vouchedUntil: Timestamp(WallTime(milliseconds: 1_000)), isTold: false)
            ], next: "comity agreement approve ab --key FILE")
        let text = AgreementText.render(report, presentation)
        for part in [
            "ann of bakery as responsible", "because: fine", "the peer has not got it yet", "missing here",
            "missing at bakery", "comity agreement approve ab --key FILE", "customers/eu", "gdpr",
            "availability 99.9 percent",
        ] { #expect(text.contains(part), "\(part)") }
        let decided = AgreementText.decided(report, presentation)
        #expect(decided.contains("it waits for approval: here accountable; at bakery accountable"))
    }

    @Test("a comparison has a column for each side, and says so where both say the same")
    func comparison() {
        let presentation = Presentation(
            hasColour: false, width: 100, now: WallTime(milliseconds: 0), zone: .fixed(seconds: 0))
        var comparison = AgreementComparison(
            first: "aaaaaaaaaaaaaa", second: "bbbbbbbbbbbbbb",
            differences: [.init(subject: "access", first: "full", second: "read_only")])
        let lines = AgreementText.render(comparison, presentation).split(separator: "\n")
        #expect(lines.count == 2 && lines[0].contains("aaaaaaaaaaaa  bbbbbbbbbbbb"))
        #expect(lines[1].split(separator: " ").map(String.init) == ["access", "full", "read_only"])
        comparison.differences = []
        #expect(
            AgreementText.render(comparison, presentation) == "aaaaaaaaaaaa and bbbbbbbbbbbb say the same\n")
    }

    @Test("conditions come back from JSON as they went")
    func json() throws {
        let report = try report(ConditionsReport(access: .metadataOnly, roles: [.relay]))
        let written = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(AgreementReport.self, from: written) == report)
    }
}
