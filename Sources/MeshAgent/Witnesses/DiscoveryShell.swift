import Logging
import MeshBase
import MeshNode
import Synchronization

/// The witnesses of this machine, each in a task of its own. They are not one group of tasks: a group waits
/// for the last of them, and one that hangs must hold up neither the others nor the agent's end.
final class DiscoveryShell: Sendable {
    private let witnesses: [any WitnessShell]
    private let inputs: Mailbox<NodeInput>
    private let surroundings: Surroundings
    private let log: Logger
    private let running = Mutex<[(method: String, task: Task<Void, Never>)]>([])

    init(
        _ witnesses: [any WitnessShell], inputs: Mailbox<NodeInput>, surroundings: Surroundings, log: Logger
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
        for method in left.sorted() {
            log.warning("a way to find peers does not end", metadata: ["method": "\(method)"])
        }
    }
}

extension DiscoveryShell {
    /// The ways to find others that the configuration turns on; what is off is said as such.
    static func witnesses(
        of node: NodeID, port: UInt16, _ configuration: AgentConfiguration.Discovery,
        _ sign: PairingSign, _ surroundings: Surroundings
    ) -> [any WitnessShell] {
        var witnesses: [any WitnessShell] = []
        let peers = configuration.static + configuration.listed
        if peers.isEmpty {
            surroundings.set(method: "static", state: .off, detail: "no addresses in discovery.static")
        } else {
            witnesses.append(StaticWitness(peers))
        }
        if configuration.isAvahiOn {
            witnesses.append(
                MdnsWitness(
                    port: port, tag: PublicTag(of: node), sign: sign, configuration: configuration))
        } else {
            surroundings.set(method: "mdns", state: .off, detail: "discovery.avahi is off")
        }
        if configuration.dns.domains.isEmpty {
            surroundings.set(method: "dns", state: .off, detail: "no domains in discovery.dns.domains")
        } else {
            witnesses.append(ZoneWitness(tag: PublicTag(of: node), configuration: configuration))
        }
        return witnesses
    }
}
