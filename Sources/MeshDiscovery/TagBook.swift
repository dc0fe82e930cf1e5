import MeshBase

/// Knows the tags of the nodes we hold pins of, for this hour and its two neighbours and the standing ones,
/// so that a sighting costs one look-up.
///
/// Clocks may differ by an hour and a tag still be recognised. Tags are made once an hour, or when a node is
/// added.
struct TagBook: Sendable, Equatable {
    private struct Entry: Sendable, Equatable, Comparable {
        let tag: SightingTag
        let node: NodeID
        static func < (left: Self, right: Self) -> Bool { (left.tag, left.node) < (right.tag, right.node) }
    }

    /// Each node with the key of its tags; nil until the next `learn`.
    private var keys = OrderedTable<NodeID, Digest?>()
    /// Rising by tag.
    private var entries: [Entry] = []
    /// The middle hour of `entries`; nil before the first `learn`.
    private var hour: Int64?
    private var hasNewcomers = false

    /// Will recognise `node` from the next `learn` on.
    mutating func add(_ node: NodeID) {
        guard keys[node] == nil else { return }
        keys[node] = .some(nil)
        hasNewcomers = true
    }

    /// Recognises `node` no more.
    mutating func remove(_ node: NodeID) {
        guard keys.remove(node) != nil else { return }
        entries.removeAll { $0.node == node }
    }

    /// Makes what tags are missing. Answers whether there are new ones.
    mutating func learn(hour now: Int64, using suite: some SignatureSuite) -> Bool {
        guard hasNewcomers || hour != now else { return false }
        var made: [Entry] = []
        made.reserveCapacity(keys.count * 4)
        for (node, known) in keys {
            let key = known ?? SightingTag.key(of: node, using: suite)
            if known == nil { keys[node] = .some(key) }
            for hour in [SightingTag.noHour, now - 1, now, now + 1] {
                made.append(Entry(tag: .init(hour: hour, key: key, using: suite), node: node))
            }
        }
        entries = made.sorted()
        hour = now
        hasNewcomers = false
        return true
    }

    /// Whose tag this is; nil when it is nobody's we know, or more than an hour off.
    func recognise(_ tag: SightingTag) -> NodeID? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].tag < tag { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].tag == tag ? entries[low].node : nil
    }
}
