import MeshBase
import Testing

@Suite("A table under keys that this process counts")
struct SerialTableTests {
    private struct Key: SerialKey {
        let serial: UInt64
    }

    @Test("holds what a dictionary holds, whatever comes and goes, however keys collide", arguments: 1...40)
    func likeADictionary(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let spread = seed % 5 == 0 ? seed : generator.next()
        var table = SerialTable<Key, [Int]>(spread: spread)
        var model: [UInt64: [Int]] = [:]
        // Few different keys, many of them with one place; in some seeds counted, as in life.
        let stride: UInt64 = seed % 4 == 0 ? 1 : 1 << (seed % 60)
        for step in 0..<2_000 {
            let key = Key(serial: generator.next() % 97 &* stride)
            switch generator.next() % 6 {
            case 0, 1:
                table[key] = [step]
                model[key.serial] = [step]
            case 2:
                table[key]?.append(step)
                model[key.serial]?.append(step)
            case 3:
                let (removed, expected) = (
                    table.removeValue(forKey: key), model.removeValue(forKey: key.serial)
                )
                #expect(removed == expected)
            case 4:
                table[key] = nil
                model[key.serial] = nil
            default:
                let (changed, expected) = (
                    table.update(key) { value -> Int in
                        value.append(-step)
                        return value.count
                    }, model[key.serial].map { $0.count + 1 }
                )
                model[key.serial]?.append(-step)
                #expect(changed == expected)
            }
            #expect(table[key] == model[key.serial])
            #expect(table.count == model.count && table.isEmpty == model.isEmpty)
        }
        let all = table.filter { _, _ in true }
        #expect(Dictionary(uniqueKeysWithValues: all.map { ($0.key.serial, $0.value) }) == model)
        #expect(model.allSatisfy { table[Key(serial: $0.key)] == $0.value })
    }

    @Test("is the same as another with the same values, however it came to them")
    func equality() {
        var (one, other) = (SerialTable<Key, Int>(spread: 7), SerialTable<Key, Int>(spread: 0x9e37_79b9))
        for number in 0..<100 { one[Key(serial: UInt64(number))] = number }
        for number in (0..<300).reversed() { other[Key(serial: UInt64(number))] = number }
        #expect(one != other)
        for number in 100..<300 { other.removeValue(forKey: Key(serial: UInt64(number))) }
        #expect(one == other && one.contains { $0 == 99 } && !one.contains { $0 == 100 })
        other[Key(serial: 7)] = 8
        #expect(one != other)
    }

    @Test("a value that is changed where it stands is not copied")
    func inPlace() {
        var table = SerialTable<Key, [Int]>(spread: 3)
        table[Key(serial: 1)] = Array(repeating: 0, count: 1_000)
        let before = table[Key(serial: 1)]?.withUnsafeBufferPointer { $0.baseAddress }
        table[Key(serial: 1)]?[5] = 1
        table.update(Key(serial: 1)) { $0[6] = 1 }
        let after = table[Key(serial: 1)]?.withUnsafeBufferPointer { $0.baseAddress }
        #expect(before == after)
    }
}
