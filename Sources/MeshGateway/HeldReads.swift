/// Whether a channel reads on: while it is held back, the read that the loop asked for is owed to it.
struct HeldReads {
    private(set) var isHeld = false
    private var isOwed = false

    /// Nothing more is to be read for now.
    mutating func hold() { isHeld = true }

    /// What it was held back for is over, and what is owed stays owed.
    mutating func forget() { isHeld = false }

    /// Reading goes on.
    /// - Returns: whether a read is to be made up for.
    mutating func release() -> Bool {
        defer { (isHeld, isOwed) = (false, false) }
        return isOwed
    }

    /// Whether a read is put off; it is owed then.
    mutating func putsOff() -> Bool {
        if isHeld { isOwed = true }
        return isHeld
    }
}
