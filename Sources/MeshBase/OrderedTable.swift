/// Values under keys, walked in the order of the keys: what a machine keeps wherever it will iterate.
///
/// A sorted array: look-up takes log n comparisons, a change moves at most n elements. Its order depends on
/// the keys only, never on the process, so two runs of one seed walk it alike (which `Dictionary` does not
/// promise).
public struct OrderedTable<Key: Comparable & Sendable, Value: Sendable>: Sendable {
    /// The keys, rising.
    public private(set) var keys: [Key] = []
    /// The values, in the order of their keys.
    public private(set) var values: [Value] = []

    public init() {}

    /// How many entries there are.
    public var count: Int { keys.count }
    /// Whether there is no entry.
    public var isEmpty: Bool { keys.isEmpty }

    /// The value under `key`. Setting nil removes it; modifying in place does not copy.
    public subscript(key: Key) -> Value? {
        get {
            let index = position(of: key)
            return index < keys.count && keys[index] == key ? values[index] : nil
        }
        set {
            let index = position(of: key)
            let isHere = index < keys.count && keys[index] == key
            switch (newValue, isHere) {
            case (let value?, true): values[index] = value
            case (let value?, false):
                keys.insert(key, at: index)
                values.insert(value, at: index)
            case (nil, true):
                keys.remove(at: index)
                values.remove(at: index)
            case (nil, false): break
            }
        }
    }

    /// Changes the value under `key` in place; does nothing, and answers nil, when there is none.
    @discardableResult
    public mutating func update<Result>(_ key: Key, _ change: (inout Value) throws -> Result) rethrows
        -> Result?
    {
        let index = position(of: key)
        guard index < keys.count, keys[index] == key else { return nil }
        return try change(&values[index])
    }

    /// Removes and returns the value under `key`.
    @discardableResult
    public mutating func remove(_ key: Key) -> Value? {
        let index = position(of: key)
        guard index < keys.count, keys[index] == key else { return nil }
        keys.remove(at: index)
        return values.remove(at: index)
    }

    /// Removes every entry for which `isUnwanted` holds, in one pass.
    public mutating func removeAll(where isUnwanted: (Key, Value) throws -> Bool) rethrows {
        var kept = 0
        for index in keys.indices where try !isUnwanted(keys[index], values[index]) {
            if kept != index {
                keys[kept] = keys[index]
                values[kept] = values[index]
            }
            kept += 1
        }
        keys.removeLast(keys.count - kept)
        values.removeLast(values.count - kept)
    }

    /// The index of `key`, or of where it would stand.
    private func position(of key: Key) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension OrderedTable: Sequence {
    /// Walks the entries by rising key.
    public func makeIterator() -> Zip2Sequence<[Key], [Value]>.Iterator { zip(keys, values).makeIterator() }
}

extension OrderedTable: Equatable where Value: Equatable {}
extension OrderedTable: Hashable where Key: Hashable, Value: Hashable {}
