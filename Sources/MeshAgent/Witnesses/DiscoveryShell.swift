import Logging
import MeshBase
import MeshNode
import Synchronization

/// The witnesses of this machine, each in a task of its own. They are not one group of tasks: a group waits
/// for the last of them, and one that hangs must hold up neither the others nor the agent's end.
final class DiscoveryShell: Sendable {
    private let witnesses: [any WitnessShell]
    private let inputs: Mailbox
    private let surroundings: Surroundings
    private let log: Logger
    private let running = Mutex<[(method: String, task: Task<Void, Never>)]>([])

    init(
        _ witnesses: [any WitnessShell], inputs: Mailbox, surroundings: Surroundings, log: Logger
    ) {
        self.witnesses = witnesses
        self.inputs = inputs
        self.surroundings = surroundings
        self.log = log
    }

    /// Begins to look, in all ways at once.
    func start() {
        let tasks = witnesses.map { witness in
            let desk = WitnessDesk(
                method: witness.method, inputs: inputs, surroundings: surroundings, log: log)
            return (method: witness.method, task: Task { await witness.run(desk) })
        }
        running.withLock { $0 += tasks }
    }

    /// Lets every witness take back what it announced; one that has not in this time is left behind.
    func stop(within patience: Duration = .seconds(3)) async {
        let tasks = running.withLock { running in
            defer { running = [] }
            return running
        }
        // In a task of its own: an agent mostly ends because its task was cancelled, and who waits in such a
        // task waits for nothing.
        let left = await Task { await Self.end(tasks, within: patience) }.value
        for method in left.sorted() {
            log.warning("a way to find peers does not end", metadata: ["method": "\(method)"])
        }
    }

    /// Ends them; answers which have not ended in time.
    private static func end(
        _ tasks: [(method: String, task: Task<Void, Never>)], within patience: Duration
    ) async -> Set<String> {
        var left = Set(tasks.map(\.method))
        let (ends, end) = AsyncStream.makeStream(of: String?.self)
        for (method, task) in tasks {
            task.cancel()
            Task {
                await task.value
                end.yield(method)
            }
        }
        let alarm = Task {
            do {
                try await Task.sleep(for: patience)
            } catch {
                return
            }
            end.yield(nil)
        }
        var next = ends.makeAsyncIterator()
        while !left.isEmpty, case let ended?? = await next.next() { left.remove(ended) }
        alarm.cancel()
        return left
    }
}

extension DiscoveryShell {
    /// The ways to find others that the configuration turns on; what is off is said as such.
    /// - Parameter link: where this node listens.
    static func witnesses(
        of node: NodeID, link: Endpoint, _ settings: AgentConfiguration, _ environment: [String: String],
        _ sign: PairingSign, _ surroundings: Surroundings
    ) -> [any WitnessShell] {
        let configuration = settings.discovery
        let tag = PublicTag(of: node)
        var witnesses: [any WitnessShell] = []
        let peers = configuration.static + configuration.listed
        if peers.isEmpty {
            surroundings.set(method: "static", state: .off, detail: "no addresses in discovery.static")
        } else {
            witnesses.append(StaticWitness(peers))
        }
        if configuration.isAvahiOn {
            witnesses.append(
                MdnsWitness(port: link.port, tag: tag, sign: sign, configuration: configuration))
        } else {
            surroundings.set(method: "mdns", state: .off, detail: "discovery.avahi is off")
        }
        if configuration.dns.domains.isEmpty {
            surroundings.set(method: "dns", state: .off, detail: "no domains in discovery.dns.domains")
        } else {
            witnesses.append(ZoneWitness(tag: tag, configuration: configuration))
        }
        if let url = configuration.consul.url {
            let secrets = CatalogSecrets(
                configuration.consul, home: surroundings.sources.home, environment: environment)
            witnesses.append(
                CatalogWitness(
                    url, configuration, secrets: secrets,
                    own: .init(link: link, advertised: settings.advertise.first), tag: tag))
        } else {
            surroundings.set(method: "consul", state: .off, detail: "no discovery.consul.url")
        }
        return witnesses
    }
}
