/// What may still be sent before the receiver grants more.
struct SendingWindow: Equatable {
    /// Bytes that the receiver was promised never to be exceeded at once.
    let size: Int
    /// Bytes that may be sent now: 0 ... `size`.
    private(set) var credit: Int

    init(size: Int) {
        self.size = size
        credit = size
    }

    /// Uses up credit for bytes that are sent.
    mutating func spend(_ bytes: Int) {
        precondition(bytes <= credit, "sent \(bytes) bytes with credit for \(credit)")
        credit -= bytes
    }

    /// Takes credit from the receiver; false when it would exceed the window, which an honest receiver never
    /// does.
    mutating func grant(_ bytes: Int) -> Bool {
        guard bytes > 0, bytes <= size - credit else { return false }
        credit += bytes
        return true
    }
}

/// What the other side may still send, and what it is owed for bytes that were consumed.
///
/// Credit goes back in steps of at least half a window, so that it costs one small frame for many large ones;
/// a sender that has used up its window always gets a step once half of it is consumed.
struct ReceivingWindow: Equatable {
    /// Bytes of the window.
    let size: Int
    /// Bytes that the sender may still send.
    private(set) var credit: Int
    /// Bytes that were consumed and not granted again yet.
    private(set) var owed = 0

    init(size: Int) {
        self.size = size
        credit = size
    }

    /// Bytes that have come and are not consumed.
    var held: Int { size - credit - owed }

    /// Counts bytes that came; false when the sender had no credit for them.
    mutating func receive(_ bytes: Int) -> Bool {
        guard bytes <= credit else { return false }
        credit -= bytes
        return true
    }

    /// Counts bytes that were consumed; answers what to grant now, or nil to wait for more.
    mutating func consume(_ bytes: Int) -> Int? {
        precondition(bytes >= 0 && bytes <= held, "consumed \(bytes) bytes of \(held)")
        owed += bytes
        guard owed >= size / 2 else { return nil }
        defer {
            credit += owed
            owed = 0
        }
        return owed
    }
}
