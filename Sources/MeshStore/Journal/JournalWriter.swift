import Glibc

/// The end of the journal: which segments there are, and how records get behind the last of them.
///
/// One append is one `pwrite` at a known place. When it fails or is short, the file is cut back to where it
/// was; until that has worked nothing else is written, so that a full disk never leaves garbage between two
/// records.
struct JournalWriter {
    /// One file of the journal.
    struct Segment: Equatable {
        let name: SegmentName
        /// Its length; of the last one, where the next record goes.
        var length: Int
    }

    let folder: String
    let folderDescriptor: Int32
    let limits: JournalLimits
    let disk: JournalDisk
    /// All that are kept, by rising number; the last one is being written.
    private(set) var segments: [Segment]
    /// Bytes of all of them.
    private(set) var total: Int64
    /// The file of the last segment.
    private(set) var descriptor: Int32
    /// Files that are full but not synced yet. Whoever syncs takes and closes them.
    var finished: [Int32] = []
    /// Whether files were made or removed since the folder was last synced.
    var hasNewNames = false
    /// The `errno` of a write whose trace is not cut off yet.
    private var tear: Int32?

    init(
        folder: String, folderDescriptor: Int32, limits: JournalLimits, disk: JournalDisk,
        segments: [Segment],
        descriptor: Int32
    ) {
        self.folder = folder
        self.folderDescriptor = folderDescriptor
        self.limits = limits
        self.disk = disk
        self.segments = segments
        self.descriptor = descriptor
        total = segments.reduce(0) { $0 + Int64($1.length) }
    }

    private var last: Segment { segments[segments.count - 1] }

    /// Where the next record goes.
    var end: JournalPosition { JournalPosition(segment: last.name.number, offset: UInt32(last.length)) }

    /// Where the first record that is kept stands.
    var start: JournalPosition {
        JournalPosition(segment: segments[0].name.number, offset: UInt32(SegmentName.magic.count))
    }

    /// Appends these records of `batch`, all or none; answers how many bytes they took.
    mutating func append(_ batch: inout JournalBatch, _ records: Range<Int>) throws(JournalError) -> Int {
        try repair()
        let frames = try frames(of: records, in: batch)
        if last.length + frames.count > limits.segmentBytes { try begin() }
        batch.fillHeads(of: records, salt: last.name.salt)
        let (result, offset) = (write(batch.bytes[frames], at: last.length), last.length)
        switch result {
        case .success(frames.count):
            segments[segments.count - 1].length = offset + frames.count
            total += Int64(frames.count)
            return frames.count
        case .success: try undo(failure: ENOSPC)
        case .failure(let failure): try undo(failure: failure.code)
        }
        return 0
    }

    /// Drops the segments before `number` from the list, never the last one, and answers their names.
    mutating func drop(before number: UInt32) -> [SegmentName] {
        let dropped = segments.dropLast().prefix { $0.name.number < number }
        segments.removeFirst(dropped.count)
        total -= dropped.reduce(0) { $0 + Int64($1.length) }
        hasNewNames = hasNewNames || !dropped.isEmpty
        return dropped.map(\.name)
    }

    /// Where they stand in `batch`, once none is found too long, nor are all together.
    private func frames(
        of records: Range<Int>, in batch: JournalBatch
    ) throws(JournalError) -> Range<Int> {
        for index in records {
            let length = batch.frame(index).count - JournalFrame.headLength
            guard (1...limits.recordBytes).contains(length) else {
                throw .tooLong(lengthInBytes: length, limit: limits.recordBytes)
            }
        }
        let frames = batch.frames(records)
        let most = limits.segmentBytes - SegmentName.magic.count
        guard frames.count <= most else { throw .tooLong(lengthInBytes: frames.count, limit: most) }
        return frames
    }

    /// Begins a segment in place of one whose sync failed; one that is new and could not be synced itself
    /// gets its first bytes again, so that there is something to sync. Both it and the folder must be synced
    /// then.
    mutating func beginAnew() throws(JournalError) {
        try repair()
        guard last.length == SegmentName.magic.count else { return try begin() }
        switch write(SegmentName.magic[...], at: 0) {
        case .success(SegmentName.magic.count): hasNewNames = true
        case .success: throw .full(path: folder)
        case .failure(let failure): throw .failed(operation: .write, path: folder, code: failure.code)
        }
    }

    /// Begins the next segment. The folder is not synced here, on the path of a call: whoever syncs the
    /// segment does it first.
    private mutating func begin() throws(JournalError) {
        var salts = SystemRandomNumberGenerator()
        let name = SegmentName(number: last.name.number + 1, salt: salts.next())
        let made = try Self.create(name, in: folder, folderDescriptor: folderDescriptor, disk: disk)
        finished.append(descriptor)
        descriptor = made
        hasNewNames = true
        segments.append(Segment(name: name, length: SegmentName.magic.count))
        total += Int64(SegmentName.magic.count)
    }

    /// Makes the file of a segment with its first bytes.
    static func create(
        _ name: SegmentName, in folder: String, folderDescriptor: Int32, disk: JournalDisk
    ) throws(JournalError) -> Int32 {
        let path = folder + "/" + name.description
        let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC
        let descriptor: Int32
        switch uninterrupted({ openat(folderDescriptor, name.description, flags, 0o600) }) {
        case .success(let made): descriptor = made
        case .failure(let failure) where failure.code == ENOSPC || failure.code == EDQUOT:
            throw .full(path: folder)
        case .failure(let failure): throw .failed(operation: .create, path: path, code: failure.code)
        }
        let written = uninterrupted { SegmentName.magic.withUnsafeBytes { disk.write(descriptor, $0, 0) } }
        if case .success(SegmentName.magic.count) = written { return descriptor }
        close(descriptor)
        unlinkat(folderDescriptor, name.description, 0)
        guard case .failure(let failure) = written, failure.code != ENOSPC, failure.code != EDQUOT else {
            throw .full(path: folder)
        }
        throw .failed(operation: .write, path: path, code: failure.code)
    }

    private func write(_ bytes: ArraySlice<UInt8>, at offset: Int) -> Result<Int, SystemFailure> {
        uninterrupted { bytes.withUnsafeBytes { disk.write(descriptor, $0, offset) } }
    }

    private mutating func undo(failure code: Int32) throws(JournalError) {
        tear = code
        try repair()
        if code == ENOSPC || code == EDQUOT { throw .full(path: folder) }
        throw .failed(operation: .write, path: folder, code: code)
    }

    /// Cuts off what a failed write may have left.
    private mutating func repair() throws(JournalError) {
        guard tear != nil else { return }
        if case .failure(let failure) = uninterrupted({ disk.truncate(descriptor, last.length) }) {
            throw .torn(path: folder, code: failure.code)
        }
        tear = nil
    }
}
