/// Many alarms, of which the shell needs to know only the next: time is pulled, never waited for. They ring
/// in the order of their time, and at one time in that of their keys: in each run of a seed alike.
///
/// One deadline a key; setting it again moves it. A binary heap (Williams, "Algorithm 232: Heapsort",
/// Communications of the ACM 7(6), 1964) of what was set: what was moved or cancelled since stays in it, and
/// is passed over when its turn comes; so a change takes log n comparisons and moves at most log n entries.
/// Invariants: what stands first is as it was set last; the heap holds every alarm that is set, and at most
/// `Self.slack` entries more than twice as many.
public struct DeadlineHeap<Instants: InstantTable> {
    /// Whose an alarm is.
    public typealias Key = Instants.Key

    @usableFromInline struct Entry: Comparable {
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

    @usableFromInline var instants: Instants
    @usableFromInline var heap: [Entry] = []

    /// - Parameter instants: empty.
    @inlinable public init(_ instants: Instants) { self.instants = instants }

    @inlinable public init<Name: Hashable>() where Instants == [Name: Instant] { self.init([:]) }

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
            for (key, instant) in instants.alarms { heap.append(Entry(instant: instant, key: key)) }
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

extension DeadlineHeap.Entry: Sendable where Instants.Key: Sendable {}
extension DeadlineHeap: Sendable where Instants: Sendable, Instants.Key: Sendable {}

extension DeadlineHeap: Equatable {
    /// Whether the same alarms are set, however it came to that.
    @inlinable public static func == (left: Self, right: Self) -> Bool { left.instants == right.instants }
}

/// Alarms under keys of any kind.
public typealias Deadlines<Key: Comparable & Hashable & Sendable> = DeadlineHeap<[Key: Instant]>

/// Alarms under keys that this process counts itself: they are found without a keyed hash.
public typealias SerialDeadlines<Key: SerialKey & Comparable> = DeadlineHeap<SerialTable<Key, Instant>>

/// When each alarm is due.
public protocol InstantTable: Equatable {
    /// Whose an alarm is.
    associatedtype Key: Comparable
    /// How many alarms there are.
    var count: Int { get }
    /// All of them, in no order.
    var alarms: [(key: Key, instant: Instant)] { get }
    /// When the alarm of `key` is due; nil where it has none.
    subscript(key: Key) -> Instant? { get set }
    /// Removes the alarm of `key`, and returns when it was due.
    mutating func removeValue(forKey key: Key) -> Instant?
}

extension Dictionary: InstantTable where Key: Comparable, Value == Instant {
    @inlinable public var alarms: [(key: Key, instant: Instant)] { map { ($0.key, $0.value) } }
}

extension SerialTable: InstantTable where Key: Comparable, Value == Instant {
    @inlinable public var alarms: [(key: Key, instant: Instant)] {
        filter { _, _ in true }.map { ($0.key, $0.value) }
    }
}
