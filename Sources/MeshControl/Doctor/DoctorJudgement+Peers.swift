import MeshBase

// What peers show: time, certificates, ways to one another.
extension DoctorJudgement {
    var clock: [DoctorFinding] {
        let skews = (facts.agent?.status.peers ?? []).compactMap { peer in
            peer.clockSkewSeconds.map { (peer, $0) }
        }
        guard let (worst, skew) = skews.max(by: { $0.1.magnitude < $1.1.magnitude }) else { return [] }
        let seen = [
            Fact("peers", skews.count), Fact("most", "\(worst.title): \(PeerText.skew(skew))"),
        ]
        guard skew.magnitude >= Self.skewTold else {
            return [DoctorFinding(.clock, .ok, "this clock agrees with those of peers", seen)]
        }
        // When most clocks are off in one direction, it is this one that is.
        let ahead = skews.count { $0.1 >= Self.skewTold }
        let behind = skews.count { $0.1 <= -Self.skewTold }
        let isOurs = skews.count > 1 && max(ahead, behind) * 2 > skews.count
        let warned = Double(Limits.clockSkewWarned.wholeMilliseconds) / 1_000
        return [
            DoctorFinding(
                .clock, skew.magnitude >= warned ? .trouble : .advice,
                isOurs
                    ? "this clock is off: most peers' clocks are \(ahead > behind ? "ahead" : "behind")"
                    : "the clocks of this node and of \(worst.title) differ",
                seen + [Fact("refused beyond", "\(Limits.clockSkewRefused.wholeMilliseconds / 1_000) s")],
                next: isOurs ? "timedatectl set-ntp true" : "comity peer show \(worst.title)")
        ]
    }

    /// A certificate lives for a day and is made anew at two thirds: one that has less than two hours is not.
    private static let certificateLeft: Duration = .seconds(2 * 3_600)

    var certificates: [DoctorFinding] { ownCertificate + shownCertificates }

    private var ownCertificate: [DoctorFinding] {
        guard let end = facts.agent?.status.node.certificateExpires?.time else { return [] }
        let seen = [
            Fact("until", RFC3339.text(end)),
            Fact("hours left", max(0, (end - now).wholeMilliseconds / 3_600_000)),
        ]
        guard end - now < Self.certificateLeft else {
            return [DoctorFinding(.certificates, .ok, "this node's certificate is fresh", seen)]
        }
        return [
            DoctorFinding(
                .certificates, .trouble, "this node's certificate was not made anew: peers refuse it soon",
                seen + [Fact("now", RFC3339.text(now))], next: "comity status")
        ]
    }

    private var shownCertificates: [DoctorFinding] {
        let shown = (facts.agent?.status.peers ?? []).filter { $0.link.isUp }
            .compactMap { peer in peer.certificateExpires.map { (peer, $0.time) } }
        let ending = shown.filter { $0.1 - now < Self.certificateLeft }
        guard let (peer, end) = ending.min(by: { $0.1 < $1.1 }) else {
            guard !shown.isEmpty else { return [] }
            return [
                DoctorFinding(
                    .certificates, .ok, "the certificates of linked peers are fresh",
                    [Fact("peers", shown.count)])
            ]
        }
        return [
            DoctorFinding(
                .certificates, .advice, "\(peer.title) showed a certificate that is nearly over",
                [Fact("until", RFC3339.text(end)), Fact("now", RFC3339.text(now))],
                next: "comity peer show \(peer.title)")
        ]
    }

    var reach: [DoctorFinding] {
        guard let agent = facts.agent else { return [] }
        guard !agent.reach.isEmpty else {
            return [
                DoctorFinding(
                    .reach, .advice, "no peer has a link, so who reaches whom is not proved",
                    [Fact("trusted", agent.status.peers.count { $0.trust == .trusted })],
                    next: "comity peers")
            ]
        }
        var found = agent.reach.compactMap(outbound)
        let tried = agent.reach.flatMap(\.inbound)
        let reaching = agent.reach.filter { $0.inbound.contains(where: \.isReached) }
        if let first = reaching.first, let place = first.inbound.first(where: \.isReached) {
            found.insert(
                DoctorFinding(
                    .reach, .ok, "peers reach this node",
                    [Fact("peers", "\(reaching.count) of \(agent.reach.count)"), Fact("at", place.endpoint)]),
                at: 0)
        } else if tried.isEmpty {
            found.insert(
                DoctorFinding(
                    .reach, .advice, "no peer tried to reach this node: each does so once in ten seconds",
                    next: "comity doctor"), at: 0)
        } else {
            let places = Set(tried.map(\.endpoint.description)).sorted().joined(separator: ", ")
            found.insert(
                DoctorFinding(
                    .reach, .trouble,
                    "no peer reaches this node: it stands behind a firewall or an address translation. "
                        + "It dials out, and two such nodes need a forwarded port",
                    [Fact("tried", places)], next: "comity up --advertise HOST:PORT"), at: 0)
        }
        return found
    }

    /// A peer that has a link and cannot be dialled will not be back before it dials by itself.
    private func outbound(_ reach: ReachReport) -> DoctorFinding? {
        guard !reach.outbound.isEmpty, !reach.outbound.contains(where: \.isReached) else { return nil }
        let tried = reach.outbound.map { "\($0.endpoint) (\($0.because ?? "no answer"))" }
        return DoctorFinding(
            .reach, .advice, "\(reach.peer.title) cannot be dialled: the link is one that it dialled",
            [Fact("tried", tried.joined(separator: ", "))], next: "comity peer show \(reach.peer.title)")
    }
}
