import NIOCore

/// First in, first out, without moving elements on each removal.
struct Fifo<Element> {
    private var slots: [Element?] = []
    private var head = 0

    /// How many elements wait.
    var count: Int { slots.count - head }
    /// Whether none waits.
    var isEmpty: Bool { count == 0 }
    /// The element that leaves next.
    var first: Element? { head < slots.count ? slots[head] : nil }

    mutating func append(_ element: Element) { slots.append(element) }

    mutating func popFirst() -> Element? {
        guard head < slots.count else { return nil }
        let element = slots[head]
        slots[head] = nil
        head += 1
        if head == slots.count {
            slots.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 64 && head * 2 >= slots.count {
            slots.removeFirst(head)
            head = 0
        }
        return element
    }
}

/// The bytes of one stream that wait to be sent, in the buffers they came in. One buffer, the common case, allocates nothing.
struct OutgoingBytes {
    private var first: ByteBuffer?
    private var rest = Fifo<ByteBuffer>()
    /// Bytes that wait.
    private(set) var count = 0

    mutating func append(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        count += bytes.readableBytes
        if first == nil { first = bytes } else { rest.append(bytes) }
    }

    /// Moves `wanted` bytes (at most `count`) to the end of `batch`.
    mutating func take(_ wanted: Int, into batch: inout ByteBuffer) {
        precondition(wanted <= count, "took \(wanted) bytes of \(count)")
        count -= wanted
        var missing = wanted
        while missing > 0, var buffer = first.take() {
            guard let piece = buffer.readSlice(length: min(missing, buffer.readableBytes)) else { return }
            missing -= piece.readableBytes
            batch.writeImmutableBuffer(piece)
            first = buffer.readableBytes > 0 ? buffer : rest.popFirst()
        }
    }

    mutating func removeAll() { self = OutgoingBytes() }
}

/// Whose turn it is to send one frame: round robin over those that have something to send.
///
/// Whoever is ready waits for at most one frame of each other one that is ready, which `worstWait` counts for all to see.
struct SendRing {
    private struct Turn {
        let stream: UInt32
        let since: UInt64
    }

    private var turns = Fifo<Turn>()
    private var framesSent: UInt64 = 0
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
