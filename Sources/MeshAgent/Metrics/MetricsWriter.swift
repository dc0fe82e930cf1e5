import MeshBase
import MeshTelemetry

/// Puts the page of metrics together, under the names of the original federation, when somebody reads it.
struct MetricsWriter: Sendable {
    let plane: ControlPlane
    let surroundings: Surroundings
    let trust: TrustMeter

    /// The page as things stand.
    func page() async -> String {
        var page = MetricsPage()
        let discovery = surroundings.meter.snapshot
        page.add(requests(discovery))
        page.add(durations(discovery))
        let counts = trust.snapshot
        page.add(
            Self.outcomes(
                "federation_trust_establishment_total", help: "Peers with which trust was made, or was not.",
                counts.established, counts.notEstablished))
        page.add(
            Self.outcomes(
                "federation_trust_verification_total",
                help: "Handshakes that proved a trusted peer, or were refused here.", counts.verified,
                counts.refused))
        page.add(await expiries())
        return page.text
    }

    private func requests(_ discovery: OrderedTable<String, DiscoveryMeter.Counts>) -> MetricFamily {
        var family = MetricFamily(
            "federation_discovery_requests_total", .counter, help: "What witnesses of discovery asked.")
        for (method, counts) in discovery {
            for outcome in DiscoveryMeter.Outcome.allCases {
                family.sample(
                    .count(counts.requests(outcome)),
                    [(name: "method", value: method), (name: "status", value: outcome.rawValue)])
            }
        }
        return family
    }

    private func durations(_ discovery: OrderedTable<String, DiscoveryMeter.Counts>) -> MetricFamily {
        var family = MetricFamily(
            "federation_discovery_duration_seconds", .histogram, help: "How long their answers took.")
        for (method, counts) in discovery {
            family.distribution(
                of: counts.buckets, upTo: DiscoveryMeter.bounds, sum: counts.total,
                [(name: "method", value: method)])
        }
        return family
    }

    private static func outcomes(
        _ name: String, help: String, _ successes: UInt64, _ failures: UInt64
    ) -> MetricFamily {
        var family = MetricFamily(name, .counter, help: help)
        family.sample(.count(successes), [(name: "status", value: "success")])
        family.sample(.count(failures), [(name: "status", value: "failure")])
        return family
    }

    /// This node's certificate, and that of each peer with a link: at most one a trusted peer.
    private func expiries() async -> MetricFamily {
        var family = MetricFamily(
            "federation_certificate_expiry_days", .gauge,
            help: "Days until a node certificate ends: this node's, and those of peers with a link.")
        let now = SystemClock.now().wall
        let peers = await plane.report { writer in
            writer.node.trust.pins.peers.values.compactMap { peer in
                writer.node.gossip.link(with: peer.node).map { (peer.node, $0.certificateExpires) }
            }
        }
        let facts = surroundings.facts
        if let own = facts.identity?.node, let ends = facts.certificateEnds {
            family.sample(.days(ends - now), [(name: "node_id", value: own.description)])
        }
        for (node, ends) in peers {
            family.sample(.days(ends - now), [(name: "node_id", value: node.description)])
        }
        return family
    }
}
