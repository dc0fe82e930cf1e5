import Testing

@testable import MeshBase

@Suite("Ordered table")
struct OrderedTableTests {
    @Test("is walked by rising key, however it was filled")
    func isOrdered() {
        var table = OrderedTable<Int, String>()
        for key in [5, 1, 4, 2, 3] { table[key] = "\(key)" }
        #expect(table.map(\.0) == [1, 2, 3, 4, 5])
        #expect(table.map(\.1) == ["1", "2", "3", "4", "5"])
    }

    @Test("does what a dictionary does, over many random changes")
    func agreesWithDictionary() {
        var generator = SeededGenerator(seed: 6)
        var table = OrderedTable<UInt64, UInt64>()
        var dictionary: [UInt64: UInt64] = [:]
        for step in 0..<5_000 {
            let key = generator.number(below: 60)
            switch generator.number(below: 4) {
            case 0, 1:
                table[key] = UInt64(step)
                dictionary[key] = UInt64(step)
            case 2: #expect(table.remove(key) == dictionary.removeValue(forKey: key))
            default: #expect(table[key] == dictionary[key])
            }
            if step % 500 == 0 {
                table.removeAll { key, _ in key % 7 == 0 }
                dictionary = dictionary.filter { $0.key % 7 != 0 }
            }
            #expect(table.count == dictionary.count)
        }
        #expect(table.keys == dictionary.keys.sorted())
        #expect(table.values == dictionary.keys.sorted().compactMap { dictionary[$0] })
    }

    @Test("changes a value in place, and nothing where there is none")
    func updates() {
        var table = OrderedTable<Int, [Int]>()
        table[1] = [1]
        let count = table.update(1) { values in
            values.append(2)
            return values.count
        }
        #expect(count == 2)
        #expect(table[1] == [1, 2])
        #expect(table.update(2) { $0.append(1) } == nil)
        #expect(table.count == 1)
    }
}

@Suite("Deadlines")
struct DeadlinesTests {
    private func at(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }

    @Test("are taken in the order of time, and not before they are due")
    func order() {
        var deadlines = Deadlines<String>()
        deadlines.set("late", at: at(30))
        deadlines.set("early", at: at(10))
        deadlines.set("middle", at: at(20))
        #expect(deadlines.next == at(10))
        #expect(deadlines.takeDue(at: at(9)) == nil)
        #expect(deadlines.takeDue(at: at(20)) == "early")
        #expect(deadlines.takeDue(at: at(20)) == "middle")
        #expect(deadlines.takeDue(at: at(20)) == nil)
        #expect(deadlines.next == at(30))
    }

    @Test("at one instant are taken in the order of their keys")
    func ties() {
        var deadlines = Deadlines<String>()
        for key in ["b", "c", "a"] { deadlines.set(key, at: at(1)) }
        #expect((0..<3).map { _ in deadlines.takeDue(at: at(1)) } == ["a", "b", "c"])
    }

    @Test("have one alarm a key: setting it again moves it")
    func moves() {
        var deadlines = Deadlines<String>()
        deadlines.set("a", at: at(10))
        deadlines.set("a", at: at(50))
        #expect(deadlines.count == 1)
        #expect(deadlines.takeDue(at: at(49)) == nil)
        #expect(deadlines["a"] == at(50))
    }

    @Test("that were cancelled never ring")
    func cancels() {
        var deadlines = Deadlines<String>()
        deadlines.set("a", at: at(10))
        deadlines.cancel("a")
        deadlines.cancel("a")
        #expect(deadlines.next == nil)
        #expect(deadlines.takeDue(at: .never) == nil)
    }

    @Test("ring as a plain list of them would, however they are set, moved and cancelled", arguments: 0..<20)
    func model(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        var deadlines = Deadlines<Int>()
        var list: [Int: Int64] = [:]
        var now: Int64 = 0
        for _ in 0..<4_000 {
            let key = Int(chance.number(below: 40))
            switch chance.number(below: 8) {
            case 0..<4:
                let instant = now + Int64(chance.number(below: 50))
                deadlines.set(key, at: at(instant))
                list[key] = instant
            case 4, 5:
                deadlines.cancel(key)
                list[key] = nil
            case 6: now += Int64(chance.number(below: 10))
            default:
                let due = list.filter { $0.value <= now }.min { ($0.value, $0.key) < ($1.value, $1.key) }
                #expect(deadlines.takeDue(at: at(now)) == due?.key)
                if let due { list[due.key] = nil }
            }
            let next = list.min { ($0.value, $0.key) < ($1.value, $1.key) }
            #expect(deadlines.next == next.map { at($0.value) })
            #expect(deadlines.nextKey == next?.key)
            #expect(deadlines.count == list.count)
            #expect(deadlines[key] == list[key].map { at($0) })
            #expect(deadlines.heap.count <= 2 * list.count + Deadlines<Int>.slack)
        }
    }

    @Test("are equal when the same are set, whatever was set before")
    func equality() {
        var (one, other) = (Deadlines<String>(), Deadlines<String>())
        one.set("a", at: at(10))
        other.set("b", at: at(5))
        other.set("a", at: at(20))
        #expect(one != other)
        other.cancel("b")
        other.set("a", at: at(10))
        #expect(one == other)
    }
}

@Suite("Outbox")
struct OutboxTests {
    @Test("gives orders back in the order they were posted, once")
    func order() {
        var outbox = Outbox<Int>()
        for number in [3, 1, 2] { outbox.post(number) }
        #expect(outbox.drain() == [3, 1, 2])
        #expect(outbox.isEmpty)
    }
}
