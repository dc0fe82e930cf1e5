/// Whose turn it is to send one frame: round robin over those that have something to send.
///
/// Whoever is ready waits for at most one frame of each other one that is ready, which `worstWait` counts for
/// all to see.
struct SendRing {
    private struct Turn {
        let stream: UInt32
        let since: UInt64
    }

    private var turns = Fifo<Turn>()
    private(set) var framesSent: UInt64 = 0
    /// The most frames that anyone ever waited for between being ready and its turn.
    private(set) var worstWait: UInt64 = 0

    /// Whether nobody waits for a turn.
    var isEmpty: Bool { turns.isEmpty }
    /// How many wait for a turn.
    var count: Int { turns.count }

    /// Puts `stream` at the end. The caller sees to it that nobody stands here twice.
    mutating func append(_ stream: UInt32) { turns.append(Turn(stream: stream, since: framesSent)) }

    /// Whose turn it is; nil when nobody is ready.
    mutating func next() -> UInt32? {
        guard let turn = turns.popFirst() else { return nil }
        worstWait = max(worstWait, framesSent - turn.since)
        return turn.stream
    }

    /// Counts one frame that left.
    mutating func countFrame() { framesSent += 1 }
}
