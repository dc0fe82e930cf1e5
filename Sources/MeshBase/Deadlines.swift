/// Many alarms, of which the shell needs to know only the next: time is pulled, never waited for. They ring
/// in the order of their time, and at one time in that of their keys: in each run of a seed alike.
///
/// One deadline a key; setting it again moves it. A binary heap (Williams, "Algorithm 232: Heapsort",
/// Communications of the ACM 7(6), 1964) of what was set: what was moved or cancelled since stays in it, and
/// is passed over when its turn comes; so a change takes log n comparisons and moves at most log n entries.
/// Invariants: what stands first is as it was set last; the heap holds every alarm that is set, and at most
/// `Self.slack` entries more than twice as many.
public struct Deadlines<Key: Comparable & Hashable & Sendable>: Sendable {
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

    /// How many overtaken entries a heap of few keys may hold.
    @inlinable static var slack: Int { 32 }

    @usableFromInline var instants: [Key: Instant] = [:]
    @usableFromInline var heap: [Entry] = []

    @inlinable public init() {}

    /// When the next alarm is due; nil when none is set.
    @inlinable public var next: Instant? { heap.first?.instant }
    /// Whose alarm that is; nil when none is set.
    @inlinable public var nextKey: Key? { heap.first?.key }
    /// How many alarms are set.
    @inlinable public var count: Int { instants.count }

    /// When the alarm of `key` is due; nil when it is not set.
    @inlinable public subscript(key: Key) -> Instant? { instants[key] }

    /// Sets or moves the alarm of `key`.
    @inlinable public mutating func set(_ key: Key, at instant: Instant) {
        guard instants[key] != instant else { return }
        instants[key] = instant
        heap.append(Entry(instant: instant, key: key))
        rise(from: heap.count - 1)
        passOver(key)
    }

    /// Forgets the alarm of `key`, if there is one.
    @inlinable public mutating func cancel(_ key: Key) {
        guard instants.removeValue(forKey: key) != nil else { return }
        passOver(key)
    }

    /// Takes the earliest alarm that is due at `now`; nil when none is.
    @inlinable public mutating func takeDue(at now: Instant) -> Key? {
        guard let first = heap.first, first.instant <= now else { return nil }
        cancel(first.key)
        return first.key
    }

    /// Removes what was moved or cancelled from the front, and from everywhere once it is most of the heap.
    /// Only an entry of `key`, which was changed just now, can have become so in front.
    @inlinable mutating func passOver(_ key: Key) {
        if heap.count > 2 * instants.count + Self.slack {
            heap.removeAll(keepingCapacity: true)
            for (key, instant) in instants { heap.append(Entry(instant: instant, key: key)) }
            for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(from: index) }
        }
        guard heap.first?.key == key else { return }
        while let first = heap.first, instants[first.key] != first.instant {
            let last = heap.removeLast()
            if !heap.isEmpty {
                heap[0] = last
                sink(from: 0)
            }
        }
    }

    @inlinable mutating func rise(from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index] < heap[parent] else { return }
            heap.swapAt(index, parent)
            index = parent
        }
    }

    @inlinable mutating func sink(from start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < heap[index] else { return }
            heap.swapAt(index, child)
            index = child
        }
    }
}

extension Deadlines: Equatable {
    /// Whether the same alarms are set, however it came to that.
    @inlinable public static func == (left: Self, right: Self) -> Bool { left.instants == right.instants }
}
