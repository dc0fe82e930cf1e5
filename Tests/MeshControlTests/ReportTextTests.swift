import MeshBase
import Testing

@testable import MeshControl

@Suite struct ReportTextTests {
    private let now = WallTime(milliseconds: 1_795_255_200_000)
    private var plain: Presentation {
        Presentation(hasColour: false, width: 100, now: now, zone: .fixed(seconds: 3_600))
    }

    private func node(_ name: String, _ byte: UInt8) -> NodeReference {
        NodeReference(name: NodeName(name), id: NodeID(Digest(Array(repeating: byte, count: 32))!))
    }

    private var status: StatusReport {
        let peer = PeerReport(
            name: NodeName("B"), id: node("B", 2).id, words: ["apron", "tiger", "zebra", "lemon", "tulip"],
            trust: .trusted,
            link: .up, address: Endpoint("10.0.0.2:7410"),
            witnesses: [
                .init(witness: "mdns", scope: "eth0", ageSeconds: 3, endpoint: nil),
                .init(witness: "consul", ageSeconds: 40, endpoint: Endpoint("10.0.0.2:7410")),
                .init(witness: "consul", ageSeconds: 2, endpoint: Endpoint("10.1.0.2:7410")),
            ],
            latencyMilliseconds: 0.43)
        return StatusReport(
            node: NodeReport(
                name: NodeName("A")!, id: node("A", 1).id, words: ["acorn", "zodiac"], boot: 7,
                started: Timestamp(now - .seconds(65)), program: "0.1.0"),
            listening: ListeningReport(
                link: [Endpoint("10.0.0.1:7410")!], gateway: Endpoint("127.0.0.1:7411"), gatewaySocket: nil,
                control: "/c"),
            discovery: [
                DiscoveryReport(method: "static", state: .off, detail: "no addresses"),
                DiscoveryReport(method: "mdns", state: .failing, detail: "no Avahi daemon answers"),
                DiscoveryReport(
                    method: "consul", state: .working, detail: "3 registered", answerAgeSeconds: 4,
                    answerMilliseconds: 1.2),
            ],
            peers: [peer], resources: [], agreements: [],
            breakers: [
                BreakerReport(
                    peer: node("B", 2), resource: ResourceName("orders"), state: .open, since: Timestamp(now),
                    probeAt: Timestamp(now + .seconds(4)), why: "5 consecutive transport failures")
            ],
            attention: [AttentionReport(what: "clock of B is 130 s ahead", next: "comity peer show B")])
    }

    @Test func `status is one screen`() {
        #expect(
            StatusText.render(status, plain) == """
                A  comity 0.1.0
                  node     naeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq
                  words    acorn zodiac
                  up       1 min 5 s
                  link     10.0.0.1:7410
                  gateway  http://127.0.0.1:7411

                discovery
                  static  off      no addresses
                  mdns    failing  no Avahi daemon answers
                  consul  working  3 registered             answered 4 s ago in 1.2 ms

                peers: 1 trusted
                  NAME  TRUST    LINK  LATENCY  ADDRESS        KNOWN BY              WORDS
                  B     trusted  up    0.4 ms   10.0.0.2:7410  mdns 3 s, consul 2 s  apron tiger zebra lemon

                breakers
                  B/orders  open  probe in 4 s  5 consecutive transport failures

                needs attention
                  ! clock of B is 130 s ahead
                    next  comity peer show B

                """)
    }

    @Test func `a newcomer's first screen ends with the next command`() {
        var fresh = status
        fresh.peers = []
        var elsewhere = plain
        elsewhere.home = "/h"
        let text = StatusText.renderStart(fresh, elsewhere)
        #expect(
            text.hasSuffix(
                """
                next
                  comity invite --home /h     a line that another node joins this one with
                  comity join LINE --home /h  join the node that made the line

                """))
    }

    @Test func `a member of a domain that has met nobody yet is pointed to the domain`() throws {
        var member = status
        member.peers = []
        member.node.membership = MembershipReport(
            name: NodeName("acme"), id: try #require(DomainID("d" + String(repeating: "a", count: 52))),
            roles: [.member], until: member.node.started)
        let text = StatusText.renderStart(member, plain)
        #expect(
            text.hasSuffix("next\n  comity domain show  the domain's members, and who of them is reached\n"))
    }

    @Test func `a refused call shows both sides, the values and the next command`() {
        let report = ExplainReport(
            subject: "call B/orders/list", correlation: nil, verdict: .refused,
            branches: [
                ExplainBranch(side: nil, question: "is the peer trusted?", verdict: .allowed),
                ExplainBranch(
                    side: node("Bakery", 2), question: "does an agreement cover it?", verdict: .refused,
                    reasons: [
                        Refusal(.agreementExpired, [Fact("until", "10:00"), Fact("the clock", "11:00")])
                    ]),
                ExplainBranch(side: nil, question: "did the resource answer?", verdict: .notAsked),
            ])
        #expect(
            ExplainText.render(report, plain) == """
                call B/orders/list  refused
                  + here    is the peer trusted?
                  x Bakery  does an agreement cover it?
                            agreement-expired: the agreement that would cover the call is over
                              until      10:00
                              the clock  11:00
                            next  comity offer RESOURCE --to PEER
                  - here    did the resource answer?

                """)
    }

    @Test func `a failure shows code, values aligned and the next command`() {
        let failure = ControlFailure.agentNotRunning(home: "/h", found: "none")
        #expect(
            ReasonText.render(failure, plain) == """
                agent-not-running: the agent of this home is not running
                  home            /h
                  control socket  none
                  next  comity up --home /h

                """)
    }

    @Test func `a next command names the peer that the facts name`() {
        let failure = ControlFailure(Refusal(.peerRevoked, [Fact("peer", "mill")]))
        #expect(ReasonText.render(failure, plain).contains("next  comity explain peer mill\n"))
    }

    @Test func `a command for another node does not name this node's home`() {
        var here = plain
        here.home = "/h"
        let elsewhere = [Fact(ReasonText.elsewhere, "mill")]
        for (facts, home) in [([Fact](), " --home /h"), (elsewhere, "")] {
            let failure = ControlFailure(
                .refused, code: "x", message: "y", facts: facts, next: "comity invite")
            #expect(ReasonText.render(failure, here).contains("next  comity invite\(home)\n"))
        }
    }

    @Test func `a call that may take longer is named with its capability`() throws {
        let call = try #require(GatewayCall(target: "B/orders/list"))
        let answer = GatewayAnswer(
            correlation: nil, outcome: .refused([Refusal(.deadlineExceeded)], next: nil), body: [])
        #expect(CallText.render(answer, to: call, plain).contains("comity call B/orders/list --deadline 30s"))
    }

    @Test func `a trace says where its sides disagree`() {
        let id = CorrelationID(high: 0x0193_8f7e_0000_7000, low: 0x8000_0000_0000_0001)
        let event = AuditEventReport(
            id: id, time: Timestamp(now), type: "attempt", correlation: id, source: node("A", 1),
            target: node("B", 2),
            resource: .echo, action: "invoke", success: true, durationMilliseconds: 12, status: 200,
            attempt: 1)
        let report = TraceReport(
            correlation: id,
            sides: [
                TraceSide(node: node("A", 1), isHere: true, missing: nil),
                TraceSide(node: node("B", 2), isHere: false, missing: nil),
            ],
            events: [TraceEvent(side: node("A", 1), event: event)],
            disagreements: [
                TraceDisagreement(attempt: 1, what: "status", values: [Fact("A", "200"), Fact("B", "500")])
            ])
        #expect(
            AuditText.render(report, plain) == """
                01938f7e-0000-7000-8000-000000000001
                  AFTER  SIDE  TYPE     ATTEMPT  FROM  TO  WHAT  OUTCOME  TOOK
                  +0 ms  A     attempt  1        A     B   echo  200      12 ms
                  the sides disagree about attempt 1: status
                    A  200
                    B  500

                """)
    }

    @Test func `people read local time`() {
        #expect(plain.date(Timestamp(now)) == "2026-11-21 11:00:00")
        #expect(plain.distance(to: Timestamp(now + .seconds(3 * 86_400))) == "in 3 d")
    }
}
