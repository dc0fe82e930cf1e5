import MeshBase
import MeshNode
import MeshTrust

/// Hosts, the network between them, time and chance: everything that a real shell and a real machine would be
/// to a node.
///
/// It decides nothing that a node decides. What it does to a node is what a shell does: tells what happened,
/// performs what is ordered, in order, with the durability that is asked for; and, as the world does, late,
/// cut off, or not at all.
struct World: Sendable {
    let plan: SimulationPlan
    let suite = SimulatedSuite()
    var time = Instant.zero
    var queue = EventQueue<WorldEvent>()
    var hosts: [Host] = []
    var network: Network
    var pipes = OrderedTable<Int, Pipe>()
    var trace = TraceDigest()
    var statistics = SimulationStatistics()
    var checks: Checks
    var script: OperatorScript
    var intruder: Intruder
    /// Each purpose draws from its own, so that one more fault does not move the rest.
    var chance: SeededGenerator
    var faultChance: SeededGenerator
    var engineChance: SeededGenerator
    /// How this world lies, in tests of the checkers.
    let tampering: Tampering?
    /// What `InsiderMeasure` sees; nil in every other run.
    var watch: InsiderWatch?
    private var pipesOpened = 0
    private var keysMade: UInt64
    private var owners = OrderedTable<Endpoint, Int>()
    var isCalm = false
    /// Whose node's orders are being performed: its desk decides by the view before, until the new one comes.
    var turn: RunID?
    /// How long all machines have slept, which only wall clocks saw.
    var calendar: Duration = .zero
    /// Which hosts have which node ID.
    private(set) var hostOfNode = OrderedTable<NodeID, Int>()

    init(_ plan: SimulationPlan, tampering: Tampering?, watching watch: InsiderWatch? = nil) {
        self.plan = plan
        self.watch = watch
        self.tampering = tampering
        var generator = SeededGenerator(seed: plan.seed)
        network = Network(hosts: plan.nodes)
        keysMade = plan.seed &* 0x1_0000
        engineChance = SeededGenerator(seed: plan.seed ^ 0x6a75_6467_6573)
        chance = generator.split()
        faultChance = generator.split()
        checks = Checks()
        script = OperatorScript(generator: generator.split())
        intruder = Intruder(generator: generator.split())
        for number in 0..<plan.nodes {
            let base = Int64(generator.number(below: 1_000_000_000_000))
            let host = Host(number: number, key: newKey(), monotonicBase: base)
            owners[host.endpoint] = number
            hostOfNode[host.node] = number
            hosts.append(host)
        }
        if watch != nil || plan.faults.contains(where: Fault.ofInsiders.contains), plan.nodes > 2 {
            hosts[plan.nodes - 1].isInsider = true
            hosts[plan.nodes - 1].isHonest = false
        }
        script.domains = DomainScript(
            generator: generator.split(), partners: SeededGenerator(seed: plan.seed ^ 0x6465_6564_73))
        script.limits = SeededGenerator(seed: plan.seed ^ 0x6c69_6d69_7473)
        script.routes = SeededGenerator(seed: plan.seed ^ 0x726f_7574_6573)
        prepare()
    }

    /// A key that nobody else has.
    mutating func newKey() -> SimulatedKey {
        keysMade += 1
        return SimulatedKey(keysMade)
    }

    mutating func newPipe(_ pipe: Pipe) -> Int {
        pipesOpened += 1
        pipes[pipesOpened] = pipe
        return pipesOpened
    }

    /// Who listens at `endpoint`.
    func host(at endpoint: Endpoint) -> Int? { owners[endpoint] }

    /// Whether `run` still goes on.
    func isAlive(_ run: RunID) -> Bool { hosts[run.host].running == run.number }

    /// Both clocks of a host now.
    func moment(of host: Int) -> Moment {
        let instant = Instant(nanoseconds: hosts[host].monotonicBase + time.nanoseconds)
        return Moment(instant: instant, wall: hosts[host].clock.wall(at: time) + calendar)
    }

    /// What a host's agent is told of its clocks.
    func seen(by host: Int) -> Moment {
        let now = moment(of: host)
        return tampering == .daysUnseen ? Moment(instant: now.instant, wall: now.wall - calendar) : now
    }

    /// A time of the world, from a host's monotonic clock.
    func time(of instant: Instant, at host: Int) -> Instant {
        guard instant != .never else { return .never }
        return Instant(nanoseconds: max(0, instant.nanoseconds - hosts[host].monotonicBase))
    }

    /// Puts an event `delay` ahead.
    mutating func schedule(_ event: WorldEvent, after delay: Duration) {
        queue.push(event, at: time + max(delay, .zero))
    }

    /// A delay of the network.
    mutating func hop() -> Duration {
        network.latency + chance.duration(from: .zero, through: network.jitter)
    }

    /// A short wait for a key or a disk.
    mutating func moment(upTo longest: Duration) -> Duration {
        chance.duration(from: .zero, through: longest)
    }

    /// True in `share` of a thousand.
    mutating func happens(_ share: UInt64) -> Bool { chance.number(below: 1_000) < share }

    /// Notes a breach; the run's time is added.
    mutating func breach(_ invariant: Invariant, _ text: String) {
        checks.add(Violation(invariant: invariant, at: time - .zero, text: text))
    }

    /// The next event, delivered. False when there is none.
    mutating func step() -> Bool {
        guard let due = queue.next, let event = queue.pop() else { return false }
        time = max(time, due)
        if let host = event.host, hosts[host].pausedUntil > time {
            queue.push(event, at: hosts[host].pausedUntil)
            return true
        }
        statistics.events += 1
        trace.fold(time)
        deliver(event)
        return true
    }

    private mutating func deliver(_ event: WorldEvent) {
        switch event {
        case .boot(let host): boot(host)
        case .wake(let run): wake(run)
        case .tell(let run, let input): if isAlive(run) { tell(run, input) }
        case .call(let run, let input): if isAlive(run) { call(run, input) }
        case .synced(let run, let journal, let gate): synced(run, journal, gate)
        case .kept(let run, let entry, let gate): kept(run, entry, gate)
        case .measure(let run): measure(run)
        case .freshen(let run): freshen(run)
        case .connect(let dial): connect(dial)
        case .connectThrough(let run, let connection, let dial): connect(run, connection, through: dial)
        case .arrive(let pipe, let end): arrive(pipe, from: end)
        case .work(let host, let plane): finishWork(of: host, plane)
        case .lost(let pipe, let end): lose(pipe, end)
        case .service(let run, let service, let stage): serve(run, service, stage)
        case .ask(let host): ask(host)
        case .upload(let run, let request, let step): upload(run, request, step: step)
        case .receive(let run, let key, let step): receive(run, key, step: step)
        case .leave(let run, let request): leave(run, request)
        case .announce(let run): announce(run)
        case .operate(let errand): operate(errand)
        case .strike(let fault): strike(fault)
        case .mend(let mending): mend(mending)
        case .intrude: intrude()
        case .calm: calm()
        case .disturb: disturb()
        case .inspect(let inspection): inspect(inspection)
        }
    }
}

extension WorldEvent {
    /// Whose standing still holds it up; nil for what is the world's own.
    fileprivate var host: Int? {
        switch self {
        case .wake(let run), .tell(let run, _), .call(let run, _), .synced(let run, _, _),
            .kept(let run, _, _), .upload(let run, _, _), .receive(let run, _, _),
            .measure(let run), .freshen(let run),
            .service(let run, _, _), .leave(let run, _), .announce(let run):
            run.host
        case .boot(let host), .ask(let host), .work(let host, _): host
        case .connect, .connectThrough, .arrive, .lost, .operate, .strike, .mend, .intrude, .calm, .disturb,
            .inspect:
            nil
        }
    }
}
