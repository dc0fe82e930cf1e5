import MeshAvahi
import MeshBase
import MeshControl
import MeshDiscovery

/// mDNS through the machine's Avahi daemon: announces this node, and says what other nodes announce.
struct MdnsWitness: WitnessShell {
    let method = "mdns"
    private let port: UInt16
    private let tag: PublicTag
    private let sign: PairingSign
    private let configuration: AgentConfiguration.Discovery

    init(port: UInt16, tag: PublicTag, sign: PairingSign, configuration: AgentConfiguration.Discovery) {
        self.port = port
        self.tag = tag
        self.sign = sign
        self.configuration = configuration
    }

    func run(_ desk: WitnessDesk) async {
        desk.stand(.working, "looking for the Avahi daemon")
        let thread = WitnessThread(method)
        let announcement = AvahiAnnouncement(port: port, txt: text)
        let opened = await thread.run { () -> Result<AvahiWitness, AvahiFailure> in
            do throws(AvahiFailure) {
                return .success(try AvahiWitness(announcing: announcement) { take($0, desk) })
            } catch {
                return .failure(error)
            }
        }
        switch opened {
        case .failure(let failure):
            desk.stand(.failing, "\(failure)")
            await untilCancelled()
        case .success(let witness):
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await keepTagFresh(of: witness, on: thread) }
                tasks.addTask { await followSign(for: witness, on: thread) }
            }
            await thread.run { witness.close() }
        }
    }

    /// Keeps the announced tag that of the hour, until the task is cancelled.
    private func keepTagFresh(of witness: AvahiWitness, on thread: WitnessThread) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: tag.life)
            } catch {
                return
            }
            let text = text
            await thread.run { witness.update(txt: text) }
        }
    }

    /// Under another instance name, which others look at as soon as they see it.
    private func followSign(for witness: AvahiWitness, on thread: WitnessThread) async {
        for await _ in sign.changes {
            let text = text
            await thread.run { witness.announceAnew(txt: text) }
        }
    }

    private var text: TXTRecord {
        let pairing = sign.name.map { [TXTRecord.Pair(PublicTag.pairingKey, $0.description)] } ?? []
        return TXTRecord(tag.pairs.map { .init($0.key, $0.value) } + pairing)
    }

    private func take(_ event: AvahiEvent, _ desk: WitnessDesk) {
        switch event {
        case .running: desk.stand(.working, "through Avahi")
        case .announced: desk.stand(.working, "announcing and browsing through Avahi")
        case .unavailable(let reason), .browsingFailed(let reason), .announcementFailed(let reason):
            desk.stand(.failing, reason)
            desk.count(.failure, took: nil)
        case .collision: break
        case .sighted(let sighting): take(sighting, desk)
        case .withdrawn(let service):
            desk.count(.success, took: nil)
            desk.withdraw(key(of: service))
        }
    }

    private func take(_ sighting: AvahiSighting, _ desk: WitnessDesk) {
        desk.count(.success, took: nil)
        guard !sighting.isOwn,
            let tag = PublicTag.read(
                version: sighting.txt[PublicTag.versionKey], tag: sighting.txt[PublicTag.tagKey]),
            configuration.allowsLoopback || !sighting.endpoint.isLoopback
        else { return }
        desk.sight(
            Sighting(
                key: key(of: sighting.service), endpoints: [sighting.endpoint], claim: .tag(tag),
                life: configuration.sightingLife,
                pairing: sighting.txt[PublicTag.pairingKey].flatMap { NodeName($0) }))
    }

    private func key(of service: AvahiService) -> SightingKey {
        SightingKey(
            witness: .mdns(interface: service.interface),
            source: "\(service.instance)/\(service.family.rawValue)")
    }
}
