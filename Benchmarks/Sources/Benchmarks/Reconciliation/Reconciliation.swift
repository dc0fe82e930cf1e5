import MeshBase
import MeshGossip
import MeshSimulator
import MeshWire

/// What it takes two nodes to find in what their sets of heads differ: both sides' work, from the digests of
/// heads to the difference, with the documents as they travel between them.
func reconciliationComparisons() -> [Comparison] {
    [
        wired("10 differences of 10 000 heads, two machines", heads: 10_000, differences: 10),
        wired("1 000 differences of 100 000 heads, two machines", heads: 100_000, differences: 1_000),
        comparison("10 differences of 10 000 heads", ReconciliationWorld(heads: 10_000, differences: 10)),
        comparison(
            "1 000 differences of 1 000 000 heads",
            ReconciliationWorld(heads: 1_000_000, differences: 1_000)),
        comparison("10 000 heads that are equal", ReconciliationWorld(heads: 10_000, differences: 0)),
    ]
}

/// The machines that ship, from the ping that shows a difference until both hold the same; each time anew,
/// from copies of both: what those take is the baseline, to be subtracted.
private func wired(_ title: String, heads: Int, differences: Int) -> Comparison {
    Comparison(
        area: "reconciliation", title: title,
        baseline: Sample("copies of both, which take in a head each") {
            let world = try WiredComparison(heads: heads, differences: differences)
            return { count in
                for _ in 0..<count {
                    var copy = world
                    keep(copy.takeOne())
                }
            }
        },
        others: [
            Sample("copies, and all of it, both sides") {
                let world = try WiredComparison(heads: heads, differences: differences)
                return { count in
                    for _ in 0..<count {
                        var copy = world
                        keep(try copy.run())
                    }
                }
            }
        ],
        note: {
            var world = try WiredComparison(heads: heads, differences: differences)
            let cost = try world.run()
            return "\(cost.bytes) bytes in \(cost.turns) questions, besides \(cost.headBytes) bytes of heads"
        })
}

private func comparison(_ title: String, _ world: ReconciliationWorld) -> Comparison {
    Comparison(
        area: "reconciliation", title: title,
        baseline: Sample("the ids of one side, salted") {
            let digests = world.digests(of: .asking)
            return { count in for _ in 0..<count { keep(world.ids(of: digests, salt: 1)) } }
        },
        others: [
            Sample("a session, both sides") {
                let sides = (world.digests(of: .asking), world.digests(of: .asked))
                var salt: UInt8 = 0
                return { count in
                    for _ in 0..<count {
                        salt &+= 1
                        keep(try world.session(asking: sides.0, asked: sides.1, salt: salt))
                    }
                }
            }
        ],
        note: {
            let sides = (world.digests(of: .asking), world.digests(of: .asked))
            let costs = try (1...5).map {
                try world.session(asking: sides.0, asked: sides.1, salt: UInt8($0))
            }.sorted { $0.bytes < $1.bytes }
            let (least, median, most) = (costs[0], costs[2], costs[4])
            return "\(median.bytes) bytes (\(least.bytes) to \(most.bytes) in 5 sessions) in"
                + " \(median.turns) round trips, \(median.symbols) symbols"
        })
}

/// Two sets of heads that share most of what they hold.
private struct ReconciliationWorld: Sendable {
    enum Side { case asking, asked }

    /// What one session cost: frames with their headers, in both directions, without the heads themselves.
    struct Cost {
        var bytes = 0
        var turns = 0
        var symbols = 0
    }

    let heads: Int
    let differences: Int
    private let suite = SimulatedSuite()
    private let pair = (SimulatedKey(1).node, SimulatedKey(2).node)
    private let owner = SimulatedKey(3).node
    private let nonce = Octets([UInt8](repeating: 0, count: SessionKey.nonceLength))

    init(heads: Int, differences: Int) {
        self.heads = heads
        self.differences = differences
    }

    /// Half of the differences are what one side lacks, half what the other does.
    func digests(of side: Side) -> [Digest] {
        let lacking = differences / 2
        let numbers = side == .asking ? lacking..<heads : 0..<heads - (differences - lacking)
        var bytes = [UInt8](repeating: 0, count: 32)
        return numbers.compactMap { number in
            var chance = SeededGenerator(seed: UInt64(number))
            bytes = chance.bytes(32)
            return Digest(bytes)
        }
    }

    func ids(of digests: [Digest], salt: UInt8) -> [SaltedID] {
        let key = key(salt)
        return digests.map { key.id(of: owner, epoch: 0, root: $0) }
    }

    private func key(_ salt: UInt8) -> SessionKey {
        let audience = Audience.pair(pair.0, pair.1)
        guard case .pair(let nodes) = audience else { preconditionFailure("\(audience) is no pair") }
        return SessionKey(
            salt: Octets([UInt8](repeating: salt, count: SessionKey.nonceLength)), nonce: nonce,
            audience: audience, nodes: nodes, using: suite)
    }

    /// Runs one session, and holds what it found against what is so.
    func session(asking: [Digest], asked: [Digest], salt: UInt8) throws -> Cost {
        let key = key(salt)
        guard let own = SymbolEncoder(ids(of: asking, salt: salt), key: key),
            var encoder = SymbolEncoder(ids(of: asked, salt: salt), key: key)
        else { throw Unfit("the sets are too large") }
        let octets = Octets([UInt8](repeating: salt, count: SessionKey.nonceLength))
        let domain = Audience.domain(DomainID(Digest.zero))
        let tag = domain.tag(between: pair.0, and: pair.1, using: suite)
        var decoder = SymbolDecoder(own)
        var cost = Cost()
        func carried<Message: Codable>(_ message: Message) throws -> Message {
            let bytes = try Document.encode(message)
            cost.bytes += bytes.count + FrameHeader.length
            return try Document.decode(from: bytes, limit: Limits.framePayload)
        }
        while case .wants(let range) = decoder.progress {
            let request = try carried(SymbolRequest(audience: tag, salt: octets, wanted: range))
            let batch = encoder.batch(request.wanted, salt: octets, nonce: nonce)
            _ = decoder.receive(try carried(batch))
            cost.turns += 1
            cost.symbols = range.upperBound
        }
        guard case .complete(let found) = decoder.progress else { throw Unfit("\(decoder.progress)") }
        try require(
            found.theirs.count == differences / 2 && found.mine.count == differences - differences / 2,
            "found \(found.theirs.count) and \(found.mine.count)")
        guard !found.theirs.isEmpty else { return cost }
        _ = try carried(ElementRequest(salt: octets, ids: found.theirs))
        cost.turns += 1
        return cost
    }
}
