/// A key that this process counts itself: no stranger chooses it.
public protocol SerialKey: Hashable, Sendable {
    /// A number that is hardly ever that of another key.
    var serial: UInt64 { get }
}

/// Values under keys that this process counts itself, in no order: what a call is looked up in a dozen times.
///
/// Hashing with linear probing (Knuth, The Art of Computer Programming 3, section 6.4, algorithms L and R),
/// the place being the upper bits of the serial times an odd number that its owner draws (Dietzfelbinger et
/// al., A Reliable Randomized Algorithm for the Closest-Pair Problem, 1997): strangers choose no key, but
/// which of them stay, and must not foresee where. A dictionary's keyed hash costs ten times as much.
/// Invariants: the capacity is a power of two, at least twice the number of entries; between the place of a
/// key and where it stands no place is free. Values are long and stay where they were put: beside its key
/// stands only the seat of its value, so that what makes room, or closes a gap, moves none of them.
public struct SerialTable<Key: SerialKey, Value> {
    @usableFromInline struct Slot {
        @usableFromInline let key: Key
        @usableFromInline let seat: Int

        @inlinable init(key: Key, seat: Int) {
            self.key = key
            self.seat = seat
        }
    }

    @usableFromInline var slots: ContiguousArray<Slot?> = []
    /// The values by their seats; nil where nobody sits.
    @usableFromInline var stored: ContiguousArray<Value?> = []
    /// Seats where nobody sits.
    @usableFromInline var free: ContiguousArray<Int> = []
    @usableFromInline var entries = 0
    /// 64 less the capacity's logarithm.
    @usableFromInline var shift: UInt64 = 64

    /// What serials are multiplied with.
    @usableFromInline let spread: UInt64

    /// - Parameter spread: drawn by chance; one is added where it is even.
    @inlinable public init(spread: UInt64) { self.spread = spread | 1 }

    /// How many entries there are.
    @inlinable public var count: Int { entries }
    /// Whether there is no entry.
    @inlinable public var isEmpty: Bool { entries == 0 }

    /// The value under `key`. Setting nil removes it; modifying in place does not copy.
    @inlinable public subscript(key: Key) -> Value? {
        get {
            guard let index = find(key) else { return nil }
            return stored[seat(at: index)]
        }
        set {
            guard let newValue else {
                removeValue(forKey: key)
                return
            }
            insert(newValue, under: key)
        }
        _modify {
            if let index = find(key) {
                let seat = seat(at: index)
                defer { if stored[seat] == nil { vacate(index) } }
                yield &stored[seat]
            } else {
                var value: Value?
                yield &value
                if let value { insert(value, under: key) }
            }
        }
    }

    /// Looks at a value, or changes it, where it stands; nil where there is none.
    @discardableResult @inlinable
    public mutating func update<Answer>(_ key: Key, _ change: (inout Value) -> Answer) -> Answer? {
        guard let index = find(key) else { return nil }
        return change(&stored[seat(at: index)]!)
    }

    /// Removes and returns the value under `key`.
    @discardableResult @inlinable
    public mutating func removeValue(forKey key: Key) -> Value? {
        guard let index = find(key) else { return nil }
        let value = stored[seat(at: index)].take()
        vacate(index)
        return value
    }

    /// The entries for which `isWanted` holds.
    @inlinable public func filter(_ isWanted: (Key, Value) -> Bool) -> [(key: Key, value: Value)] {
        var found: [(key: Key, value: Value)] = []
        for case let slot? in slots {
            guard let value = stored[slot.seat], isWanted(slot.key, value) else { continue }
            found.append((slot.key, value))
        }
        return found
    }

    /// Whether `isWanted` holds for some value.
    @inlinable public func contains(where isWanted: (Value) -> Bool) -> Bool {
        stored.contains { $0.map(isWanted) ?? false }
    }

    @inlinable func place(of key: Key) -> Int {
        Int(truncatingIfNeeded: (key.serial &* spread) >> shift)
    }

    /// Where `key` stands; nil where it does not.
    @inlinable func find(_ key: Key) -> Int? {
        guard count > 0 else { return nil }
        var index = place(of: key)
        while let slot = slots[index] {
            if slot.key == key { return index }
            index = (index + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Where the value sits whose key stands at `index`.
    @inlinable func seat(at index: Int) -> Int {
        guard let slot = slots[index] else { preconditionFailure("no key stands at \(index)") }
        return slot.seat
    }

    @inlinable mutating func insert(_ value: consuming Value, under key: Key) {
        if let index = find(key) {
            stored[seat(at: index)] = value
            return
        }
        if 2 * (count + 1) > slots.count { grow() }
        if let seat = free.popLast() {
            stored[seat] = value
            settle(Slot(key: key, seat: seat))
        } else {
            settle(Slot(key: key, seat: stored.count))
            stored.append(value)
        }
        entries += 1
    }

    /// Puts a key that is not here on the first free place.
    @inlinable mutating func settle(_ slot: Slot) {
        var index = place(of: slot.key)
        while slots[index] != nil { index = (index + 1) & (slots.count - 1) }
        slots[index] = slot
    }

    @inlinable mutating func grow() {
        let before = slots
        let capacity = max(2 * before.count, 16)
        slots = ContiguousArray(repeating: nil, count: capacity)
        shift = UInt64(64 - capacity.trailingZeroBitCount)
        for case let slot? in before { settle(slot) }
    }

    /// Frees a place whose value is gone, and moves up what stands behind it only because it was taken.
    @inlinable mutating func vacate(_ index: Int) {
        free.append(seat(at: index))
        let mask = slots.count - 1
        var gap = index
        var next = (gap + 1) & mask
        while let slot = slots[next] {
            if (next - place(of: slot.key)) & mask >= (next - gap) & mask {
                slots.swapAt(gap, next)
                gap = next
            }
            next = (next + 1) & mask
        }
        slots[gap] = nil
        entries -= 1
    }
}

extension SerialTable.Slot: Sendable {}
extension SerialTable: Sendable where Value: Sendable {}

extension SerialTable: Equatable where Value: Equatable {
    /// Whether the same values stand under the same keys.
    @inlinable public static func == (left: Self, right: Self) -> Bool {
        left.count == right.count
            && left.slots.allSatisfy { slot in
                slot.map { left.stored[$0.seat] == right[$0.key] } ?? true
            }
    }
}
