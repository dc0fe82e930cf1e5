import MeshBase
import Testing

@Suite("Deadlines under keys that this process counts")
struct SerialDeadlinesTests {
    private struct Key: SerialKey, Comparable {
        let serial: UInt64
        static func < (left: Key, right: Key) -> Bool { left.serial < right.serial }
    }

    @Test("ring as those under keys of any kind do, whatever is set, moved and cancelled", arguments: 1...20)
    func alike(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        var plain = Deadlines<Key>()
        var serial = SerialDeadlines<Key>(SerialTable(spread: chance.next()))
        for step in 0..<2_000 {
            let key = Key(serial: chance.number(below: 60))
            let instant = Instant(nanoseconds: Int64(step) + Int64(chance.number(below: 100)))
            switch chance.number(below: 8) {
            case 0..<4:
                plain.set(key, at: instant)
                serial.set(key, at: instant)
            case 4, 5:
                plain.cancel(key)
                serial.cancel(key)
            default:
                let now = Instant(nanoseconds: Int64(step))
                #expect(serial.takeDue(at: now) == plain.takeDue(at: now))
            }
            #expect(serial.next == plain.next && serial.nextKey == plain.nextKey)
            #expect(serial.count == plain.count && serial[key] == plain[key])
        }
    }
}
