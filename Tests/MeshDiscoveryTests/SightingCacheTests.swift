import MeshBase
import Testing

@testable import MeshDiscovery

@Suite("Sighting cache")
struct SightingCacheTests {
    private func seen(_ source: String, _ number: Int, life: Double = 90) -> Sighting {
        Sighting(
            key: SightingKey(witness: .consul, source: source), endpoints: [endpoint(number)], claim: .nobody,
            life: .seconds(life))
    }

    @Test("tells what is new, other and gone, and nothing of what stands")
    func differences() {
        var cache = SightingCache()
        #expect(
            cache.take([seen("b", 2), seen("a", 1)], at: at(1).instant) == [
                .sighted(seen("a", 1)), .sighted(seen("b", 2)),
            ])
        #expect(cache.take([seen("a", 1), seen("b", 2)], at: at(2).instant) == [])
        #expect(
            cache.take([seen("b", 3), seen("c", 4)], at: at(3).instant) == [
                .withdrawn(seen("a", 1).key), .sighted(seen("b", 3)), .sighted(seen("c", 4)),
            ])
        #expect(cache.take([], at: at(4).instant).count == 2)
        #expect(cache == SightingCache())
    }

    @Test("tells what stands again when a third of its life has gone, and not before")
    func keepsAlive() {
        var cache = SightingCache()
        _ = cache.take([seen("a", 1)], at: at(0).instant)
        #expect(cache.take([seen("a", 1)], at: at(29.9).instant) == [])
        #expect(cache.take([seen("a", 1)], at: at(30).instant) == [.sighted(seen("a", 1))])
        #expect(cache.take([seen("a", 1)], at: at(59.9).instant) == [])
    }

    @Test("takes the first of two sightings with one key")
    func doubles() {
        var cache = SightingCache()
        #expect(
            cache.take([seen("a", 1), seen("a", 2)], at: at(1).instant) == [.sighted(seen("a", 1))])
        #expect(cache.count == 1)
    }

    @Test("a flood finds the room that is left, and hides nothing of what stood before")
    func isBounded() {
        var cache = SightingCache()
        _ = cache.take([seen("zzz", 1)], at: at(0).instant)
        let flood = (0..<20_000).map { seen("flood\($0)", $0) } + [seen("zzz", 1)]
        let told = cache.take(flood, at: at(31).instant)
        #expect(cache.count == Limits.sightings)
        #expect(told.count == Limits.sightings)
        #expect(told.last == .sighted(seen("zzz", 1)))
        #expect(cache.overflowCount == 20_001 - Limits.sightings)
    }
}
