import MeshAgreements
import MeshBase
import MeshControl
import MeshNode
import MeshTrust

// One screen of how things stand.
extension ReportWriter {
    /// What a status says besides the node's own state.
    struct Circumstances: Sendable {
        /// When this run began.
        var started: WallTime
        /// When this node's certificate ends; nil before the first is made.
        var certificateEnds: WallTime?
        var listening: ListeningReport
        var discovery: [DiscoveryReport]
        /// Every breaker that is not at rest.
        var breakers: [BreakerReport]
        /// Why nothing can be decided for good; nil while the store is well.
        var storeTrouble: String?
        /// Where the policy engine is that gives no answer, and since when; nil: it does.
        var policyOutage: PolicyOutage?
        /// Resources of this node that refuse calls because they have as much to do as they can.
        var crowded: [(resource: ResourceName, load: LoadReport)] = []

        /// An engine that gives no answer.
        struct PolicyOutage: Sendable {
            let url: String
            let outage: ExternalOutage
        }
    }

    func status(_ circumstances: Circumstances) -> StatusReport {
        let own = node.me
        let peers = peers
        return StatusReport(
            node: NodeReport(
                name: own.name, id: own.node, words: ownWords, boot: own.boot.number,
                membership: ownMembership,
                certificateExpires: circumstances.certificateEnds.map { Timestamp($0) },
                started: Timestamp(circumstances.started), program: ProgramVersion.text),
            listening: circumstances.listening, discovery: circumstances.discovery, peers: peers,
            resources: resources,
            agreements: agreements, house: house, breakers: circumstances.breakers,
            attention: driftAttention + attention(circumstances, peers: peers))
    }

    /// What a person should look at, most urgent first.
    private func attention(_ circumstances: Circumstances, peers: [PeerReport]) -> [AttentionReport] {
        storeAttention(circumstances) + policyAttention(circumstances) + damageAttention
            + peopleDamageAttention + alarmAttention + departureAttention + clockAttention(peers)
            + breakerAttention(circumstances) + crowdAttention(circumstances)
            + domainAttention + approvalAttention + expiryAttention + quotaAttention
            + houseAttention
            + discoveryAttention(circumstances)
    }

    private func storeAttention(_ circumstances: Circumstances) -> [AttentionReport] {
        guard let trouble = circumstances.storeTrouble else { return [] }
        return [
            AttentionReport(
                what: "the store cannot be written, so nothing is decided until it can: \(trouble)",
                next: "df -h")
        ]
    }

    /// Without its answers no call passes that it is asked about. OPA's "Health API" needs no token.
    private func policyAttention(_ circumstances: Circumstances) -> [AttentionReport] {
        guard let found = circumstances.policyOutage else { return [] }
        let outage = found.outage
        return [
            AttentionReport(
                what: "the policy engine at \(found.url) gives no answer since "
                    + "\(RFC3339.text(outage.since)), so what it is asked about is refused "
                    + "(\(outage.questions) so far): \(outage.why)",
                next: "curl -sS \(found.url)/health")
        ]
    }

    /// What an operator did needs no reminder; what an alarm did does.
    private var alarmAttention: [AttentionReport] {
        let met = node.trust.pins.peers.values.filter { $0.state == .suspended && $0.evidence.kind == .alarm }
            .map { peer in
                AttentionReport(
                    what: "\(peer.name) is suspended by an alarm: \(peer.evidence.note)",
                    next: "comity explain peer \(peer.name)")
            }
        let others = node.trust.domains.convictions.values.map { conviction in
            AttentionReport(
                what: "\(title(conviction.node)), a member that was never met, is suspended by an alarm: "
                    + conviction.evidence,
                next: "comity peer show \(conviction.node)")
        }
        return met + others
    }

    /// Who said that it never comes back.
    private var departureAttention: [AttentionReport] {
        node.trust.pins.peers.values.filter { $0.state == .suspended && $0.evidence.kind == .peer }.map {
            peer in
            AttentionReport(
                what: "\(peer.name) left the mesh for good", next: "comity peer forget \(peer.name)")
        }
    }

    private func clockAttention(_ peers: [PeerReport]) -> [AttentionReport] {
        let warned = Limits.clockSkewWarned.fractionalMilliseconds / 1_000
        return peers.compactMap { peer in
            guard let skew = peer.clockSkewSeconds, skew.magnitude > warned else { return nil }
            let seconds = Int(skew.magnitude.rounded())
            let direction = skew > 0 ? "ahead of" : "behind"
            return AttentionReport(
                what:
                    "the clock of \(peer.title) is \(seconds) s \(direction) this node's",
                next: Remedy.command(after: .clockSkew))
        }
    }

    private func breakerAttention(_ circumstances: Circumstances) -> [AttentionReport] {
        circumstances.breakers.filter { $0.state == .open }.map { breaker in
            let what =
                breaker.resource.map { "calls to \(breaker.peer.title)/\($0)" }
                ?? "calls over the link to \(breaker.peer.title)"
            let next = breaker.resource == nil ? "comity explain peer \(breaker.peer.title)" : "comity routes"
            return AttentionReport(what: "\(what) are held back: \(breaker.why)", next: next)
        }
    }

    private func crowdAttention(_ circumstances: Circumstances) -> [AttentionReport] {
        circumstances.crowded.map { resource, load in
            let limit = load.limit.map { "at most \($0) at once, " } ?? ""
            return AttentionReport(
                what: "\(resource) answers slowly because of how much it has to do, so calls are refused: "
                    + limit + "\(load.refused) since the start",
                next: "comity routes")
        }
    }

    private func discoveryAttention(_ circumstances: Circumstances) -> [AttentionReport] {
        circumstances.discovery.filter { $0.state == .failing }.map { method in
            AttentionReport(
                what: "\(method.method) does not work: \(method.detail)",
                next: method.method == "mdns" ? "systemctl start avahi-daemon" : "comity config show")
        }
    }
}
