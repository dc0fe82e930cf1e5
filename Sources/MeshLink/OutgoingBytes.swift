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

/// The bytes of one stream that wait to be sent, in the buffers they came in. One buffer, the common case,
/// allocates nothing. Small pieces behind it are put together: each could otherwise keep the whole read that
/// brought it.
struct OutgoingBytes {
    /// Pieces below this size are copied when others wait before them.
    private static let small = 8 * 1024

    private var first: ByteBuffer?
    private var rest = Fifo<ByteBuffer>()
    /// Small pieces, behind `rest`.
    private var tail = ByteBuffer()
    /// Bytes that wait.
    private(set) var count = 0

    mutating func append(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        count += bytes.readableBytes
        if first == nil {
            first = bytes
        } else if bytes.readableBytes < Self.small {
            tail.writeImmutableBuffer(bytes)
            if tail.readableBytes >= Self.small { closeTail() }
        } else {
            closeTail()
            rest.append(bytes)
        }
    }

    private mutating func closeTail() {
        guard tail.readableBytes > 0 else { return }
        rest.append(tail)
        tail = ByteBuffer()
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
            first = buffer.readableBytes > 0 ? buffer : next()
        }
    }

    private mutating func next() -> ByteBuffer? {
        if rest.isEmpty { closeTail() }
        return rest.popFirst()
    }

    mutating func removeAll() { self = OutgoingBytes() }
}
