import MeshBase

/// How large the journal and its parts may become.
public struct JournalLimits: Equatable, Sendable {
    /// Bytes of one segment; a batch that does not fit begins the next one. Default 16 MiB, at least one
    /// record.
    public var segmentBytes: Int
    /// Bytes of all segments, above which no room is given any more. Default 2 GiB.
    public var totalBytes: Int64
    /// Bytes of one record. Default `Limits.auditRecord`.
    public var recordBytes: Int
    /// Bytes of the file system that are never given away. Default 16 MiB: SQLite needs some to say that the
    /// disk is full.
    public var freeBytesKept: Int64
    /// The least time between two syncs, in milliseconds. Default 10.
    public var syncIntervalMilliseconds: Int

    public init(
        segmentBytes: Int = Limits.journalSegment, totalBytes: Int64 = 2 << 30,
        recordBytes: Int = Limits.auditRecord, freeBytesKept: Int64 = 16 << 20,
        syncIntervalMilliseconds: Int = 10
    ) {
        self.segmentBytes = segmentBytes
        self.totalBytes = totalBytes
        self.recordBytes = recordBytes
        self.freeBytesKept = freeBytesKept
        self.syncIntervalMilliseconds = syncIntervalMilliseconds
    }

    /// The most that a record takes in the file, with its head.
    public var recordFootprint: Int { recordBytes + JournalFrame.headLength }
}
