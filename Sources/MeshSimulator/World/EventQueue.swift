import MeshBase

/// What is to happen, by time, and of one time in the order in which it was put in. A binary heap of small
/// entries; the events, which are large, stay where they are until their time has come.
struct EventQueue<Event: Sendable>: Sendable {
    private struct Entry: Sendable {
        let due: Instant
        let serial: UInt64
        let slot: Int

        func precedes(_ other: Entry) -> Bool {
            due == other.due ? serial < other.serial : due < other.due
        }
    }

    private var heap: [Entry] = []
    private var events: [Event?] = []
    private var freeSlots: [Int] = []
    private var serial: UInt64 = 0

    /// When the next is due; nil when nothing is left.
    var next: Instant? { heap.first?.due }

    mutating func push(_ event: Event, at due: Instant) {
        serial += 1
        let slot = freeSlots.popLast() ?? events.count
        if slot == events.count { events.append(event) } else { events[slot] = event }
        heap.append(Entry(due: due, serial: serial, slot: slot))
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> Event? {
        guard let first = heap.first else { return nil }
        let event = events[first.slot]
        events[first.slot] = nil
        freeSlots.append(first.slot)
        let last = heap.removeLast()
        guard !heap.isEmpty else { return event }
        heap[0] = last
        sink()
        return event
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in 2 * parent + 1...2 * parent + 2 where child < heap.count {
                if heap[child].precedes(heap[least]) { least = child }
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
