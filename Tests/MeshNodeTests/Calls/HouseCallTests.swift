import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls among the members of a domain")
struct HouseCallTests {
    private static let domain = DomainID(Digest([UInt8](repeating: 9, count: 32))!)
    private static let houseID = Digest([UInt8](repeating: 8, count: 32))!

    private static func wall(_ milliseconds: Int64) -> WallTime {
        WallTime(milliseconds: wallStart + milliseconds)
    }

    private static func membership(until: Int64 = 1 << 40, of domain: DomainID = domain) -> Membership {
        Membership(domain: domain, roles: [.member], until: wall(until))
    }

    private static func house(until: Int64 = 1 << 40) -> HouseTerms {
        HouseTerms(
            contentID: houseID,
            agreement: HouseAgreement(domain: domain, version: 2, issued: wall(-1), until: wall(until)))
    }

    /// B and C are members like this node and offer `parts` to the domain; D is trusted, offers the name to
    /// this node, and is no member.
    private func rig(
        own: Membership? = membership(), b: Membership? = membership(), house: HouseTerms? = house()
    ) -> DeskRig {
        var rig = DeskRig()
        rig.peers[3] = CallPeer(name: peerName("D"), trust: .trusted, link: .up)
        rig.descriptions = [
            node(1): [DeskRig.described("parts"), DeskRig.described("orders")],
            node(2): [DeskRig.described("parts")], node(3): [DeskRig.described("parts")],
        ]
        rig.agree(provider: node(3), consumer: node(0), "parts")
        rig.own = [
            DeskRig.offered("tools", to: [], toDomain: .offered), DeskRig.offered("secret", to: []),
        ]
        rig.routes = [:]
        rig.domain = domain(own: own, b: b, house: house)
        rig.publish()
        return rig
    }

    private func domain(own: Membership?, b: Membership?, house: HouseTerms?) -> CallDomain? {
        guard let own else { return nil }
        var members = OrderedTable<NodeID, CallMember>()
        if let b { members[node(1)] = CallMember(membership: b, offers: [resource("parts")]) }
        members[node(2)] = CallMember(membership: Self.membership(), offers: [resource("parts")])
        return CallDomain(membership: own, house: house, members: members)
    }

    @Test("go under the house agreement, and their events say so")
    func consumer() throws {
        var rig = rig()
        rig.call("B", "parts")
        #expect(rig.invocations.map(\.agreement) == [Self.houseID])
        let event = try #require(rig.ledger.attempts.first)
        #expect(event.agreement == Self.houseID)
        #expect(
            event.metadata.prefix(3) == [
                Fact("agreement", "house of \(Self.domain.brief)"), Fact("version", 2),
                Fact("domain", Self.domain),
            ])
        rig.answerLast()
        #expect(rig.ledger.events.last?.metadata.prefix(3).map(\.name) == ["agreement", "version", "domain"])
    }

    @Test("are refused before they leave where the member does not offer it to the domain")
    func notOffered() {
        var rig = rig()
        rig.agreements = [:]
        rig.publish()
        let id = rig.call("B", "orders")
        #expect(rig.refusal(of: id) == [.agreementMissing, .notOfferedToDomain])
        #expect(rig.sent.isEmpty)
    }

    @Test("are refused before they leave when a membership, or the house agreement, is not there or over")
    func consumerRefuses() {
        let over = Self.membership(until: 4_999)
        for (rig, codes) in [
            (rig(own: over), [RefusalCode.membershipMissing, .agreementMissing]),
            (rig(b: over), [.membershipMissing, .agreementMissing]),
            (rig(house: nil), [.houseAgreementMissing, .agreementMissing]),
            (rig(house: Self.house(until: 4_999)), [.agreementExpired, .agreementMissing]),
            (rig(own: nil), [.agreementMissing]), (rig(b: nil), [.agreementMissing]),
        ] {
            var rig = rig
            let id = rig.call("B", "parts")
            #expect(rig.refusal(of: id) == codes && rig.sent.isEmpty)
        }
    }

    @Test("are served under the house agreement, and their events say so")
    func provider() throws {
        var rig = rig()
        let key = rig.arrive(from: 1, "tools")
        #expect(rig.refusal(of: key) == nil)
        guard case .serve(_, _, let invocation) = rig.effects.last else {
            Issue.record("not served")
            return
        }
        let header = invocation.headers.first { $0.name == "comity-agreement" }
        #expect(header?.value == Self.houseID.description)
        let event = try #require(rig.ledger.attempts.first)
        #expect(event.agreement == Self.houseID && event.metadata.contains(Fact("version", 2)))
    }

    @Test("are not served to who is no member now, which is told no more than of any unknown name")
    func providerRefuses() {
        for membership in [nil, Self.membership(until: 0)] {
            var rig = rig(b: membership)
            let key = rig.arrive(from: 1, "tools")
            #expect(rig.refusal(of: key) == [.resourceUnknown])
        }
        #expect(refusal(of: "tools", to: 1, in: rig(own: Self.membership(until: 0))) == [.resourceUnknown])
        // In its last five seconds a membership shows, and permits nothing.
        let ending = rig(b: Self.membership(until: 4_000))
        #expect(refusal(of: "tools", to: 1, in: ending) == [.membershipMissing, .agreementMissing])
    }

    @Test("are not served where nothing is offered to the domain, or to who only is a trusted peer")
    func withheld() {
        #expect(refusal(of: "secret", to: 1, in: rig()) == [.resourceUnknown])
        #expect(refusal(of: "tools", to: 3, in: rig()) == [.resourceUnknown])
    }

    private func refusal(of name: String, to peer: UInt8, in rig: DeskRig) -> [RefusalCode]? {
        var rig = rig
        let key = rig.arrive(from: peer, name)
        return rig.refusal(of: key)
    }

    @Test("go to any member that offers the name to the domain, never to who merely offers it")
    func any() {
        var rig = rig()
        for _ in 0..<40 {
            rig.call("any", "parts")
            rig.answerLast()
        }
        #expect(Set(rig.sent.map(\.1)) == [node(1), node(2)])
    }

    @Test("go to no member whose membership is over, and to nobody when all are")
    func anyOver() {
        var one = rig(b: Self.membership(until: 0))
        one.call("any", "parts")
        #expect(one.sent.map(\.1) == [node(2)])
        var none = rig(own: Self.membership(until: 0))
        let id = none.call("any", "parts")
        #expect(none.refusal(of: id) == [.resourceUnknown])
    }

    @Test("are weighed once where a member is joined by a route as well")
    func routed() {
        var rig = rig()
        rig.routes = [resource("parts"): [node(1), node(3)]]
        rig.publish()
        let request = LocalRequest(
            id: RequestID(99), target: .any, resource: resource("parts"),
            form: .invoke(capability: resource("list"), query: nil), body: .none)
        let explanation = rig.desk.wouldDecide(request, at: moment(0))
        #expect(explanation.candidates.map(\.node) == [node(1), node(2), node(3)])
        #expect(explanation.candidates.prefix(2).allSatisfy { $0.agreement == Self.houseID })
    }

    @Test("are explained on both sides as they are decided")
    func explained() {
        let rig = rig()
        let verdict = rig.desk.wouldServe(
            node(1), resource: resource("tools"), capability: resource("list"), principal: .local,
            at: moment(0))
        #expect(verdict == .permitted(Self.houseID))
        let outsider = rig.desk.wouldServe(
            node(3), resource: resource("tools"), capability: resource("list"), principal: .local,
            at: moment(0))
        #expect(outsider == .refused([Refusal(.resourceUnknown, [Fact("resource", resource("tools"))])]))
    }

    @Test("have members that offer the name among the routes, as providers while they are members")
    func routes() {
        let rig = rig(b: Self.membership(until: 10_000))
        func providers(at milliseconds: Int64) -> [NodeID] {
            rig.desk.routes(at: moment(milliseconds)).filter { $0.resource == resource("parts") }
                .filter(\.isProvider).map(\.node)
        }
        #expect(providers(at: 0) == [node(1), node(2)])
        #expect(providers(at: 10_000) == [node(2)])
    }
}
