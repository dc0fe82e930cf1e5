import MeshBase
import MeshGossip
import MeshNode
import MeshSimulator
import MeshWire

/// Two `Gossip` machines that hold the heads of one large domain, and differ in some: all that goes between
/// them is encoded as it travels and counted; all but the heads is read back from that.
struct WiredComparison {
    /// What it took, without the heads themselves.
    struct Cost {
        /// Frames with their headers, of symbols and questions, in both directions.
        var bytes = 0
        /// Questions and their answers.
        var turns = 0
        /// Heads that went to the side that lacked them.
        var heads = 0
        /// Frames of heads, in both directions.
        var headBytes = 0
    }

    private struct Side {
        let key: SimulatedKey
        var gossip: Gossip<SimulatedSuite>
    }

    private static let suite = SimulatedSuite()
    private static let domain = DomainID(Digest.zero)
    private static let connection = ConnectionID(1)
    private static let began = Moment(
        instant: .zero + .seconds(10_000), wall: WallTime(milliseconds: 1_800_000_000_000))

    private let heads: Int
    private let differences: Int
    private var sides: [Side] = []
    /// A head that this side lacks and the other has.
    private var lacking: [HeadPush?] = [nil, nil]
    private var queue: [(to: Int, document: LinkDocument)] = []
    private var now = Self.began
    private var cost = Cost()

    /// - Parameters:
    ///   - heads: that either side holds, or both.
    ///   - differences: of these, what one side alone holds, half of them either.
    init(heads: Int, differences: Int) throws {
        self.heads = heads
        self.differences = differences
        let keys = [SimulatedKey(1), SimulatedKey(2)]
        let members = (0..<heads).map { SimulatedKey(UInt64($0) + 10) }.sorted { $0.node < $1.node }
        guard let template = members.first.flatMap(Self.template) else {
            throw Unfit("a member makes no head")
        }
        let pushes = members.map { key in
            HeadPush(head: key.sign(template.changed(owner: key.node)), leaves: [], records: [])
        }
        for number in 0...1 {
            sides.append(
                Side(
                    key: keys[number],
                    gossip: Gossip(
                        me: keys[number].node, ownKey: keys[number].publicKey, heads: [], suite: Self.suite,
                        generator: SeededGenerator(seed: UInt64(number)))))
            tell(number, .membershipChanged(keys[number].node, Self.membership))
            for key in members {
                tell(number, .memberVouched(key.node, key.publicKey, Self.membership))
            }
            // One peer brings no more than its share of memory: so many bring them.
            let bringers =
                [keys[1 - number]] + (0..<heads / 2_000).map { SimulatedKey(UInt64(heads + 20 + $0)) }
            for key in bringers {
                tell(number, .peerTrusted(key.node, key.publicKey))
                tell(number, .membershipChanged(key.node, Self.membership))
            }
            // Spread over the circle, as chance would have it.
            let spacing = differences == 0 ? heads + 1 : heads / differences
            for (place, push) in pushes.enumerated() {
                let isAlone = place % spacing == 0 && place / spacing < differences
                if isAlone, place / spacing % 2 == number {
                    lacking[number] = push
                    continue
                }
                if place % 100 == 99 { now = Self.later(now, .seconds(1)) }
                tell(number, .relayed(push, by: bringers[place % bringers.count].node))
            }
        }
        for number in 0...1 {
            let terms = LinkTerms(
                node: keys[1 - number].node, dialler: keys[0].node, boot: BootID(number: 1, random: 1),
                skew: .zero, certificateExpires: Self.membership.until,
                remote: Endpoint(host: "192.0.2.1", port: 7410), distance: .remote)
            tell(number, .timeReached)
            tell(number, .linkAdmitted(Self.connection, terms))
        }
        // What a link begins with is not what is measured.
        queue = []
        now = Self.later(now, .seconds(3))
        let held = held
        try require(
            held == [heads - (differences + 1) / 2, heads - differences / 2], "\(held) heads are held")
    }

    private static var membership: Membership {
        Membership(domain: domain, roles: [.member], until: began.wall + .seconds(7 * 86_400))
    }

    private static func later(_ moment: Moment, _ duration: Duration) -> Moment {
        Moment(instant: moment.instant + duration, wall: moment.wall + duration)
    }

    /// What a member signs that offers nothing, for the longest time.
    private static func template(_ key: SimulatedKey) -> Head? {
        var gossip = Gossip(
            me: key.node, ownKey: key.publicKey, heads: [], suite: suite, generator: SeededGenerator(seed: 0))
        var outbox = Outbox<GossipEffect>()
        gossip.handle(.membershipChanged(key.node, membership), at: began, into: &outbox)
        let other = SimulatedKey(1)
        gossip.handle(.memberVouched(other.node, other.publicKey, membership), at: began, into: &outbox)
        // Who never offered anything makes no head.
        guard let name = ResourceName("data") else { return nil }
        let read = Capability(name: name, methods: ["GET"], path: "/data", safety: .safe)
        let offer = ResourceDescription(name: name, protocol: .http, capabilities: [read], labels: [])
        gossip.handle(.domainOffersChanged([offer]), at: began, into: &outbox)
        for case .sign(let request) in outbox.drain() {
            gossip.handle(.signed(request.ticket, key.sign(request)), at: began, into: &outbox)
        }
        for case .persist(.head(let stored)) in outbox.drain() {
            let body = stored.head.body
            return body.changed(
                count: 0, root: Digest.zero, expires: body.issued + Limits.headLifeLarge)
        }
        return nil
    }

    private var held: [Int] {
        sides.map { $0.gossip.held(in: .domain(Self.domain), at: now.wall).count }
    }

    /// A head that the other side holds comes to either, and no ping.
    mutating func takeOne() -> [Instant?] {
        for number in 0...1 {
            guard let push = lacking[number] else { continue }
            tell(number, .relayed(push, by: sides[1 - number].key.node))
        }
        return sides.map { $0.gossip.nextDeadline }
    }

    /// One ping that shows that the two differ, and all that follows from it, until both hold the same.
    mutating func run() throws -> Cost {
        cost = Cost()
        tell(1, .pinged(Self.connection, RegistrySummary(digest: .zero)))
        var alarms = 0
        while true {
            while !queue.isEmpty {
                let (to, document) = queue.removeFirst()
                try receive(document, at: to)
            }
            if cost.heads >= differences {
                try require(held == [heads, heads], "\(held) heads are held")
                return cost
            }
            alarms += 1
            guard alarms < 1_000, let next = sides.compactMap({ $0.gossip.nextDeadline }).min() else {
                throw Unfit("the two hold \(held) heads after \(alarms) alarms")
            }
            now = Self.later(now, max(.zero, next - now.instant))
            for number in 0...1 { tell(number, .timeReached) }
        }
    }

    private mutating func receive(_ document: LinkDocument, at number: Int) throws {
        let bytes = try Document.encode(document)
        let from = sides[1 - number].key.node
        if case .relay(let relay) = document {
            // A simulated key signs what no reader of the wire takes: heads arrive as they were sent.
            cost.headBytes += bytes.count + FrameHeader.length
            cost.heads += relay.heads.count
            for passed in relay.heads { tell(number, .relayed(passed.push, by: from)) }
            return
        }
        switch try Document.decode(LinkDocument.self, from: bytes, limit: Limits.framePayload) {
        case .gossip(let message):
            cost.bytes += bytes.count + FrameHeader.length
            switch message {
            case .symbolsWanted, .elementsWanted, .want, .ask, .list: cost.turns += 1
            case .symbols, .records, .places, .head, .contradiction: break
            }
            tell(number, .messageArrived(from, message))
        case let other: throw Unfit("nothing that gossip sends: \(other)")
        }
    }

    private mutating func tell(_ number: Int, _ input: GossipInput) {
        var outbox = Outbox<GossipEffect>()
        sides[number].gossip.handle(input, at: now, into: &outbox)
        let far = sides.count > 1 ? sides[1 - number].key.node : nil
        for effect in outbox.drain() {
            switch effect {
            case .send(let node, let message) where node == far: queue.append((1 - number, .gossip(message)))
            case .relay(let node, let heads) where node == far:
                // As many as surely fit a frame.
                for start in stride(from: 0, to: heads.count, by: 32) {
                    let some = heads[start..<min(start + 32, heads.count)]
                    let passed = some.map { Relay.Passed(push: $0.push, proof: nil) }
                    queue.append((1 - number, .relay(Relay(heads: passed))))
                }
            case .sign(let request):
                tell(number, .signed(request.ticket, sides[number].key.sign(request)))
            case .ping, .close, .drain, .linkUp, .linkDown, .linkDegraded, .send, .relay, .persist,
                .catalogChanged, .contradicted, .reach, .record:
                break
            }
        }
    }
}
