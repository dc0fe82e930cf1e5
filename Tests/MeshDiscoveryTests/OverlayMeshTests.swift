import MeshBase
import Testing

@testable import MeshDiscovery

/// What the choices of many make together.
@Suite struct OverlayMeshTests {
    /// Members of one domain who know one another, and the links that either end keeps.
    struct Mesh {
        enum Ways { case kept, linked }

        var tables: [OverlayTable]

        init(_ count: Int, seed: UInt64) {
            tables = (0..<count).map { me in
                var table = OverlayTable(me, seed: seed &+ UInt64(me)) { $0 = OverlayConfiguration() }
                for peer in 0..<count where peer != me {
                    table.tell(.peerTrusted(OverlayTable.peer(peer)))
                    table.tell(.membership(OverlayTable.peer(peer), .shared))
                }
                table.wait(.zero)
                return table
            }
        }

        func isLinked(_ one: Int, _ other: Int) -> Bool {
            tables[one].isKept(other) || tables[other].isKept(one)
        }

        /// Whom either end seeks, of `alive`, comes to be linked.
        mutating func linkUp(within alive: [Int]) {
            for one in alive {
                for other in alive where one < other && isLinked(one, other) {
                    for (here, there) in [(one, other), (other, one)] where !hasLink(here, there) {
                        tables[here].tell(.linkUp(OverlayTable.peer(there)))
                    }
                }
            }
        }

        func hasLink(_ one: Int, _ other: Int) -> Bool {
            tables[one].overlay.peers[OverlayTable.peer(other)]?.line != nil
        }

        /// How many of `alive` a tale reaches from the first of them, and over how many links at most: over
        /// those that are there, or those that either end keeps.
        func reach(_ alive: [Int], by ways: Ways = .kept) -> (count: Int, hops: Int) {
            func isWay(_ one: Int, _ other: Int) -> Bool {
                ways == .linked ? hasLink(one, other) && hasLink(other, one) : isLinked(one, other)
            }
            var seen = Set(alive.prefix(1))
            var edge = Array(seen)
            var hops = 0
            while !edge.isEmpty {
                let next = alive.filter { other in
                    !seen.contains(other) && edge.contains { isWay($0, other) }
                }
                if !next.isEmpty { hops += 1 }
                seen.formUnion(next)
                edge = next
            }
            return (seen.count, hops)
        }
    }

    @Test(arguments: [34, 100, 300])
    func `hold all together, with few links each and a short way between any two`(count: Int) {
        let mesh = Mesh(count, seed: 5)
        let (reached, hops) = mesh.reach(Array(0..<count))
        #expect(reached == count)
        #expect(hops <= 6, "\(hops)")
        let links = (0..<count).map { one in (0..<count).count { $0 != one && mesh.isLinked(one, $0) } }
        #expect(links.max() ?? 0 <= 24, "those who draw a node are few: \(links.max() ?? 0)")
        #expect(links.reduce(0, +) <= 13 * count)
    }

    @Test(arguments: 1...5)
    func `hold those who are left together, when four of ten are gone at once`(seed: UInt64) {
        var mesh = Mesh(100, seed: seed)
        var chance = SeededGenerator(seed: seed)
        let alive = (0..<100).filter { _ in chance.number(below: 10) >= 4 }
        for one in 0..<100 { mesh.tables[one].now = .zero }
        mesh.linkUp(within: alive)
        // Who has no link is sought in vain, and others are chosen, who answer.
        for _ in 0..<4 {
            for one in alive { mesh.tables[one].wait(.seconds(31)) }
            mesh.linkUp(within: alive)
        }
        #expect(mesh.reach(alive, by: .linked).count == alive.count)
    }

    @Test(arguments: 1...5)
    func `hold together on either side of a cut through the middle, and are whole again after it`(
        seed: UInt64
    ) {
        var mesh = Mesh(80, seed: seed)
        let halves = [0, 1].map { half in (0..<80).filter { $0 % 2 == half } }
        var fullest = Array(repeating: 0, count: 80)
        // For ten minutes each half sees its own only.
        for step in 0..<20 {
            for half in halves { mesh.linkUp(within: half) }
            for one in 0..<80 {
                mesh.tables[one].wait(.seconds(31))
                guard step >= 10 else { continue }
                let near = halves[one % 2].count { $0 != one && mesh.tables[one].isKept($0) }
                fullest[one] = max(fullest[one], near)
            }
        }
        for half in halves { #expect(mesh.reach(half, by: .linked).count == 40) }
        // As many as gossip needs are there, however many are not: who is away takes nobody's place.
        #expect(fullest.allSatisfy { $0 >= 8 }, "\(fullest.filter { $0 < 8 })")
        mesh.linkUp(within: Array(0..<80))
        for one in 0..<80 { mesh.tables[one].wait(.zero) }
        #expect(mesh.reach(Array(0..<80), by: .linked).count == 80)
    }
}
