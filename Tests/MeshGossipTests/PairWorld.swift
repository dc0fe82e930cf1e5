import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

/// What one of two tells the other, and is told.
struct PairView {
    let registry: AudienceRegistry
    let theirs: PeerRecords
    var own: OwnRecords { registry.own }
    func push(using suite: SimulatedSuite) -> HeadPush? { registry.push(using: suite) }
}

/// Two gossip machines, their disks, and one connection between them that keeps order, loses messages and
/// breaks.
struct PairWorld {
    enum Event {
        case message(to: Int, ConnectionID, GossipMessage)
        case ping(to: Int, ConnectionID, RegistrySummary)
        case pong(to: Int, ConnectionID)
        case signed(at: Int, run: Int, Ticket, DocumentSignature)
    }

    /// One node: what it runs, what it keeps, and what it did.
    struct Side {
        let key: SimulatedKey
        var gossip: Gossip<SimulatedSuite>
        var disk = OrderedTable<NodeID, StoredHead>()
        var offers: [ResourceDescription] = []
        /// Its wall clock less the true one.
        var clock: Duration = .zero
        var run = 0
        var boot: Int64 = 1
        var records: [GossipEvent] = []
        var sent: [GossipMessage] = []
        var convictions: [String] = []
        var catalogChanges = 0
        var reach = GossipReach()
    }

    var sides: [Side]
    /// Since the beginning; both clocks follow it exactly.
    private var elapsed = Duration.zero
    var chance: SeededGenerator
    var distance = LinkDistance.remote
    /// Of a thousand messages this many are lost, and this many signatures never come.
    var lossPerMille: UInt64 = 0
    private var queue: [(Instant, Event)] = []
    private var connections: UInt64 = 0
    private var connection: ConnectionID?
    private var lastArrival = [Instant.zero, .zero]

    init(seed: UInt64 = 1) {
        chance = SeededGenerator(seed: seed)
        sides = [Samples.alice, Samples.bob].map { key in
            Side(
                key: key,
                gossip: Gossip(
                    me: key.node, ownKey: key.publicKey, heads: [], suite: Samples.suite,
                    generator: SeededGenerator(seed: 1)))
        }
        for side in 0...1 { begin(side) }
    }

    /// The true time.
    var now: Moment { Samples.start.after(elapsed) }

    func node(_ side: Int) -> NodeID { sides[side].key.node }
    func moment(_ side: Int) -> Moment { now.withClockSet(by: sides[side].clock) }

    /// What `side` shows of what the other offers.
    func seen(by side: Int) -> [ResourceDescription] {
        sides[side].gossip.resources(of: node(1 - side), at: moment(side).wall)
    }

    /// What `side` tells the other, and the other it, as a pair; nil while they are none.
    func registry(_ side: Int) -> PairView? {
        guard let registry = sides[side].gossip.registries[.pair(node(0), node(1))],
            let correspondent = registry.present[node(1 - side)]
        else { return nil }
        return PairView(registry: registry, theirs: correspondent.theirs)
    }
    func summary(_ side: Int) -> RegistrySummary? {
        registry(side).map { _ in
            sides[side].gossip.summary(with: node(1 - side), at: moment(side).wall)
        }
    }

    // MARK: What a test does

    mutating func tell(_ side: Int, _ input: GossipInput) {
        var outbox = Outbox<GossipEffect>()
        sides[side].gossip.handle(input, at: moment(side), into: &outbox)
        for effect in outbox.drain() { perform(effect, at: side) }
    }

    mutating func offer(_ side: Int, _ resources: [ResourceDescription]) {
        sides[side].offers = resources.sorted { $0.name < $1.name }
        tell(side, .offersChanged(node(1 - side), sides[side].offers))
    }

    mutating func trust(_ side: Int) {
        tell(side, .peerTrusted(node(1 - side), sides[1 - side].key.publicKey))
        tell(side, .offersChanged(node(1 - side), sides[side].offers))
    }

    mutating func connect() {
        guard connection == nil else { return }
        connections += 1
        let id = ConnectionID(connections)
        connection = id
        for side in 0...1 {
            let terms = Samples.terms(
                node(1 - side), dialler: node(0), boot: sides[1 - side].boot, distance: distance)
            tell(side, .linkAdmitted(id, terms))
        }
    }

    mutating func disconnect() {
        guard let id = connection else { return }
        connection = nil
        for side in 0...1 { tell(side, .connectionClosed(id)) }
    }

    /// Ends the process and starts another on the same disk, or on `disk`.
    mutating func restart(_ side: Int, on disk: OrderedTable<NodeID, StoredHead>? = nil) {
        if let id = connection {
            connection = nil
            tell(1 - side, .connectionClosed(id))
        }
        sides[side].disk = disk ?? sides[side].disk
        sides[side].run += 1
        sides[side].boot += 1
        let key = sides[side].key
        sides[side].gossip = Gossip(
            me: key.node, ownKey: key.publicKey, heads: sides[side].disk.values, suite: Samples.suite,
            generator: SeededGenerator(seed: 1))
        begin(side)
    }

    /// Lets this much time pass.
    mutating func pass(_ duration: Duration) {
        let end = elapsed + duration
        while true {
            let timers = (0...1).compactMap { side in
                sides[side].gossip.nextDeadline.map { ($0, side) }
            }
            let timer = timers.min { $0.0 < $1.0 }
            guard let next = [timer?.0, queue.first?.0].compactMap({ $0 }).min(),
                next <= Samples.start.instant + end
            else { break }
            elapsed += max(.zero, next - now.instant)
            if let (time, event) = queue.first, time <= next {
                queue.removeFirst()
                handle(event)
            } else if let (_, side) = timer {
                tell(side, .timeReached)
                #expect(sides[side].gossip.nextDeadline.map { $0 > now.instant } ?? true)
            }
        }
        elapsed = end
    }

    // MARK: How it goes on

    private mutating func begin(_ side: Int) { trust(side) }

    private mutating func schedule(_ event: Event, after delay: Duration) {
        let time = now.instant + delay
        let index = queue.firstIndex { $0.0 > time } ?? queue.endIndex
        queue.insert((time, event), at: index)
    }

    private mutating func transmit(_ event: Event, to side: Int) {
        guard chance.number(below: 1_000) >= lossPerMille else { return }
        let latency = chance.duration(from: .microseconds(100), through: .milliseconds(40))
        lastArrival[side] = max(lastArrival[side], now.instant + latency)
        schedule(event, after: lastArrival[side] - now.instant)
    }

    private mutating func perform(_ effect: GossipEffect, at side: Int) {
        let other = 1 - side
        switch effect {
        case .ping(let id, let summary): transmit(.ping(to: other, id, summary), to: other)
        case .close(let id, _), .drain(let id): if id == connection { disconnect() }
        case .send(_, let message):
            if case .head(let push) = message {
                #expect(sides[side].disk[node(side)]?.head == push.head, "shown before it was durable")
            }
            sides[side].sent.append(message)
            guard let id = connection else { return }
            transmit(.message(to: other, id, message), to: other)
        case .sign(let request):
            guard chance.number(below: 1_000) >= lossPerMille / 10 else { return }
            let signature = sides[side].key.sign(request)
            let delay = chance.duration(from: .zero, through: .milliseconds(20))
            schedule(.signed(at: side, run: sides[side].run, request.ticket, signature), after: delay)
        case .persist(.head(let stored)): keep(stored, at: side)
        case .relay, .persist(.headGone): Issue.record("a pair has nobody to tell of")
        case .catalogChanged: sides[side].catalogChanges += 1
        case .reach(let reach): sides[side].reach = reach
        case .contradicted(_, let evidence): sides[side].convictions.append(evidence)
        case .record(let event): sides[side].records.append(event)
        case .linkUp, .linkDown, .linkDegraded: break
        }
    }

    private mutating func keep(_ stored: StoredHead, at side: Int) {
        let owner = stored.head.body.owner
        if let before = sides[side].disk[owner]?.head.body.position {
            #expect(before <= stored.head.body.position, "a position went back")
        }
        sides[side].disk[owner] = stored
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .message(let side, let id, let message):
            guard id == connection else { return }
            tell(side, .messageArrived(node(1 - side), message))
        case .ping(let side, let id, let summary):
            guard id == connection else { return }
            tell(side, .pinged(id, summary))
            transmit(.pong(to: 1 - side, id), to: 1 - side)
        case .pong(let side, let id):
            guard id == connection else { return }
            tell(side, .ponged(id, roundTrip: .milliseconds(1)))
        case .signed(let side, let run, let ticket, let signature):
            guard run == sides[side].run else { return }
            tell(side, .signed(ticket, signature))
        }
    }
}
