/// Many alarms, of which the shell needs to know only the next: time is pulled, never waited for.
///
/// One deadline a key; setting it again moves it. All operations take log n comparisons and move at most n
/// elements.
public struct Deadlines<Key: Comparable & Sendable>: Sendable, Equatable {
    @usableFromInline struct Entry: Comparable, Sendable {
        @usableFromInline let instant: Instant
        @usableFromInline let key: Key

        @inlinable init(instant: Instant, key: Key) {
            self.instant = instant
            self.key = key
        }

        @inlinable static func < (left: Self, right: Self) -> Bool {
            left.instant == right.instant ? left.key < right.key : left.instant < right.instant
        }
    }

    @usableFromInline struct Nothing: Sendable, Equatable {
        @inlinable init() {}
    }
    @usableFromInline var instants = OrderedTable<Key, Instant>()
    @usableFromInline var queue = OrderedTable<Entry, Nothing>()

    @inlinable public init() {}

    /// When the next alarm is due; nil when none is set.
    @inlinable public var next: Instant? { queue.keys.first?.instant }
    /// Whose alarm that is; nil when none is set.
    @inlinable public var nextKey: Key? { queue.keys.first?.key }
    /// How many alarms are set.
    @inlinable public var count: Int { instants.count }

    /// When the alarm of `key` is due; nil when it is not set.
    @inlinable public subscript(key: Key) -> Instant? { instants[key] }

    /// Sets or moves the alarm of `key`.
    @inlinable public mutating func set(_ key: Key, at instant: Instant) {
        if let old = instants[key] { queue[Entry(instant: old, key: key)] = nil }
        instants[key] = instant
        queue[Entry(instant: instant, key: key)] = Nothing()
    }

    /// Forgets the alarm of `key`, if there is one.
    @inlinable public mutating func cancel(_ key: Key) {
        guard let old = instants.remove(key) else { return }
        queue[Entry(instant: old, key: key)] = nil
    }

    /// Takes the earliest alarm that is due at `now`; nil when none is.
    @inlinable public mutating func takeDue(at now: Instant) -> Key? {
        guard let first = queue.keys.first, first.instant <= now else { return nil }
        cancel(first.key)
        return first.key
    }
}
