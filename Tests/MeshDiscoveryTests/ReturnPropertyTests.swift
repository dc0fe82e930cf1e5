import MeshBase
import Testing

@testable import MeshDiscovery

/// A world of one discovery and some peers that come, go, move and lie, all drawn from one seed.
private struct World {
    var generator: SeededGenerator
    let bench: Bench
    let peers: [NodeID] = (1...5).map { node(UInt8($0)) }
    var now = 0.0
    /// Where each peer really is; nil while it is away.
    var places = OrderedTable<NodeID, Endpoint>()
    var running = OrderedTable<NodeID, [(target: DialTarget, ends: Double)]>()
    var linked = OrderedTable<NodeID, Bool>()
    /// Since when each peer is neither linked nor dialled though it could be reached where it is sighted.
    var lonelySince = OrderedTable<NodeID, Double>()
    var violations: [String] = []
    /// Drawn from the seed: out of a hundred.
    let answerChance: UInt64
    let flapChance: UInt64

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        bench = Bench(seed: generator.next())
        answerChance = 20 + generator.number(below: 81)
        flapChance = generator.number(below: 30)
        for peer in peers { take(bench.dials(.peerTrusted(peer), at(0))) }
    }

    mutating func chance(_ outOfHundred: UInt64) -> Bool { generator.number(below: 100) < outOfHundred }

    mutating func take(_ targets: [DialTarget]) {
        for target in targets {
            let dials = running[target.node] ?? []
            if dials.count >= DialPlan.raceMax || dials.contains(where: { $0.target == target }) {
                violations.append("\(now): one dial too many, \(target) beside \(dials)")
            }
            if linked[target.node] != nil { violations.append("\(now): dial of a linked peer, \(target)") }
            running[target.node] = dials + [(target, now + Double(generator.number(below: 18)))]
            lonelySince[target.node] = nil
        }
    }

    mutating func input(_ input: DiscoveryInput) { take(bench.dials(input, at(now))) }

    mutating func step() {
        now += 0.25
        while let deadline = bench.discovery.nextDeadline, deadline <= at(now).instant { input(.timeReached) }
        for (peer, dials) in running {
            for dial in dials where dial.ends <= now { settle(peer, dial.target) }
        }
        for peer in peers { live(peer) }
        if chance(20) { lie() }
        watch()
    }

    mutating func settle(_ peer: NodeID, _ target: DialTarget) {
        let others = (running[peer] ?? []).filter { $0.target != target }
        running[peer] = others.isEmpty ? nil : others
        if places[peer] == target.endpoint, linked[peer] == nil, chance(answerChance) {
            linked[peer] = true
            input(.linkUp(peer, target.endpoint))
        } else {
            input(.dialFailed(target))
        }
    }

    mutating func live(_ peer: NodeID) {
        if linked[peer] != nil, chance(flapChance) {
            linked[peer] = nil
            input(.linkDown(peer))
        } else if linked[peer] == nil, chance(1) {
            linked[peer] = true
            input(.linkUp(peer, nil))
        }
        if chance(2) { places[peer] = chance(70) ? endpoint(Int(generator.number(below: 40))) : nil }
        if let place = places[peer], chance(20) {
            let key = SightingKey(witness: .mdns(interface: "eth0"), source: "\(peer)")
            let tag = bench.tag(of: peer, at(now))
            input(.sighted(Sighting(key: key, endpoints: [place], claim: .tag(tag), life: .seconds(150))))
        }
    }

    mutating func lie() {
        let victim = peers[Int(generator.number(below: UInt64(peers.count)))]
        let number = Int(generator.number(below: 500))
        input(
            .sighted(.heard("lie\(number)", tag: bench.tag(of: victim, at(now)), number, interface: "eth1")))
    }

    /// A peer with an endpoint that is neither linked nor dialled must be dialled within 15 s.
    mutating func watch() {
        for peer in peers {
            let hasEndpoint = bench.discovery.peer(peer, at: at(now).instant)?.endpoints.isEmpty == false
            guard hasEndpoint, linked[peer] == nil, running[peer] == nil else {
                lonelySince[peer] = nil
                continue
            }
            let since = lonelySince[peer] ?? now
            lonelySince[peer] = since
            if now - since > 15.5 { violations.append("\(now): \(peer.brief) lonely since \(since)") }
        }
    }
}

@Suite("A trusted peer always comes back")
struct ReturnPropertyTests {
    @Test(
        "is dialled within 15 s while it has an endpoint, never more than three at once, never while linked",
        arguments: 1...8 as ClosedRange<UInt64>)
    func alwaysComesBack(seed: UInt64) {
        var world = World(seed: seed)
        for _ in 0..<1_200 where world.violations.isEmpty { world.step() }
        #expect(world.violations.isEmpty, "seed \(seed): \(world.violations)")
    }

    @Test(
        "one reachable endpoint among dead and lying ones is tried in time",
        arguments: 1...20 as ClosedRange<UInt64>)
    func findsTheRightOne(seed: UInt64) {
        let bench = Bench(seed: seed)
        var generator = SeededGenerator(seed: seed)
        _ = bench.handle(.peerTrusted(node(1)), at(0))
        var pending: [DialTarget] = []
        let good = Int(generator.number(below: 12))
        for number in 0..<12 {
            let tag = bench.tag(of: node(1), at(0))
            pending += bench.dials(
                .sighted(.heard("s\(number)", tag: tag, number, interface: "if\(number / 4)")), at(0))
        }
        var seconds = 0.0
        while let target = pending.popLast(), target.endpoint != endpoint(good), seconds < 600 {
            seconds += 3
            pending += bench.dials(.dialFailed(target), at(seconds))
            if pending.isEmpty, let next = bench.nextDial(before: seconds + 15) {
                seconds = Double(next.moment.instant.nanoseconds) / 1e9
                pending = next.targets
            }
        }
        #expect(seconds < 100, "seed \(seed): tried after \(seconds) s")
    }

    @Test("one seed gives one run")
    func isDeterministic() {
        var first = World(seed: 77)
        var second = World(seed: 77)
        for _ in 0..<400 {
            first.step()
            second.step()
        }
        #expect(first.bench.discovery == second.bench.discovery)
    }
}
