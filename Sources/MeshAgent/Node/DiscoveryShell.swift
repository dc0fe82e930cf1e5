import Logging
import MeshAvahi
import MeshBase
import MeshControl
import MeshCredentials
import MeshDiscovery
import MeshNode
import Synchronization

/// The witnesses of this machine: the operator's list, and mDNS through Avahi. It translates what they say
/// into sightings.
final class DiscoveryShell: Sendable {
    private let node: NodeID
    private let configuration: AgentConfiguration.Discovery
    private let inputs: Mailbox<NodeInput>
    private let surroundings: Surroundings
    private let log: Logger
    private let witness = Mutex<AvahiWitness?>(nil)

    /// A service that was not seen again for two and a half renewals of the browser is gone.
    private static let sightingLife: Duration = .seconds(150)

    init(
        node: NodeID, configuration: AgentConfiguration.Discovery, inputs: Mailbox<NodeInput>,
        surroundings: Surroundings,
        log: Logger
    ) {
        self.node = node
        self.configuration = configuration
        self.inputs = inputs
        self.surroundings = surroundings
        self.log = log
    }

    /// Begins to look, and to announce that this node listens on `port`.
    func start(port: UInt16) {
        tellStaticList()
        guard configuration.isAvahiOn else {
            return surroundings.set(method: "mdns", state: .off, detail: "discovery.avahi is off")
        }
        surroundings.set(method: "mdns", state: .working, detail: "looking for the Avahi daemon")
        do {
            let announcement = AvahiAnnouncement(port: port, txt: announcedText())
            let made = try AvahiWitness(announcing: announcement) { [weak self] event in self?.take(event) }
            witness.withLock { $0 = made }
        } catch {
            surroundings.set(method: "mdns", state: .failing, detail: "\(error)")
        }
    }

    /// Keeps the announced tag that of the hour, until the task is cancelled.
    func keepTagFresh() async {
        while !Task.isCancelled {
            let intoHour = SystemClock.now().wall.milliseconds % 3_600_000
            do {
                try await Task.sleep(for: .milliseconds(3_600_000 - intoHour + 1_000))
            } catch {
                return
            }
            let text = announcedText()
            witness.withLock { $0?.update(txt: text) }
        }
    }

    /// Says goodbye.
    func stop() {
        let open = witness.withLock { witness in
            defer { witness = nil }
            return witness
        }
        open?.close()
    }

    private func tellStaticList() {
        let entries = configuration.static
        surroundings.set(
            method: "static", state: entries.isEmpty ? .off : .working,
            detail: entries.isEmpty ? "discovery.static is empty" : "\(entries.count) in discovery.static")
        for entry in entries {
            let key = SightingKey(witness: .staticList, source: entry.endpoint.description)
            let claim: Sighting.Claim = entry.node.map { .node($0) } ?? .nobody
            inputs.post(.sighted(Sighting(key: key, endpoints: [entry.endpoint], claim: claim, life: nil)))
        }
    }

    /// A version, and a tag that only those recognise who hold this node's ID (protocol section 3).
    private func announcedText() -> TXTRecord {
        let hour = SightingTag.hour(of: SystemClock.now().wall)
        return TXTRecord([
            .init("v", "1"), .init("t", SightingTag(of: node, hour: hour, using: SystemSuite()).description),
        ])
    }

    private func take(_ event: AvahiEvent) {
        switch event {
        case .running: surroundings.set(method: "mdns", state: .working, detail: "through Avahi")
        case .announced:
            surroundings.set(method: "mdns", state: .working, detail: "announcing and browsing through Avahi")
        case .unavailable(let reason), .browsingFailed(let reason), .announcementFailed(let reason):
            surroundings.set(method: "mdns", state: .failing, detail: reason)
        case .collision: break
        case .sighted(let sighting): take(sighting)
        case .withdrawn(let service): inputs.post(.withdrawn(key(of: service)), .droppable)
        }
    }

    private func take(_ sighting: AvahiSighting) {
        guard !sighting.isOwn, sighting.txt["v"] == "1",
            let tag = sighting.txt["t"].flatMap({ SightingTag($0) }),
            configuration.allowsLoopback || !sighting.endpoint.isLoopback
        else { return }
        inputs.post(
            .sighted(
                Sighting(
                    key: key(of: sighting.service), endpoints: [sighting.endpoint], claim: .tag(tag),
                    life: Self.sightingLife)),
            .droppable)
    }

    private func key(of service: AvahiService) -> SightingKey {
        SightingKey(
            witness: .mdns(interface: service.interface),
            source: "\(service.instance)/\(service.family.rawValue)")
    }
}
