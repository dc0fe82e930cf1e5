import Glibc

/// Walks the records of one segment's file, through a window of bounded size, and finds the next record
/// behind damage.
struct SegmentScanner {
    /// What stands in the file, in order and without gaps.
    enum Item: Equatable {
        case record(start: Int, end: Int, bytes: [UInt8])
        case damage(start: Int, end: Int)
    }

    /// Checksums over this many bytes are computed in search of the next record, then the rest counts as
    /// damaged: whoever filled a file with lengths that look right must not hold up the start.
    private static let searchBudget = 64 << 20
    /// How much of the file is read at a time by whoever reads on.
    static let windowLength = 256 << 10

    private let descriptor: Int32
    private let path: String
    private let salt: UInt32
    private let end: Int
    private let recordLimit: Int
    private let windowLength: Int
    private var offset: Int
    private var window: [UInt8] = []
    private var windowStart = 0
    private var searchBudget = Self.searchBudget

    /// Whether a search was given up: what is behind the last damage is not known to be a torn tail.
    var hasGivenUp: Bool { searchBudget <= 0 }

    /// - Parameters:
    ///   - start: where a record begins.
    ///   - end: where the file ends, or ended when somebody looked.
    ///   - windowLength: how much is read at a time; a long record takes more.
    init(
        descriptor: Int32, path: String, salt: UInt32, from start: Int, upTo end: Int, recordLimit: Int,
        windowLength: Int = Self.windowLength
    ) {
        self.descriptor = descriptor
        self.path = path
        self.salt = salt
        self.end = end
        self.recordLimit = recordLimit
        self.windowLength = windowLength
        offset = start
    }

    /// The next item; nil at the end.
    mutating func next() throws(JournalError) -> Item? {
        guard offset < end else { return nil }
        let start = offset
        if let bytes = try record(at: start) {
            offset = start + JournalFrame.headLength + bytes.count
            return .record(start: start, end: offset, bytes: bytes)
        }
        var candidate = start + 1
        while candidate + JournalFrame.headLength < end, searchBudget > 0 {
            if try record(at: candidate) != nil {
                offset = candidate
                return .damage(start: start, end: candidate)
            }
            candidate += 1
        }
        offset = end
        return .damage(start: start, end: end)
    }

    /// The record whose frame begins at `start`; nil when none does.
    mutating func record(at start: Int) throws(JournalError) -> [UInt8]? {
        let head = JournalFrame.headLength
        guard start + head < end else { return nil }
        try fill(from: start)
        let index = start - windowStart
        let length = Int(word(at: index))
        guard length > 0, length <= recordLimit, start + head + length <= end,
            index + head + length <= window.count
        else { return nil }
        searchBudget -= length
        let expected = word(at: index + 4)
        let range = index + head..<index + head + length
        let found = window.withUnsafeBytes {
            JournalFrame.checksum(of: UnsafeRawBufferPointer(rebasing: $0[range]), salt: salt)
        }
        guard found == expected else { return nil }
        searchBudget += length
        return Array(window[range])
    }

    private func word(at index: Int) -> UInt32 {
        window.withUnsafeBytes { UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: index, as: UInt32.self)) }
    }

    /// Makes the window hold the longest record that may begin at `start`, or all up to the end.
    private mutating func fill(from start: Int) throws(JournalError) {
        let needed = min(JournalFrame.headLength + recordLimit, end - start)
        if start >= windowStart, start + needed <= windowStart + window.count { return }
        let wanted = min(max(windowLength, needed), end - start)
        window = [UInt8](repeating: 0, count: wanted)
        windowStart = start
        var filled = 0
        while filled < wanted {
            let result = uninterrupted {
                window.withUnsafeMutableBytes {
                    pread(
                        descriptor, $0.baseAddress.map { $0 + filled }, wanted - filled, off_t(start + filled)
                    )
                }
            }
            switch result {
            case .success(0): return
            case .success(let count): filled += count
            case .failure(let failure): throw .failed(operation: .read, path: path, code: failure.code)
            }
        }
    }
}
