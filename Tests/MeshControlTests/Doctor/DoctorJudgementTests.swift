import MeshBase
import Testing

@testable import MeshControl

@Suite("What comity doctor makes of what it saw") struct DoctorJudgementTests {
    private let now = WallTime(milliseconds: 1_795_255_200_000)

    private func facts(_ change: (inout DoctorFacts) -> Void = { _ in }) -> DoctorFacts {
        var facts = DoctorFacts(home: .init(path: "/h", exists: true))
        facts.home.freeBytes = 5 << 30
        facts.home.secrets = [
            .init(path: "/h", permissions: 0o700, isOwn: true, isFolder: true),
            .init(path: "/h/identity.key", permissions: 0o600, isOwn: true, isFolder: false),
        ]
        facts.avahi = .running
        change(&facts)
        return facts
    }

    private func findings(
        _ area: DoctorFinding.Area, _ change: (inout DoctorFacts) -> Void = { _ in }
    ) -> [DoctorFinding] {
        DoctorJudgement(facts(change), at: now).report.findings.filter { $0.area == area }
    }

    private func node(_ name: String, _ byte: UInt8) -> NodeReference {
        NodeReference(name: NodeName(name), id: NodeID(Digest(Array(repeating: byte, count: 32))!))
    }

    private func agent(
        _ peers: [PeerReport] = [], link: [String] = ["10.0.0.1:7410"], discovery: [DiscoveryReport] = [],
        attention: [AttentionReport] = []
    ) -> DoctorFacts.AgentFacts {
        DoctorFacts.AgentFacts(
            status: StatusReport(
                node: NodeReport(
                    name: NodeName("A")!, id: node("A", 1).id, words: [], boot: 1, started: Timestamp(now),
                    program: "0.1.0"),
                listening: ListeningReport(
                    link: link.compactMap { Endpoint($0) }, gateway: nil, gatewaySocket: nil, control: "/c"),
                discovery: discovery, peers: peers, resources: [], agreements: [], breakers: [],
                attention: attention))
    }

    private func peer(
        _ name: String, skew: Double? = 0, ends: Duration = .seconds(20 * 3_600)
    ) -> PeerReport {
        PeerReport(
            name: NodeName(name), id: node(name, 2).id, words: [], trust: .trusted, link: .up,
            clockSkewSeconds: skew, certificateExpires: Timestamp(now + ends))
    }

    private func network(
        _ kind: DoctorFacts.NetworkFacts.Kind = .ordinary, carriesMulticast: Bool = true, sent: Int = 3,
        returned: Int? = 3, answering: [String] = [], error: String? = nil
    ) -> DoctorFacts.NetworkFacts {
        .init(
            name: "eth0", kind: kind, carriesMulticast: carriesMulticast,
            probes: carriesMulticast
                ? [
                    .init(
                        family: "IPv4", sent: sent, returned: returned, answering: answering, error: error)
                ] : [])
    }

    @Test func `a sound home without its agent is advised to start it, and nothing is wrong`() {
        let report = DoctorJudgement(facts(), at: now).report
        #expect(report.level == .advice)
        #expect(report.findings.filter { $0.level != .ok }.map(\.area) == [.agent])
        #expect(report.findings.first { $0.area == .agent }?.next == "comity up")
    }

    @Test func `a home that is not there yet is no trouble`() {
        let report = DoctorJudgement(DoctorFacts(home: .init(path: "/h", exists: false)), at: now).report
        #expect(report.findings.map(\.area) == [.home, .avahi] && report.level == .advice)
    }

    @Test(arguments: [
        (UInt16(0o644), true, "chmod 600 /h/identity.key"), (0o640, true, "chmod 600 /h/identity.key"),
        (0o600, false, "chown \"$(id -u)\" /h/identity.key"),
    ]) func `a key that others may read, or own, is trouble`(mode: UInt16, isOwn: Bool, next: String) {
        let found = findings(.keys) {
            $0.home.secrets[1].permissions = mode
            $0.home.secrets[1].isOwn = isOwn
        }
        #expect(found.map(\.level) == [.trouble] && found.map(\.next) == [next])
        #expect(findings(.keys) { $0.home.secrets[0].permissions = 0o755 }.map(\.next) == ["chmod 700 /h"])
        #expect(findings(.keys).map(\.level) == [.ok])
    }

    @Test(arguments: [
        (Int64(64 << 20) - 1, DoctorFinding.Level.trouble), (64 << 20, .advice), ((1 << 30) - 1, .advice),
        (1 << 30, .ok),
    ]) func `room on the disk is told before calls are refused for it`(
        free: Int64, level: DoctorFinding.Level
    ) {
        #expect(findings(.store) { $0.home.freeBytes = free }.map(\.level) == [level])
    }

    @Test func `a home that cannot be written, or a store that says so, is trouble`() {
        #expect(findings(.store) { $0.home.isWritable = false }.map(\.level) == [.trouble])
        let said = AttentionReport(what: "the store cannot be written, and so on", next: "df -h")
        let found = findings(.store) { $0.agent = agent(attention: [said]) }
        #expect(found.map(\.level) == [.trouble] && found.map(\.next) == ["df -h"])
    }

    @Test func `a policy engine that gives no answer is trouble, and else nothing is said of one`() {
        #expect(findings(.policy) { $0.agent = agent(attention: []) }.isEmpty)
        let said = AttentionReport(what: "the policy engine at X gives no answer", next: "curl X")
        let other = AttentionReport(what: "mdns does not work", next: "")
        let found = findings(.policy) { $0.agent = agent(attention: [other, said]) }
        #expect(found.map(\.level) == [.trouble] && found.map(\.next) == ["curl X"])
    }

    @Test func `a port that is taken is advice, and trouble where an operator chose it`() {
        func found(isChosen: Bool, _ error: String?) -> [DoctorFinding] {
            findings(.ports) {
                $0.port = .init(wanted: Endpoint("[::]:7410")!, isChosen: isChosen, error: error)
            }
        }
        #expect(found(isChosen: false, nil).map(\.level) == [.ok])
        #expect(found(isChosen: false, "address already in use").map(\.level) == [.advice])
        #expect(found(isChosen: true, "address already in use").map(\.level) == [.trouble])
        #expect(found(isChosen: true, "in use").map(\.next) == ["ss -ltnp 'sport = :7410'"])
    }

    @Test func `a link port on loopback only is told`() {
        #expect(findings(.ports) { $0.agent = agent(link: ["127.0.0.1:7410"]) }.map(\.level) == [.advice])
        #expect(findings(.ports) { $0.agent = agent() }.map(\.level) == [.ok])
    }

    @Test func `others who answer mean that mDNS crosses`() {
        let found = findings(.multicast) {
            $0.networks = [network(answering: ["10.0.0.2", "fe80::2"], error: "one was not sent")]
        }
        #expect(found.map(\.level) == [.ok])
        #expect(found[0].facts.contains(Fact("IPv4", "3 sent, 3 came back, 2 answered")))
        #expect(found[0].facts.contains(Fact("answered by", "10.0.0.2, fe80::2")))
    }

    @Test func `a container bridge is said as such, and is well where peers are found otherwise`() {
        let alone = findings(.multicast) { $0.networks = [network(.containerBridge)] }
        #expect(alone.map(\.level) == [.advice] && alone[0].what.contains("mDNS cannot cross"))
        #expect(alone[0].next == "comity pair HOST:PORT")
        let seeded = findings(.multicast) {
            $0.networks = [network(.containerBridge)]
            $0.agent = agent(
                discovery: [DiscoveryReport(method: "static", state: .working, detail: "2 addresses")])
        }
        #expect(seeded.map(\.level) == [.ok] && seeded[0].what.contains("peers are found otherwise"))
        let inside = findings(.multicast) {
            $0.networks = [network(.containerBridge, answering: ["172.17.0.2"])]
        }
        #expect(inside.map(\.level) == [.ok] && inside[0].what.contains("1 containers answer"))
    }

    @Test func `an interface without multicast, one that cannot send, a firewall and silence are told apart`()
    {
        func found(_ network: DoctorFacts.NetworkFacts) -> DoctorFinding? {
            findings(.multicast) { $0.networks = [network] }.first
        }
        let without = found(network(.tunnel, carriesMulticast: false))
        #expect(without?.level == .advice && without?.what.contains("carries no multicast") == true)
        let unsent = found(network(sent: 0, returned: 0, error: "Operation not permitted"))
        #expect(unsent?.level == .trouble && unsent?.what.contains("cannot be sent") == true)
        #expect(unsent?.facts.contains(Fact("because", "Operation not permitted")) == true)
        let dropped = found(network(returned: 0))
        #expect(dropped?.level == .advice && dropped?.next == "nft list ruleset")
        let silent = found(network())
        #expect(silent?.level == .advice && silent?.what.contains("nobody answers") == true)
        // Where nobody could listen for what comes back, nothing is made of it.
        #expect(found(network(returned: nil))?.what.contains("nobody answers") == true)
    }

    @Test func `no Avahi is trouble only where nothing else finds peers`() {
        let alone = findings(.avahi) { $0.avahi = .unavailable("no daemon") }
        #expect(alone.map(\.level) == [.trouble] && alone[0].next == "systemctl start avahi-daemon")
        let linked = findings(.avahi) {
            $0.avahi = .unavailable("no daemon")
            $0.agent = agent([peer("B")])
        }
        #expect(linked.map(\.level) == [.advice])
        #expect(findings(.avahi) { $0.avahi = .off }.map(\.level) == [.ok])
    }

    @Test func `a name that no name server knows is trouble`() {
        let found = findings(.names) {
            $0.names = [
                .init(name: "b.example", addresses: ["10.0.0.2"], error: nil),
                .init(name: "c.example", addresses: [], error: "Name or service not known"),
            ]
        }
        #expect(found.map(\.level) == [.ok, .trouble] && found[1].next == "getent hosts c.example")
    }

    @Test func `a witness that fails is trouble, with its own words`() {
        let found = findings(.witnesses) {
            $0.agent = agent(discovery: [
                DiscoveryReport(method: "consul", state: .failing, detail: "connection refused"),
                DiscoveryReport(method: "dns", state: .working, detail: "1 domain"),
                DiscoveryReport(method: "mdns", state: .failing, detail: "no daemon"),
                DiscoveryReport(method: "static", state: .off, detail: "none"),
            ])
        }
        #expect(found.map(\.level) == [.trouble, .ok] && found[0].what == "consul: connection refused")
    }

    @Test func `the clock that is off is this one when most peers say so`() {
        func found(_ skews: Double?...) -> [DoctorFinding] {
            findings(.clock) { facts in
                facts.agent = agent(skews.enumerated().map { peer("P\($0)", skew: $1) })
            }
        }
        #expect(found(nil).isEmpty)
        #expect(found(0.2, -1.9).map(\.level) == [.ok])
        #expect(found(30).map(\.next) == ["comity peer show P0"])
        let ours = found(30, 29, 0)
        #expect(ours.map(\.level) == [.advice] && ours[0].next == "timedatectl set-ntp true")
        #expect(found(-119.9, 0, 0).map(\.level) == [.advice])
        #expect(found(-120, 0, 0).map(\.level) == [.trouble])
        #expect(found(-200, -200).first?.what.contains("behind") == true)
    }

    @Test func `a peer's certificate that should have been made anew is told`() {
        #expect(
            findings(.certificates) { $0.agent = agent([peer("B", ends: .seconds(7_200))]) }.map(\.level)
                == [.ok])
        let found = findings(.certificates) {
            $0.agent = agent([peer("B"), peer("C", ends: .seconds(7_199))])
        }
        #expect(found.map(\.level) == [.advice] && found[0].what.contains("C showed"))
    }

    @Test func `this node's own certificate that was not made anew is trouble`() {
        func found(_ left: Duration) -> [DoctorFinding.Level] {
            findings(.certificates) { facts in
                facts.agent = agent()
                facts.agent?.status.node.certificateExpires = Timestamp(now + left)
            }.map(\.level)
        }
        #expect(found(.seconds(7_200)) == [.ok] && found(.seconds(7_199)) == [.trouble])
    }

    @Test func `who reaches whom is said for both ways`() {
        func found(_ inbound: [RefusalCode?], _ outbound: [RefusalCode?]) -> [DoctorFinding] {
            let here = Endpoint("10.0.0.1:7410")!
            return findings(.reach) { facts in
                var seen = agent([peer("B")])
                seen.reach = [
                    ReachReport(
                        peer: node("B", 2), inbound: inbound.map { .init(endpoint: here, because: $0) },
                        outbound: outbound.map { .init(endpoint: here, because: $0) }, clockSkewSeconds: 0)
                ]
                facts.agent = seen
            }
        }
        #expect(found([nil], [nil]).map(\.level) == [.ok])
        #expect(found([.peerUnreachable, nil], [nil]).map(\.level) == [.ok])
        let hidden = found([.peerUnreachable], [nil])
        #expect(hidden.map(\.level) == [.trouble] && hidden[0].next == "comity up --advertise HOST:PORT")
        #expect(found([], [nil]).map(\.next) == ["comity doctor"])
        let oneWay = found([nil], [.identityMismatch])
        #expect(oneWay.map(\.level) == [.ok, .advice] && oneWay[1].what.contains("B cannot be dialled"))
        let unlinked = findings(.reach) { $0.agent = agent() }
        #expect(unlinked.map(\.level) == [.advice])
    }

    @Test func `the page shows facts and the next command where something is to be done`() {
        let report = DoctorReport(findings: [
            DoctorFinding(.avahi, .ok, "the Avahi daemon answers", [Fact("hidden", "yes")]),
            DoctorFinding(
                .keys, .trouble, "/h/identity.key is open to others", [Fact("mode", "644")],
                next: "chmod 600 /h/identity.key"),
        ])
        let plain = Presentation(hasColour: false, width: 100, now: now, zone: .fixed(seconds: 0))
        let text = DoctorText.render(report, plain)
        #expect(text.contains("ok      avahi        the Avahi daemon answers\n"))
        #expect(text.contains("trouble keys         /h/identity.key is open to others\n"))
        #expect(text.contains("mode: 644") && text.contains("chmod 600 /h/identity.key"))
        #expect(!text.contains("hidden"))
    }
}
