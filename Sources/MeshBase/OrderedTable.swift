/// Values under keys, walked in the order of the keys: what a machine keeps wherever it will iterate.
///
/// A sorted array: look-up takes log n comparisons, a change moves at most n elements. Its order depends on
/// the keys only, never on the process, so two runs of one seed walk it alike (which `Dictionary` does not
/// promise).
public struct OrderedTable<Key: Comparable & Sendable, Value: Sendable>: Sendable {
    // Inlinable, all of it: machines do little else than look things up here, with keys and values of their
    // own modules. Unless it is specialised there, asking the runtime about types takes longer than looking.
    @usableFromInline var rising: [Key] = []
    @usableFromInline var stored: [Value] = []

    @inlinable public init() {}

    /// The keys, rising.
    @inlinable public var keys: [Key] { rising }
    /// The values, in the order of their keys.
    @inlinable public var values: [Value] { stored }
    /// How many entries there are.
    @inlinable public var count: Int { rising.count }
    /// Whether there is no entry.
    @inlinable public var isEmpty: Bool { rising.isEmpty }

    /// The value under `key`. Setting nil removes it; modifying in place does not copy.
    @inlinable public subscript(key: Key) -> Value? {
        get {
            let index = position(of: key)
            return index < rising.count && rising[index] == key ? stored[index] : nil
        }
        set {
            let index = position(of: key)
            let isHere = index < rising.count && rising[index] == key
            switch (newValue, isHere) {
            case (let value?, true): stored[index] = value
            case (let value?, false):
                rising.insert(key, at: index)
                stored.insert(value, at: index)
            case (nil, true):
                rising.remove(at: index)
                stored.remove(at: index)
            case (nil, false): break
            }
        }
    }

    /// Changes the value under `key` in place; does nothing, and answers nil, when there is none.
    @discardableResult @inlinable
    public mutating func update<Result>(_ key: Key, _ change: (inout Value) throws -> Result) rethrows
        -> Result?
    {
        let index = position(of: key)
        guard index < rising.count, rising[index] == key else { return nil }
        return try change(&stored[index])
    }

    /// What `look` finds in the value under `key`, which is not copied for that; nil when there is none.
    @inlinable
    public func read<Result>(_ key: Key, _ look: (borrowing Value) throws -> Result) rethrows -> Result? {
        let index = position(of: key)
        guard index < rising.count, rising[index] == key else { return nil }
        return try look(stored[index])
    }

    /// Removes and returns the value under `key`.
    @discardableResult @inlinable
    public mutating func remove(_ key: Key) -> Value? {
        let index = position(of: key)
        guard index < rising.count, rising[index] == key else { return nil }
        rising.remove(at: index)
        return stored.remove(at: index)
    }

    /// Removes every entry for which `isUnwanted` holds, in one pass.
    @inlinable
    public mutating func removeAll(where isUnwanted: (Key, Value) throws -> Bool) rethrows {
        var kept = 0
        for index in rising.indices where try !isUnwanted(rising[index], stored[index]) {
            if kept != index {
                rising[kept] = rising[index]
                stored[kept] = stored[index]
            }
            kept += 1
        }
        rising.removeLast(rising.count - kept)
        stored.removeLast(stored.count - kept)
    }

    /// The index of `key`, or of where it would stand.
    @inlinable func position(of key: Key) -> Int {
        var low = 0
        var high = rising.count
        while low < high {
            let middle = (low + high) / 2
            if rising[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension OrderedTable: Sequence {
    /// Walks the entries by rising key.
    @inlinable
    public func makeIterator() -> Zip2Sequence<[Key], [Value]>.Iterator { zip(keys, values).makeIterator() }
}

extension OrderedTable: Equatable where Value: Equatable {}
extension OrderedTable: Hashable where Key: Hashable, Value: Hashable {}
