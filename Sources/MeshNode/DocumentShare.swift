/// How connections share a node's control plane: the agent's mailbox holds to it, and the simulator where
/// work takes time. In bytes.
public enum DocumentShare {
    /// What is taken up of one connection before the others' turn: 4 KiB, two documents or so. Longer turns
    /// serve nobody better, for a batch is made durable as a whole.
    public static let turn = 4 * 1_024
    /// What is taken up of all before any decision on it is durable and let out: 16 KiB and the last
    /// document, one or two milliseconds of work, of one connection while nothing else waits
    /// (`DocumentTurns`). A longer batch would sync the disk less often, and be let out later.
    public static let batchMost = 16 * 1_024
    /// What a connection may be ahead, so that nobody's documents fill this node's memory: 1 MiB, and then
    /// nothing more is read of it until half of that is taken up, which is a tenth of a second's work.
    /// All that have ended together may have left twice that.
    public static let aheadMost = 1_024 * 1_024

    /// What taking up a document counts for, above zero: its own bytes, and for the work that each takes
    /// whatever its length, signatures first of all, one kibibyte more.
    public static func cost(ofDocument length: Int) -> Int { length + other }

    /// What anything else of a connection counts for: its beginning, its end, what a ping told.
    public static let other = 1_024
}
