import MeshBase
import MeshControl
import MeshDiscovery
import MeshGossip
import MeshNode
import MeshTrust

// Who is known.
extension ReportWriter {
    /// Every peer: trusted ones first, then those with which trust was begun or ended, then those only seen.
    var peers: [PeerReport] {
        let sightings = node.discovery.peers(at: now.instant)
        var seen = OrderedTable<NodeID, PeerSightings>()
        for sighting in sightings { if let id = sighting.node { seen[id] = sighting } }
        let known = node.trust.pins.peers.values.map { report(of: $0, seen: seen[$0.node]) }
        let convicted = node.trust.domains.convictions.values.filter { node.trust.pins[$0.node] == nil }
        let others = sightings.filter { sighting in
            sighting.node.map { node.trust.pins[$0] == nil && node.trust.domains.convictions[$0] == nil }
                ?? true
        }
        return (known + convicted.map { report(of: $0, seen: seen[$0.node]) } + others.map(report(ofSeen:)))
            .sorted { (rank(of: $0), $0.title) < (rank(of: $1), $1.title) }
    }

    /// One peer; nil when nothing at all is known of it.
    func peer(_ id: NodeID) -> PeerReport? {
        let seen = node.discovery.peer(id, at: now.instant)
        if let record = node.trust.pins[id] { return report(of: record, seen: seen) }
        if let conviction = node.trust.domains.convictions[id] { return report(of: conviction, seen: seen) }
        return seen.map(report(ofSeen:))
    }

    private func report(of record: PeerRecord, seen: PeerSightings?) -> PeerReport {
        let link = node.gossip.link(with: record.node)
        var report = PeerReport(
            name: record.name, id: record.node, words: words(of: record.pin),
            trust: PeerReport.Trust(record.state),
            link: PeerReport.Link(link?.condition, isMissed: isLinkMissed(record.node)),
            address: link?.relay == nil ? link?.remote : nil, relay: link?.relay.map(reference),
            endpoints: seen?.endpoints ?? [],
            witnesses: witnesses(seen), latencyMilliseconds: link?.roundTrip?.fractionalMilliseconds,
            clockSkewSeconds: link.map { $0.skew.fractionalMilliseconds / 1_000 },
            certificateExpires: link.map { Timestamp($0.certificateExpires) },
            trustedSince: record.state == .trusted ? Timestamp(record.since) : nil,
            membership: membership(of: record.node), evidence: [evidence(of: record)])
        report.drift = drift(with: record.node)
        return report
    }

    /// Trusted peers whose link is up, by node ID.
    func linkedPeers(atMost most: Int) -> [NodeID] {
        let linked = node.trust.pins.peers.values.filter {
            $0.state == .trusted && node.gossip.link(with: $0.node) != nil
        }
        return Array(linked.map(\.node).prefix(most))
    }

    /// Whether a link with the peer is missed while there is none: with a trusted one with which none is
    /// kept, it is opened when something needs it, unless that was tried of late and in vain.
    func isLinkMissed(_ id: NodeID) -> Bool {
        node.trust.pins[id]?.state != .trusted || node.overlay.isKept(id) || node.overlay.isAway(id)
    }

    private func report(ofSeen seen: PeerSightings) -> PeerReport {
        PeerReport(
            name: nil, id: seen.node, words: [], trust: .seen, link: .down, endpoints: seen.endpoints,
            witnesses: witnesses(seen))
    }

    private func report(of conviction: Conviction, seen: PeerSightings?) -> PeerReport {
        PeerReport(
            name: nil, id: conviction.node, words: [], trust: .suspended, link: .down,
            endpoints: seen?.endpoints ?? [], witnesses: witnesses(seen),
            evidence: [
                EvidenceReport(
                    time: Timestamp(conviction.since), what: "suspended: \(conviction.evidence)",
                    facts: [Fact("by", TrustEvidence.Kind.alarm.rawValue), Fact("met", "never")])
            ])
    }

    private func evidence(of record: PeerRecord) -> EvidenceReport {
        var facts = [Fact("by", record.evidence.kind.rawValue)]
        if let transcript = record.evidence.transcript { facts.append(Fact("transcript", transcript)) }
        if let boot = record.boot { facts.append(Fact("boot", boot.number)) }
        return EvidenceReport(
            time: Timestamp(record.since), what: "\(record.state.rawValue): \(record.evidence.note)",
            facts: facts)
    }

    /// One line for each place that a witness names, the freshest word first.
    private func witnesses(_ seen: PeerSightings?) -> [WitnessReport] {
        let lines = (seen?.hints ?? []).flatMap { hint in
            hint.endpoints.map { endpoint in
                WitnessReport(
                    witness: hint.key.witness.method, scope: hint.key.witness.scope,
                    ageSeconds: hint.lastSeen.fractionalMilliseconds / 1_000,
                    firstAgeSeconds: hint.firstSeen.fractionalMilliseconds / 1_000, endpoint: endpoint)
            }
        }
        return lines.sorted { $0.ageSeconds < $1.ageSeconds }
    }

    private func rank(of peer: PeerReport) -> Int {
        switch peer.trust {
        case .trusted: 0
        case .suspended, .verified, .pending: 1
        case .revoked: 2
        case .seen: 3
        }
    }
}

extension PeerReport.Trust {
    init(_ state: TrustState) {
        switch state {
        case .pending: self = .pending
        case .verified: self = .verified
        case .trusted: self = .trusted
        case .suspended: self = .suspended
        case .revoked: self = .revoked
        }
    }
}

extension PeerReport.Link {
    /// - Parameters:
    ///   - condition: nil without a link.
    ///   - isMissed: whether there should be one now.
    init(_ condition: LinkCondition?, isMissed: Bool) {
        switch condition {
        case .up?: self = .up
        case .degraded?: self = .degraded
        case nil: self = isMissed ? .down : .onDemand
        }
    }
}

extension Duration {
    /// For reports only: decisions are made in whole units.
    var fractionalMilliseconds: Double { Double(wholeNanoseconds) / 1_000_000 }
}
