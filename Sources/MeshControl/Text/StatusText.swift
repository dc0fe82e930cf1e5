import MeshBase

/// `comity status` and the first screen of `comity up`.
public enum StatusText {
    /// One screen: me, peers by state, resources, agreements, breakers, what needs attention.
    public static func render(_ report: StatusReport, _ presentation: Presentation) -> String {
        [
            identity(report, presentation), discovery(report.discovery, presentation),
            peers(report.peers, presentation),
            resources(report.resources, presentation), agreements(report, presentation),
            breakers(report.breakers, presentation), attention(report.attention, presentation),
        ].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// What `comity up` prints once it listens: name, words, where, which discovery methods work here, and
    /// the next command.
    public static func renderStart(_ report: StatusReport, _ presentation: Presentation) -> String {
        let hasPeers = report.peers.contains { $0.trust == .trusted }
        let commands =
            if hasPeers {
                [("comity status", "how things stand")]
            } else if report.node.membership != nil {
                [("comity domain show", "the domain's members, and who of them is reached")]
            } else {
                [
                    ("comity invite", "a line that another node joins this one with"),
                    ("comity join LINE", "join the node that made the line"),
                ]
            }
        var table = TextTable()
        for (command, meaning) in commands {
            table.add([.init(presentation.typed(command), .command), .init(meaning, .faint)])
        }
        return identity(report, presentation) + "\n" + discovery(report.discovery, presentation) + "\n"
            + presentation.ink(.bold, "next") + "\n" + table.render(presentation, indent: 2)
    }

    private static func identity(_ report: StatusReport, _ presentation: Presentation) -> String {
        let node = report.node
        var table = TextTable()
        table.add([.init("node", .faint), .init(node.id.description)])
        table.add([.init("words", .faint), .init(node.words.joined(separator: " "))])
        if let membership = node.membership {
            table.add([.init("domain", .faint), .init(DomainText.membership(membership))])
        }
        table.add([.init("up", .faint), .init(HumaneDuration.text(presentation.now - node.started.time))])
        let link = report.listening.link.map(\.description).joined(separator: "  ")
        table.add([.init("link", .faint), .init(link.isEmpty ? "not listening" : link)])
        let port = report.listening.gateway.map { "http://\($0)" }
        let gateway = [port, report.listening.gatewaySocket].compactMap { $0 }.joined(separator: "  ")
        table.add([.init("gateway", .faint), .init(gateway.isEmpty ? "off" : gateway)])
        return
            presentation.ink(.bold, node.name.description) + "  "
            + presentation.ink(.faint, "comity \(node.program)") + "\n"
            + table.render(presentation, indent: 2)
    }

    private static func discovery(_ methods: [DiscoveryReport], _ presentation: Presentation) -> String {
        var table = TextTable()
        for method in methods {
            let ink: Ink =
                switch method.state {
                case .working: .good
                case .failing: .warning
                case .off: .faint
                }
            table.add([
                .init(method.method), .init(method.state.rawValue, ink), .init(method.detail),
                .init(answer(of: method), .faint),
            ])
        }
        return section("discovery", table, presentation)
    }

    /// When it answered last, and how fast; empty where nothing did.
    private static func answer(of method: DiscoveryReport) -> String {
        guard let age = method.answerAgeSeconds, method.state != .off else { return "" }
        let took = method.answerMilliseconds.map { " in " + HumaneDuration.text(milliseconds: $0) } ?? ""
        return "answered \(HumaneDuration.text(seconds: age)) ago\(took)"
    }

    private static func peers(_ peers: [PeerReport], _ presentation: Presentation) -> String {
        let counts = PeerReport.Trust.allCases.reversed().compactMap { trust -> String? in
            let count = peers.count { $0.trust == trust }
            return count == 0 ? nil : "\(count) \(trust.rawValue)"
        }
        let title = counts.isEmpty ? "peers: none yet" : "peers: " + counts.joined(separator: ", ")
        let known = peers.filter { $0.trust != .seen }
        return presentation.ink(.bold, title) + "\n"
            + PeerText.table(known, presentation).render(presentation, indent: 2)
    }

    private static func resources(_ resources: [ResourceReport], _ presentation: Presentation) -> String {
        section("resources", ResourceText.table(resources), presentation)
    }

    private static func agreements(_ report: StatusReport, _ presentation: Presentation) -> String {
        let living = report.agreements.filter { $0.state != .ended && $0.state != .expired }
        var table = AgreementText.table(living, presentation)
        if let house = report.house { HouseText.add(house, to: &table, presentation) }
        return section("agreements", table, presentation)
    }

    private static func breakers(_ breakers: [BreakerReport], _ presentation: Presentation) -> String {
        var table = TextTable()
        for breaker in breakers {
            let what = breaker.peer.title + (breaker.resource.map { "/\($0)" } ?? " (link)")
            let probe = breaker.probeAt.map { "probe \(presentation.distance(to: $0))" } ?? ""
            table.add([
                .init(what), .init(breaker.state.rawValue, RouteText.ink(of: breaker.state)), .init(probe),
                .init(breaker.why),
            ])
        }
        return section("breakers", table, presentation)
    }

    private static func attention(_ items: [AttentionReport], _ presentation: Presentation) -> String {
        guard !items.isEmpty else { return "" }
        let lines = items.map { item in
            "  \(presentation.ink(.warning, "!")) \(item.what.madePrintable)\n"
                + ReasonText.next(item.next, presentation, indent: 4)
        }
        return presentation.ink(.bold, "needs attention") + "\n" + lines.joined()
    }

    private static func section(_ title: String, _ table: TextTable, _ presentation: Presentation) -> String {
        table.isEmpty ? "" : presentation.ink(.bold, title) + "\n" + table.render(presentation, indent: 2)
    }
}
