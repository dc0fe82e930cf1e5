import MeshBase
import Testing

@testable import MeshDiscovery

/// What the choices of many make together.
@Suite struct OverlayMeshTests {
    /// Members of one domain who know one another, and the links that either end keeps.
    struct Mesh {
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

        /// How many of `alive` a tale reaches from the first of them, and over how many links at most.
        func reach(_ alive: [Int]) -> (count: Int, hops: Int) {
            var seen = Set(alive.prefix(1))
            var edge = Array(seen)
            var hops = 0
            while !edge.isEmpty {
                let next = alive.filter { other in
                    !seen.contains(other) && edge.contains { isLinked($0, other) }
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
        for one in alive {
            for other in alive where other != one && mesh.isLinked(one, other) {
                mesh.tables[one].tell(.linkUp(OverlayTable.peer(other)))
            }
        }
        // Who has no link is sought in vain, and others are chosen, who answer.
        for _ in 0..<4 {
            for one in alive { mesh.tables[one].wait(.seconds(31)) }
            for one in alive {
                for other in alive where other != one && mesh.isLinked(one, other) {
                    mesh.tables[one].tell(.linkUp(OverlayTable.peer(other)))
                }
            }
        }
        #expect(mesh.reach(alive).count == alive.count)
    }

    @Test(arguments: 1...5)
    func `are whole again after a cut through the middle`(seed: UInt64) {
        var mesh = Mesh(80, seed: seed)
        // For ten minutes each half sees its own only.
        for one in 0..<80 {
            let near = (0..<80).filter { $0 != one && $0 % 2 == one % 2 }
            for _ in 0..<20 {
                for other in near where mesh.isLinked(one, other) {
                    mesh.tables[one].tell(.linkUp(OverlayTable.peer(other)))
                }
                mesh.tables[one].wait(.seconds(31))
            }
        }
        for one in 0..<80 {
            let sought = (0..<80).filter { mesh.tables[one].isKept($0) }
            #expect(sought.contains { $0 % 2 != one % 2 }, "\(one) seeks nobody of the other half: \(sought)")
        }
    }
}
