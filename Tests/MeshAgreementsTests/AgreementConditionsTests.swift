import Foundation
import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Conditions of an agreement")
struct AgreementConditionsTests {
    private let provider = Party(1).node
    private let consumer = Party(2).node
    private let now = WallTime(milliseconds: 1_000_000_000_000)

    private func role(_ text: String) -> DomainRole { DomainRole(text)! }
    private func principal(_ text: String) -> Principal { Principal(text)! }
    private func network(_ text: String) -> IPNetwork { IPNetwork(text)! }

    private func question(
        _ side: PolicyQuestion.Side = .provider, method: String = "GET", safety: Safety = .safe,
        as principal: Principal = .local, for purpose: String? = nil, roles: [DomainRole]? = nil,
        from address: String? = nil
    ) -> PolicyQuestion {
        PolicyQuestion(
            side: side, caller: consumer, callee: provider, resource: .echo, capability: .echo,
            safety: safety, method: method, principal: principal,
            purpose: purpose.flatMap { Purpose($0) }, callerRoles: roles,
            callerAddress: address.flatMap { IPAddress($0) }, now: now)
    }

    private func agreement(_ conditions: AgreementConditions) -> Agreement {
        var generator = SeededGenerator(seed: 1)
        return Agreement(
            id: AgreementID(using: &generator), version: 1, source: provider, target: consumer,
            grants: [Grant(resource: .echo, capabilities: nil)], conditions: conditions, validFrom: nil,
            validUntil: now + .seconds(100), createdBy: provider, created: now)
    }

    private func codes(_ conditions: AgreementConditions, _ question: PolicyQuestion) -> [RefusalCode] {
        let terms = AgreementTerms(
            contentID: TestSuite().digest([1]), agreement: agreement(conditions), standing: .active)
        switch PolicyEvaluator.decide(question, over: [terms]) {
        case .permitted: return []
        case .refused(let refusals): return refusals.map(\.code)
        }
    }

    @Test("metadata_only lets through what transfers no data, read_only what is declared safe, full all")
    func access() {
        for (method, safety, least) in [
            ("HEAD", Safety.safe, AccessLevel.metadataOnly), ("OPTIONS", .safe, .metadataOnly),
            ("GET", .safe, .readOnly), ("POST", .safe, .readOnly), ("PUT", .idempotent, .full),
            ("GET", .unsafe, .full), ("POST", .unsafe, .full),
        ] {
            for access in AccessLevel.allCases {
                let found = codes(
                    AgreementConditions(access: access), question(method: method, safety: safety))
                #expect(found == (access >= least ? [] : [.accessLevelExceeded]), "\(method) \(access)")
            }
        }
    }

    @Test("principals, roles and networks each refuse who is not named, with what was compared")
    func lists() {
        let conditions = AgreementConditions(
            principals: [principal("billing"), principal("audit")], roles: [role("supplier")],
            networks: [network("10.1.0.0/16"), network("2001:db8::/32")])
        let good = question(
            as: principal("audit"), roles: [role("member"), role("supplier")], from: "10.1.9.9")
        #expect(codes(conditions, good) == [])
        #expect(
            codes(conditions, question(as: principal("audits"), roles: [role("member")], from: "10.2.0.1"))
                == [.principalNotAgreed, .roleNotAgreed, .networkNotAgreed])
        #expect(codes(conditions, question(as: principal("billing"))) == [.roleNotAgreed, .networkNotAgreed])
        let refusals = conditions.shortcomings(for: question(as: principal("x"), from: "::1"), named: [])
        #expect(
            refusals.map(\.facts) == [
                [Fact("principal", "x"), Fact("principals agreed", "audit, billing")],
                [Fact("caller's roles", "none"), Fact("roles agreed", "supplier")],
                [Fact("caller's address", "::1"), Fact("networks agreed", "10.1.0.0/16, 2001:db8::/32")],
            ])
    }

    @Test("a purpose that is agreed must be stated, by the call's own word")
    func purposes() throws {
        let conditions = AgreementConditions(
            purposes: [try #require(Purpose("invoicing")), try #require(Purpose("audit"))])
        #expect(codes(conditions, question(for: "invoicing")) == [])
        #expect(codes(conditions, question(for: "marketing")) == [.purposeNotAgreed])
        #expect(codes(conditions, question(.consumer)) == [.purposeNotAgreed])
        #expect(codes(.none, question(for: "marketing")) == [])
        #expect(
            conditions.shortcomings(for: question(), named: []).map(\.facts)
                == [[Fact("purpose", "none stated"), Fact("purposes agreed", "audit, invoicing")]])
        #expect(!agreement(AgreementConditions(purposes: [])).isWellFormed)
    }

    @Test("commitments and namespaces have one form, and none is not written at all")
    func commitments() throws {
        func text(_ text: String) throws -> ShortText { try #require(ShortText(text)) }
        let level = ServiceLevel(name: try text("uptime"), target: try text("99.9"), unit: nil)
        let commitments = AgreementCommitments(
            frameworks: [try text("iso27001"), try text("gdpr"), try text("gdpr")], serviceLevels: [level])
        #expect(commitments.frameworks?.map(\.description) == ["gdpr", "iso27001"])
        func agreement(_ commitments: AgreementCommitments, _ namespaces: [ShortText] = []) -> Agreement {
            var generator = SeededGenerator(seed: 1)
            return Agreement(
                id: AgreementID(using: &generator), version: 1, source: provider, target: consumer,
                grants: [Grant(resource: .echo, capabilities: nil, namespaces: namespaces)],
                commitments: commitments, validFrom: nil, validUntil: now + .seconds(100),
                createdBy: provider, created: now)
        }
        #expect(agreement(commitments).isWellFormed && agreement(.none).commitments == nil)
        let written = String(decoding: try JSONEncoder().encode(agreement(.none)), as: UTF8.self)
        #expect(!written.contains("commitments") && !written.contains("namespaces"))
        let twice = AgreementCommitments(serviceLevels: [level, level])
        #expect(!agreement(twice).isWellFormed)
        let many = try (0...64).map { try text("n\($0)") }
        #expect(!agreement(.none, many).isWellFormed && agreement(.none, Array(many.dropLast())).isWellFormed)
        #expect(!agreement(AgreementCommitments(frameworks: many)).isWellFormed)
        #expect(ShortText("") == nil && ShortText(String(repeating: "a", count: 65)) == nil)
    }

    @Test("where a call comes from is asked at the provider alone")
    func networkAtProvider() {
        let conditions = AgreementConditions(networks: [network("10.1.0.0/16")])
        #expect(codes(conditions, question(.consumer)) == [])
        #expect(codes(conditions, question(.provider)) == [.networkNotAgreed])
    }

    @Test("one set of conditions has one form, and none is not written at all")
    func form() throws {
        let (one, other) = (principal("a"), principal("b"))
        #expect(AgreementConditions(principals: [other, one, one]).principals == [one, other])
        #expect(agreement(.none).conditions == nil && agreement(.none).isWellFormed)
        let written = String(decoding: try JSONEncoder().encode(agreement(.none)), as: UTF8.self)
        #expect(!written.contains("conditions"))
        for conditions in [
            AgreementConditions(principals: []), AgreementConditions(networks: []),
            AgreementConditions(principals: (0...64).map { principal("p\($0)") }),
            AgreementConditions(roles: (0...64).map { role("r\($0)") }),
        ] { #expect(!agreement(conditions).isWellFormed) }
        #expect(agreement(AgreementConditions(principals: (0..<64).map { principal("p\($0)") })).isWellFormed)
        for conditions in [#"{"access":"full","principals":["b","a"]}"#, #"{"access":"full"}"#] {
            var text = String(decoding: try JSONEncoder().encode(agreement(.none)), as: UTF8.self)
            text = #"{"conditions":\#(conditions),"# + text.dropFirst()
            let read = try JSONDecoder().decode(Agreement.self, from: Data(text.utf8))
            #expect(!read.isWellFormed, "\(conditions)")
        }
    }

    @Test("the evaluator and a second reading of the rules agree", arguments: 1...10)
    func oracle(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let names = ["a", "b", "c"]
        let nets = ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24", "2001:db8::/32"]
        let addresses = ["10.1.2.3", "10.2.2.3", "192.0.2.9", "2001:db8::9", "203.0.113.1"]
        func some(_ of: [String]) -> [String]? {
            chance.number(below: 2) == 0 ? nil : of.filter { _ in chance.number(below: 2) == 0 }
        }
        func one(_ of: [String]) -> String { of[Int(chance.number(below: UInt64(of.count)))] }
        for _ in 0..<500 {
            let (principals, roles, networks) = (some(names), some(names), some(nets))
            let access = AccessLevel.allCases[Int(chance.number(below: 3))]
            let conditions = AgreementConditions(
                access: access, principals: principals?.map(principal), roles: roles?.map(role),
                networks: networks?.map(network))
            let (who, held, address) = (one(names), some(names), one(addresses))
            let (method, safety) = (
                one(["GET", "HEAD", "POST", "OPTIONS"]), Safety.allCases[Int(chance.number(below: 3))]
            )
            let side: PolicyQuestion.Side = chance.number(below: 2) == 0 ? .consumer : .provider
            let asked = question(
                side, method: method, safety: safety, as: principal(who), roles: held?.map(role),
                from: address)
            var expected: [RefusalCode] = []
            let reads = safety == .safe
            let isMetadata = method == "HEAD" || method == "OPTIONS"
            if access == .metadataOnly && !isMetadata || access == .readOnly && !reads {
                expected.append(.accessLevelExceeded)
            }
            if let principals, !principals.contains(who) { expected.append(.principalNotAgreed) }
            if let roles, Set(roles).isDisjoint(with: held ?? []) { expected.append(.roleNotAgreed) }
            let prefixes = [
                "10.0.0.0/8": "10.", "10.1.0.0/16": "10.1.", "192.0.2.0/24": "192.0.2.",
                "2001:db8::/32": "2001:db8:",
            ]
            if let networks, side == .provider,
                !networks.contains(where: { address.hasPrefix(prefixes[$0] ?? "-") })
            {
                expected.append(.networkNotAgreed)
            }
            #expect(codes(conditions, asked) == expected)
        }
    }
}
