import MeshBase

/// Says what the facts mean: which is as it should be, which is advice, which is trouble, and the command
/// that would change it. It looks at nothing by itself.
public struct DoctorJudgement: Sendable {
    let facts: DoctorFacts
    let now: WallTime

    /// Below so much room an agent soon admits no call: nothing is acknowledged that the audit cannot hold.
    private static let roomNeeded: Int64 = 64 << 20
    /// Below so much it is time to look.
    private static let roomAdvised: Int64 = 1 << 30
    /// From so many seconds on, clocks are said to differ.
    static let skewTold = 2.0

    public init(_ facts: DoctorFacts, at now: WallTime) {
        self.facts = facts
        self.now = now
    }

    /// All findings, in the order in which things rest on one another.
    public var report: DoctorReport {
        DoctorReport(
            findings: home + keys + store + policy + agent + ports + multicast + avahi + names + witnesses
                + clock + certificates + domain + reach)
    }

    // MARK: This machine

    var home: [DoctorFinding] {
        guard !facts.home.exists else { return [] }
        return [
            DoctorFinding(
                .home, .advice, "there is no home yet", [Fact("home", facts.home.path)], next: "comity up")
        ]
    }

    var keys: [DoctorFinding] {
        guard facts.home.exists else { return [] }
        let wrong = facts.home.secrets.compactMap { file -> DoctorFinding? in
            let mode = String(file.permissions, radix: 8)
            let seen = [Fact("file", file.path), Fact("mode", mode)]
            guard file.isOwn else {
                return DoctorFinding(
                    .keys, .trouble, "\(file.path) belongs to another user", seen,
                    next: "chown \"$(id -u)\" \(file.path)")
            }
            guard file.permissions & 0o077 != 0 else { return nil }
            let needed = file.isFolder ? "700" : "600"
            return DoctorFinding(
                .keys, .trouble, "\(file.path) is open to others", seen + [Fact("needed", needed)],
                next: "chmod \(needed) \(file.path)")
        }
        guard wrong.isEmpty, !facts.home.secrets.isEmpty else { return wrong }
        return [
            DoctorFinding(
                .keys, .ok, "the home and its keys are this user's alone",
                [Fact("looked at", facts.home.secrets.count)])
        ]
    }

    var store: [DoctorFinding] {
        guard facts.home.exists else { return [] }
        var found: [DoctorFinding] = []
        for trouble in facts.agent?.status.attention ?? [] where trouble.what.hasPrefix("the store ") {
            found.append(DoctorFinding(.store, .trouble, trouble.what, next: trouble.next))
        }
        guard facts.home.isWritable else {
            return found + [
                DoctorFinding(
                    .store, .trouble, "the home cannot be written", [Fact("home", facts.home.path)],
                    next: "findmnt --target \(facts.home.path)")
            ]
        }
        guard let free = facts.home.freeBytes else { return found }
        let room = [Fact("free", "\(free >> 20) MiB"), Fact("needed", "\(Self.roomNeeded >> 20) MiB")]
        let disk = "df -h \(facts.home.path)"
        if free < Self.roomNeeded {
            found.append(
                DoctorFinding(.store, .trouble, "the disk is full: calls are refused soon", room, next: disk))
        } else if free < Self.roomAdvised {
            found.append(DoctorFinding(.store, .advice, "little room is left on the disk", room, next: disk))
        } else if found.isEmpty {
            found.append(DoctorFinding(.store, .ok, "the store can be written, with room", room))
        }
        return found
    }

    /// Only the agent knows, from the calls that it asked about.
    var policy: [DoctorFinding] {
        (facts.agent?.status.attention ?? []).filter { $0.what.hasPrefix("the policy engine ") }
            .map { DoctorFinding(.policy, .trouble, $0.what, next: $0.next) }
    }

    var agent: [DoctorFinding] {
        guard let agent = facts.agent else {
            guard facts.home.exists else { return [] }
            return [
                DoctorFinding(
                    .agent, .advice, "no agent runs here: what only it knows was not looked at",
                    [Fact("home", facts.home.path)], next: "comity up")
            ]
        }
        return [
            DoctorFinding(
                .agent, .ok, "the agent runs",
                [Fact("node", agent.status.node.name), Fact("program", agent.status.node.program)])
        ]
    }

    var ports: [DoctorFinding] {
        if let port = facts.port {
            let seen = [Fact("port", port.wanted)] + (port.error.map { [Fact("because", $0)] } ?? [])
            guard port.error != nil else {
                return [DoctorFinding(.ports, .ok, "the link port is free", seen)]
            }
            let holders = "ss -ltnp 'sport = :\(port.wanted.port)'"
            guard port.isChosen else {
                return [
                    DoctorFinding(
                        .ports, .advice, "the link port is taken; the next free one will be used", seen,
                        next: holders)
                ]
            }
            return [
                DoctorFinding(
                    .ports, .trouble, "the link port that was chosen cannot be had: the agent will not start",
                    seen, next: holders)
            ]
        }
        guard let listening = facts.agent?.status.listening else { return [] }
        let places = listening.link.map(\.description).joined(separator: ", ")
        guard listening.link.contains(where: { !$0.isLoopback }) else {
            return [
                DoctorFinding(
                    .ports, .advice, "only this machine can connect to the link port",
                    [Fact("link", places)], next: "comity up --listen '[::]:7410'")
            ]
        }
        return [DoctorFinding(.ports, .ok, "peers can be told where to connect", [Fact("link", places)])]
    }

    // MARK: Finding others

    /// Whether peers are found by something else than mDNS.
    private var isSeeded: Bool {
        facts.agent?.status.discovery.contains { $0.method != "mdns" && $0.state == .working } ?? false
            || facts.agent?.status.peers.contains { $0.trust == .trusted && $0.link.isUp } ?? false
    }

    var multicast: [DoctorFinding] { facts.networks.map(finding(of:)) }

    private func finding(of network: DoctorFacts.NetworkFacts) -> DoctorFinding {
        let name = network.name
        let seen = network.probes.map { probe in
            let back = probe.returned.map { ", \($0) came back" } ?? ""
            return Fact(probe.family, "\(probe.sent) sent\(back), \(probe.answering.count) answered")
        }
        let answering = Set(network.probes.flatMap(\.answering)).sorted()
        let others = "comity pair HOST:PORT"
        if !answering.isEmpty {
            let who = network.kind == .containerBridge ? "containers" : "others"
            return DoctorFinding(
                .multicast, .ok, "\(name): mDNS crosses, \(answering.count) \(who) answer",
                seen + [Fact("answered by", answering.prefix(8).joined(separator: ", "))])
        }
        if network.kind == .containerBridge {
            return DoctorFinding(
                .multicast, isSeeded ? .ok : .advice,
                "\(name) is a container bridge: mDNS cannot cross it to other hosts, "
                    + (isSeeded ? "peers are found otherwise" : "peers beyond it need an address"),
                seen, next: isSeeded ? nil : others)
        }
        guard network.carriesMulticast else {
            return DoctorFinding(
                .multicast, isSeeded ? .ok : .advice,
                "\(name) carries no multicast: mDNS cannot work on it, "
                    + (isSeeded ? "peers are found otherwise" : "peers there need an address"),
                seen, next: isSeeded ? nil : others)
        }
        if let error = network.probes.lazy.compactMap(\.error).first,
            network.probes.allSatisfy({ $0.sent == 0 })
        {
            return DoctorFinding(
                .multicast, .trouble, "\(name): multicast cannot be sent", seen + [Fact("because", error)],
                next: "ip -d link show dev \(name)")
        }
        if network.probes.contains(where: { $0.sent > 0 && $0.returned == 0 }) {
            return DoctorFinding(
                .multicast, .advice,
                "\(name): what this host sends by multicast does not even come back to itself: "
                    + "a firewall drops UDP port 5353", seen, next: "nft list ruleset")
        }
        return DoctorFinding(
            .multicast, isSeeded ? .ok : .advice,
            "\(name): nobody answers mDNS: nobody is there, or the network does not carry it",
            seen, next: isSeeded ? nil : others)
    }

    var avahi: [DoctorFinding] {
        switch facts.avahi {
        case .off: [DoctorFinding(.avahi, .ok, "mDNS is off by discovery.avahi")]
        case .running: [DoctorFinding(.avahi, .ok, "the Avahi daemon answers")]
        case .unavailable(let reason):
            [
                DoctorFinding(
                    .avahi, isSeeded ? .advice : .trouble,
                    isSeeded
                        ? "no Avahi daemon: mDNS does not work here, peers are found otherwise"
                        : "no Avahi daemon: nobody on the local network is found",
                    [Fact("because", reason)], next: "systemctl start avahi-daemon")
            ]
        }
    }

    var names: [DoctorFinding] {
        facts.names.map { name in
            guard let error = name.error else {
                return DoctorFinding(
                    .names, .ok, "\(name.name) is found by the name server",
                    [Fact("addresses", name.addresses.prefix(4).joined(separator: ", "))])
            }
            return DoctorFinding(
                .names, .trouble, "\(name.name), an address of discovery.static, is found by no name server",
                [Fact("because", error)], next: "getent hosts \(name.name)")
        }
    }

    /// What the agent says of its other ways to find peers.
    var witnesses: [DoctorFinding] {
        (facts.agent?.status.discovery ?? []).filter { $0.method != "mdns" && $0.state != .off }.map { way in
            DoctorFinding(
                .witnesses, way.state == .working ? .ok : .trouble, "\(way.method): \(way.detail)",
                next: way.state == .working ? nil : "comity config show")
        }
    }
}
