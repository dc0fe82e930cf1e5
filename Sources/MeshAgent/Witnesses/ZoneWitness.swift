import MeshBase
import MeshControl
import MeshDNS
import MeshDiscovery
import Synchronization

/// Unicast DNS: says which nodes the zones of the operator's domains list. It announces nothing: a zone
/// belongs to whoever keeps it.
///
/// Each domain is asked on a thread of its own; all are one way to find others, which works while all of
/// them do.
final class ZoneWitness: WitnessShell {
    /// How one domain fares.
    private struct Standing: Sendable {
        var listed: Int?
        var leftOut = 0
        var trouble: DNSTrouble?
        /// The instances that show this node's tag.
        var own: Set<String> = []
    }

    let method = "dns"
    private let tag: PublicTag
    private let domains: [String]
    private let server: Endpoint?
    private let allowsLoopback: Bool
    private let standings: Mutex<OrderedTable<String, Standing>>

    init(tag: PublicTag, configuration: AgentConfiguration.Discovery) {
        self.tag = tag
        domains = configuration.dns.domains
        server = configuration.dns.server
        allowsLoopback = configuration.allowsLoopback
        var standings = OrderedTable<String, Standing>()
        for domain in domains { standings[domain] = Standing() }
        self.standings = Mutex(standings)
    }

    func run(_ desk: WitnessDesk) async {
        let asked = server.map { "the name server \($0)" } ?? "the machine's name servers"
        desk.stand(.working, "asking \(asked)")
        let witnesses = domains.map { domain in
            guard let configuration = DNSConfiguration(domain: domain, server: server) else {
                preconditionFailure("the configuration let through \(domain), which is no domain")
            }
            return DNSWitness(configuration) { event in self.take(event, of: domain, desk) }
        }
        await untilCancelled()
        for witness in witnesses { witness.close() }
    }

    private func take(_ event: DNSEvent, of domain: String, _ desk: WitnessDesk) {
        switch event {
        case .asked(let trouble, let took):
            let isAnswered = trouble == nil || trouble == .noSuchName
            desk.count(isAnswered ? .success : .failure, took: isAnswered ? took : nil)
        case .listed(let count, let leftOut):
            change(domain, desk) { standing in
                standing.listed = count
                standing.leftOut = leftOut
                standing.trouble = nil
            }
        case .failed(let trouble): change(domain, desk) { $0.trouble = trouble }
        case .sighted(let sighting): take(sighting, of: domain, desk)
        case .withdrawn(let instance):
            desk.withdraw(key(of: instance, in: domain))
            change(domain, desk) { $0.own.remove(instance) }
        }
    }

    private func take(_ sighting: DNSSighting, of domain: String, _ desk: WitnessDesk) {
        let endpoints = sighting.endpoints.filter { allowsLoopback || !$0.isLoopback }
        guard !endpoints.isEmpty,
            let shown = PublicTag.read(
                version: sighting.txt[PublicTag.versionKey], tag: sighting.txt[PublicTag.tagKey])
        else { return }
        if tag.isMine(shown) { change(domain, desk) { $0.own.insert(sighting.instance) } }
        desk.sight(
            Sighting(
                key: key(of: sighting.instance, in: domain), endpoints: endpoints, claim: .tag(shown),
                life: sighting.life))
    }

    private func key(of instance: String, in domain: String) -> SightingKey {
        SightingKey(witness: .dns(domain: domain), source: instance)
    }

    // MARK: How it fares, in words

    private func change(_ domain: String, _ desk: WitnessDesk, _ change: (inout Standing) -> Void) {
        let (state, detail) = standings.withLock { standings in
            standings.update(domain) { change(&$0) }
            let isFailing = standings.values.contains { $0.trouble != nil }
            let detail = standings.map { words(on: $0.0, $0.1) }.joined(separator: "; ")
            return (isFailing ? DiscoveryReport.State.failing : .working, detail)
        }
        desk.stand(state, detail)
    }

    private func words(on domain: String, _ standing: Standing) -> String {
        let place = "\(domain)\(server.map { " at \($0)" } ?? "")"
        if let trouble = standing.trouble { return "\(place): \(trouble)" }
        guard let listed = standing.listed else { return "\(place): no answer yet" }
        var words = "\(place): \(listed) \(listed == 1 ? "instance" : "instances")"
        if standing.leftOut > 0 { words += " and \(standing.leftOut) more than are looked at" }
        if standing.own.isEmpty { words += "; not among them this node: its TXT would be \(tag.zoneText)" }
        return words
    }
}
