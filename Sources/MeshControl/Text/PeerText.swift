import MeshBase

/// `comity peers` and `comity peer show`.
public enum PeerText {
    /// All peers, one line each.
    public static func render(_ report: PeersReport, _ presentation: Presentation) -> String {
        guard !report.peers.isEmpty else {
            return "no peers yet\n" + ReasonText.next("comity invite", presentation)
        }
        return table(report.peers, presentation).render(presentation)
    }

    /// One peer, all that is known.
    public static func render(_ peer: PeerReport, _ presentation: Presentation) -> String {
        var table = TextTable()
        func add(_ name: String, _ value: String, _ ink: Ink? = nil) {
            if !value.isEmpty { table.add([.init(name, .faint), .init(value, ink)]) }
        }
        add("node", peer.id?.description ?? "")
        add("words", peer.words.joined(separator: " "))
        let since = peer.trustedSince.map { " since \(presentation.date($0))" } ?? ""
        add("trust", peer.trust.rawValue + since, ink(of: peer.trust))
        add("domain", peer.membership.map { membership($0, presentation) } ?? "")
        let place = peer.relay.map { " through \($0.title)" } ?? peer.address.map { " at \($0)" } ?? ""
        add("link", peer.link.rawValue + place, ink(of: peer.link))
        add("addresses", peer.endpoints.map(\.description).joined(separator: "  "))
        add("latency", peer.latencyMilliseconds.map { HumaneDuration.text(milliseconds: $0) } ?? "")
        add("clock", peer.clockSkewSeconds.map { skew($0) } ?? "")
        add("frames", peer.flow.map { flow($0) } ?? "")
        add("certificate", peer.certificateExpires.map { "ends \(presentation.distance(to: $0))" } ?? "")
        var text = presentation.ink(.bold, peer.title) + "\n" + table.render(presentation, indent: 2)
        text += witnesses(peer.witnesses, presentation) + drift(peer, presentation)
        guard !peer.evidence.isEmpty else { return text }
        text += "  " + presentation.ink(.faint, "evidence") + "\n"
        for piece in peer.evidence {
            text += "    \(presentation.date(piece.time))  \(piece.what.madePrintable)\n"
            text += ReasonText.facts(piece.facts, presentation, indent: 6)
        }
        return text
    }

    /// Where the two believe different things.
    private static func drift(_ peer: PeerReport, _ presentation: Presentation) -> String {
        guard let drift = peer.drift else { return "" }
        var text = "  " + presentation.ink(.warning, "drift") + " since \(presentation.date(drift.since))\n"
        for difference in drift.differences {
            text += "    \(difference.about.madePrintable)\n"
            text += ReasonText.facts(
                [Fact("here", difference.here), Fact("there", difference.there)], presentation, indent: 6)
        }
        return text
    }

    private static func membership(_ membership: MembershipReport, _ presentation: Presentation) -> String {
        DomainText.membership(membership) + ", ends \(presentation.distance(to: membership.until))"
    }

    static func table(_ peers: [PeerReport], _ presentation: Presentation) -> TextTable {
        // Who has no domain need not see an empty column.
        let hasDomains = peers.contains { $0.membership != nil }
        let headings = ["LINK", "LATENCY", "ADDRESS", "KNOWN BY", "WORDS"]
        var table = TextTable(["NAME", "TRUST"] + (hasDomains ? ["DOMAIN"] : []) + headings)
        for peer in peers {
            let address = (peer.address ?? peer.endpoints.first)?.description ?? "-"
            let place = peer.relay.map { "through \($0.title)" } ?? address
            let domain = TextTable.Cell(peer.membership.map(DomainText.membership) ?? "-")
            table.add(
                [
                    .init(peer.title), .init(peer.trust.rawValue, ink(of: peer.trust)),
                ] + (hasDomains ? [domain] : []) + [
                    .init(peer.link.rawValue, ink(of: peer.link)),
                    .init(peer.latencyMilliseconds.map { HumaneDuration.text(milliseconds: $0) } ?? "-"),
                    .init(place),
                    .init(kinds(of: peer.witnesses).joined(separator: ", ")),
                    .init(peer.words.prefix(4).joined(separator: " ")),
                ])
        }
        return table
    }

    /// Each kind of witness once, with the age of its latest word: one kind may have seen a peer at several
    /// addresses.
    private static func kinds(of witnesses: [WitnessReport]) -> [String] {
        var kinds: [String] = []
        for witness in witnesses where !kinds.contains(witness.witness) { kinds.append(witness.witness) }
        return kinds.map { kind in
            let age = witnesses.filter { $0.witness == kind }.map(\.ageSeconds).min() ?? 0
            return "\(kind) \(HumaneDuration.text(seconds: age))"
        }
    }

    private static func witnesses(_ witnesses: [WitnessReport], _ presentation: Presentation) -> String {
        var table = TextTable()
        for witness in witnesses {
            let place = witness.scope.map { " (\($0.madePrintable))" } ?? ""
            table.add([
                .init("known by", .faint), .init(witness.witness + place),
                .init("\(HumaneDuration.text(seconds: witness.ageSeconds)) ago"),
                .init(witness.endpoint?.description ?? ""),
            ])
        }
        return table.render(presentation, indent: 2)
    }

    private static func flow(_ flow: FlowReport) -> String {
        "\(flow.framesSent) sent, none waited for more than \(flow.longestWaitFrames); "
            + "\(flow.streams) streams open, at most \(flow.mostStreams) at once"
    }

    static func skew(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds.magnitude < 1e12 else { return "?" }
        if seconds.magnitude < 1 { return "agrees with ours" }
        let gap = HumaneDuration.text(.milliseconds(Int64(seconds.magnitude * 1_000)))
        return seconds > 0 ? "\(gap) ahead of ours" : "\(gap) behind ours"
    }

    private static func ink(of trust: PeerReport.Trust) -> Ink {
        switch trust {
        case .seen: .faint
        case .pending, .verified, .suspended: .warning
        case .trusted: .good
        case .revoked: .bad
        }
    }

    private static func ink(of link: PeerReport.Link) -> Ink {
        switch link {
        case .up: .good
        case .degraded: .warning
        case .onDemand: .faint
        case .down: .bad
        }
    }
}
