/// A place in the journal: between two records. Positions rise with time and survive a restart.
public struct JournalPosition: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Counts segments from 1; 0 is before everything.
    public let segment: UInt32
    /// Bytes from the start of the segment's file.
    public let offset: UInt32

    public init(segment: UInt32, offset: UInt32) {
        self.segment = segment
        self.offset = offset
    }

    /// Before the first record that is still kept.
    public static let start = JournalPosition(segment: 0, offset: 0)

    /// One number that sorts as the position does, for a column of a table.
    public var number: Int64 { Int64(segment) << 32 | Int64(offset) }

    /// - Parameter number: what `number` gave; a negative one is the start.
    public init(number: Int64) {
        let kept = max(0, number)
        self.init(segment: UInt32(truncatingIfNeeded: kept >> 32), offset: UInt32(truncatingIfNeeded: kept))
    }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }

    /// `SEGMENT+OFFSET`.
    public var description: String { "\(segment)+\(offset)" }
}

/// What a reader of the journal meets, in order.
public enum JournalItem: Equatable, Sendable {
    /// One record: where it begins, where the next one does, and its bytes.
    case record(at: JournalPosition, next: JournalPosition, bytes: [UInt8])
    /// Bytes that are no record any more: the disk or somebody else changed them.
    case damage(JournalDamage)
}

/// A stretch of one segment that cannot be read.
public struct JournalDamage: Equatable, Sendable, CustomStringConvertible {
    /// Where it begins.
    public let from: JournalPosition
    /// Where the next readable record, or the next segment's end, is.
    public let to: JournalPosition

    /// How much was lost.
    public var lengthInBytes: Int { Int(to.offset) - Int(from.offset) }

    public var description: String {
        "segment \(from.segment) of the audit journal: \(lengthInBytes) bytes from \(from.offset) on"
            + " are damaged; everything before and after them was kept"
    }
}

/// Whether a reader wants more.
public enum JournalReading: Sendable {
    /// The next record, please.
    case goOn
    /// Enough.
    case stop
}

/// One file of the journal.
public struct JournalSegment: Equatable, Sendable {
    /// Its number, from 1.
    public let number: UInt32
    /// Its length.
    public let lengthInBytes: Int64
    /// When it was last written, in milliseconds since the Unix epoch; nil for the one that is being written.
    public let closedMilliseconds: Int64?
}
