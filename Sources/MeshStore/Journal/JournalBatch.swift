/// Records on their way into the journal, each where it will be written from: behind the room of its head,
/// which the journal fills in once it is known in which segment they stand.
public struct JournalBatch: Sendable {
    /// Frames, one behind the other.
    private(set) var bytes: [UInt8] = []
    /// Where each of them ends.
    private var ends: [Int] = []

    /// Bytes of room that are kept for what comes next; one turn of many calls may have needed far more.
    private static let roomKept = 64 * 1024
    private static let emptyHead = [UInt8](repeating: 0, count: JournalFrame.headLength)

    public init() {}

    /// Of records that are there.
    public init(_ records: [[UInt8]]) {
        for record in records { append { $0.append(contentsOf: record) } }
    }

    /// How many records it holds.
    public var count: Int { ends.count }

    /// Adds a record: the bytes that `write` appends.
    public mutating func append(_ write: (inout [UInt8]) -> Void) {
        bytes.append(contentsOf: Self.emptyHead)
        write(&bytes)
        ends.append(bytes.count)
    }

    /// Forgets what it holds, and keeps some of the room.
    public mutating func removeAll() {
        if bytes.capacity > Self.roomKept { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
        ends.removeAll(keepingCapacity: true)
    }

    /// Where the frame of record `index` stands.
    func frame(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    /// Where those of several stand.
    func frames(_ records: Range<Int>) -> Range<Int> {
        guard let last = records.last else { return 0..<0 }
        return frame(records.lowerBound).lowerBound..<frame(last).upperBound
    }

    /// Fills in the heads of these records.
    mutating func fillHeads(of records: Range<Int>, salt: UInt32) {
        for index in records {
            let frame = frame(index)
            bytes.withUnsafeMutableBytes { bytes in
                JournalFrame.fillHead(of: UnsafeMutableRawBufferPointer(rebasing: bytes[frame]), salt: salt)
            }
        }
    }
}
