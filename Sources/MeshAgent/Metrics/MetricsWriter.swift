import MeshBase
import MeshGossip
import MeshNode
import MeshTelemetry

/// Puts the page of metrics together, under the names of the original federation, when somebody reads it.
struct MetricsWriter: Sendable {
    let plane: ControlPlane
    let surroundings: Surroundings
    let trust: TrustMeter
    /// Nil once nobody carries calls any more.
    let calls: @Sendable () -> CallStanding?

    /// What calls are like, at one moment.
    struct CallStanding: Sendable {
        let tally: CallTally
        let breakers: OrderedTable<NodeID, BreakerCondition>
        /// How often answers from memory came about, by result.
        let kept: [(result: String, times: UInt64)]
    }

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
        let links = await links()
        page.add(expiries(links))
        page.add(health(links))
        if let calls = calls() { for family in Self.families(calls) { page.add(family) } }
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
            family.distribution(counts.durations, [(name: "method", value: method)])
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

    /// A trusted peer, and its link.
    private struct PeerLink: Sendable {
        let node: NodeID
        let link: LinkStatus?
        let isMissed: Bool
    }

    private func links() async -> [PeerLink] {
        await plane.report { writer in
            writer.node.trust.pins.peers.values.filter { $0.state == .trusted }.map {
                PeerLink(
                    node: $0.node, link: writer.node.gossip.link(with: $0.node),
                    isMissed: writer.isLinkMissed($0.node))
            }
        }
    }

    /// This node's certificate, and that of each peer with a link: at most one a trusted peer.
    private func expiries(_ links: [PeerLink]) -> MetricFamily {
        var family = MetricFamily(
            "federation_certificate_expiry_days", .gauge,
            help: "Days until a node certificate ends: this node's, and those of peers with a link.")
        let now = SystemClock.now().wall
        let facts = surroundings.facts
        if let own = facts.identity?.node, let ends = facts.certificateEnds {
            family.sample(.days(ends - now), [(name: "node_id", value: own.description)])
        }
        for peer in links {
            guard let link = peer.link else { continue }
            family.sample(
                .days(link.certificateExpires - now), [(name: "node_id", value: peer.node.description)])
        }
        return family
    }

    private func health(_ links: [PeerLink]) -> MetricFamily {
        var family = MetricFamily(
            "federation_node_health_status", .gauge,
            help: "Links with trusted peers: 0 there is none, 1 it misses signs of life, 2 it lives.")
        // Of one that nothing needs there is nothing to be said: a missing link is a failure here.
        for peer in links where peer.link != nil || peer.isMissed {
            let status: UInt64 =
                switch peer.link?.condition {
                case nil: 0
                case .degraded: 1
                case .up: 2
                }
            family.sample(.count(status), [(name: "node", value: peer.node.description)])
        }
        return family
    }

    // MARK: Calls

    private static func families(_ calls: CallStanding) -> [MetricFamily] {
        var lookups = MetricFamily(
            "federation_route_lookups_total", .counter,
            help: "Calls of applications here for which a way was looked for.")
        for (resource, count) in calls.tally.lookups {
            lookups.sample(.count(count), [(name: "resource_id", value: resource.description)])
        }
        if calls.tally.otherLookups > 0 {
            lookups.sample(.count(calls.tally.otherLookups), [(name: "resource_id", value: "")])
        }
        var requests = MetricFamily(
            "federation_invocation_requests_total", .counter,
            help: "Calls of applications here, by the node that was tried last.")
        var durations = MetricFamily(
            "federation_invocation_duration_seconds", .histogram,
            help: "How long the calls took that were not refused here.")
        for (node, ends) in calls.tally.ends {
            let label = (name: "node", value: node.description)
            for outcome in CallTally.Outcome.allCases {
                requests.sample(
                    .count(ends.count(outcome)), [label, (name: "status", value: outcome.rawValue)])
            }
            durations.distribution(ends.durations, [label])
        }
        var breakers = MetricFamily(
            "federation_circuit_breaker_state", .gauge,
            help: "Breakers of a node's link and resources together: 0 closed, 1 open, 2 half-open.")
        for (node, condition) in calls.breakers {
            breakers.sample(.count(UInt64(condition.rawValue)), [(name: "node", value: node.description)])
        }
        var kept = MetricFamily(
            "federation_cache_answers_total", .counter,
            help: "Answers from memory (hit, stale), and those that were asked for and may be kept (miss).")
        for (result, times) in calls.kept {
            kept.sample(.count(times), [(name: "result", value: result)])
        }
        return [lookups, requests, durations, breakers, kept]
    }
}
