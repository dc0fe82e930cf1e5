import MeshBase
import Testing

@testable import MeshGossip

@Suite("Two nodes that tell each other of their resources")
struct RegistryPropertyTests {
    @Test("agree after quiet, whatever was lost, restarted, restored or set wrong", arguments: 1...12)
    func convergence(seed: UInt64) {
        var world = PairWorld(seed: seed)
        world.connect()
        var backups: [[OrderedTable<NodeID, StoredHead>]] = [[], []]
        world.lossPerMille = world.chance.number(below: 400)
        let turns = 8 + world.chance.number(below: 12)
        let weights = (0..<7).map { _ in world.chance.number(below: 6) + 1 }
        for _ in 0..<turns {
            let side = Int(world.chance.number(below: 2))
            switch pick(weights, &world.chance) {
            case 0, 1: world.offer(side, someResources(&world.chance))
            case 2: world.disconnect()
            case 3: world.restart(side)
            case 4:
                backups[side].append(world.sides[side].disk)
            case 5:
                let count = UInt64(backups[side].count)
                if count > 0 {
                    world.restart(side, on: backups[side][Int(world.chance.number(below: count))])
                }
            default: world.sides[side].clock = world.chance.duration(from: .seconds(-280), through: .zero)
            }
            if world.chance.number(below: 3) > 0 { world.connect() }
            world.pass(world.chance.duration(from: .zero, through: .seconds(100)))
            checkServed(world)
        }
        world.lossPerMille = 0
        for side in 0...1 { world.sides[side].clock = .zero }
        world.connect()
        world.pass(.seconds(300))
        world.connect()
        world.pass(.seconds(120))
        checkQuiet(world)
        // Nothing is said but pings while nothing changes.
        let before = world.sides.map(\.sent.count)
        world.pass(.seconds(60))
        let renewals = world.sides.map(\.sent.count)
        #expect(renewals[0] - before[0] <= 1 && renewals[1] - before[1] <= 1)
        // And it stays so for as long as it lives.
        world.pass(.seconds(1_000))
        checkQuiet(world)
    }

    private func pick(_ weights: [UInt64], _ chance: inout SeededGenerator) -> Int {
        var left = chance.number(below: weights.reduce(0, +))
        for (index, weight) in weights.enumerated() {
            if left < weight { return index }
            left -= weight
        }
        return weights.count - 1
    }

    private func someResources(_ chance: inout SeededGenerator) -> [ResourceDescription] {
        switch chance.number(below: 8) {
        case 0: return []
        case 1: return (0..<9).map { Samples.bulkyResource("bulk-\($0)") }
        default:
            let count = Int(chance.number(below: 4)) + 1
            return (0..<count).map { Samples.resource("r\($0)", path: "/\(chance.number(below: 3))") }
        }
    }

    private func checkServed(_ world: PairWorld) {
        for side in 0...1 {
            guard let theirs = world.registry(side)?.theirs else { continue }
            if !world.seen(by: side).isEmpty {
                #expect(theirs.whole.map { $0.head.body.expires > world.moment(side).wall } == true)
            }
            #expect(world.sides[side].convictions.isEmpty)
            let invalid = world.sides[side].records.filter {
                if case .messageInvalid = $0 { return true }
                return false
            }
            #expect(invalid.isEmpty, "an honest node was held to have lied: \(invalid)")
        }
    }

    private func checkQuiet(_ world: PairWorld) {
        checkServed(world)
        #expect(world.summary(0) != nil && world.summary(0) == world.summary(1))
        for side in 0...1 {
            #expect(world.seen(by: side) == world.sides[1 - side].offers)
            let own = world.registry(1 - side)?.own
            let theirs = world.registry(side)?.theirs
            #expect(own?.published?.head == theirs?.newest)
            #expect(theirs?.isComplete == true && own?.draft == nil)
        }
    }
}
