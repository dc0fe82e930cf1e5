import Glibc
import Synchronization

extension Journal {
    /// Visits the records from `position` on, up to what was written when this began, in order and with
    /// bounded memory.
    ///
    /// A record that is appended or a segment that is retired meanwhile disturbs nothing. Damage is visited
    /// like a record.
    /// - Parameter position: one that the journal gave; one before the first record that is kept stands for
    /// the first.
    /// - Returns: where to go on: behind the last item that was visited.
    /// - Throws: `JournalError` when a file cannot be read; what was visited before it stays visited.
    @discardableResult
    public func read(
        from position: JournalPosition, _ visit: (JournalItem) -> JournalReading
    ) throws(JournalError) -> JournalPosition {
        let segments = state.withLock { $0.writer.segments }
        var place = position
        for segment in segments where segment.name.number >= position.segment {
            let isFirst = segment.name.number == position.segment
            let start = max(isFirst ? Int(position.offset) : 0, SegmentName.magic.count)
            place = JournalPosition(segment: segment.name.number, offset: UInt32(clamping: start))
            guard try read(segment, from: start, &place, visit) == .goOn else { break }
        }
        return place
    }

    /// The records that begin at `positions`; those that are retired, or damaged since, are left out.
    /// - Parameter positions: ones that the journal gave, in any order: they are read in the journal's.
    /// - Throws: `JournalError` when a file cannot be read.
    public func records(
        at positions: [JournalPosition]
    ) throws(JournalError) -> [JournalPosition: [UInt8]] {
        var found: [JournalPosition: [UInt8]] = [:]
        var rest = positions.sorted()[...]
        for segment in state.withLock({ $0.writer.segments }) {
            rest = rest.drop { $0.segment < segment.name.number }
            let wanted = rest.prefix { $0.segment == segment.name.number }
            guard !wanted.isEmpty, let descriptor = try open(segment) else { continue }
            defer { Glibc.close(descriptor) }
            var scanner = SegmentScanner(
                descriptor: descriptor, path: path(of: segment), salt: segment.name.salt,
                from: SegmentName.magic.count, upTo: segment.length, recordLimit: limits.recordBytes,
                windowLength: Self.glance)
            for position in wanted {
                found[position] = try scanner.record(at: Int(position.offset))
            }
        }
        return found
    }

    /// How much is read for one record, and for those that stand close behind it.
    private static let glance = 16 << 10

    private func read(
        _ segment: JournalWriter.Segment, from start: Int, _ place: inout JournalPosition,
        _ visit: (JournalItem) -> JournalReading
    ) throws(JournalError) -> JournalReading {
        guard start < segment.length, let descriptor = try open(segment) else { return .goOn }
        defer { Glibc.close(descriptor) }
        var scanner = SegmentScanner(
            descriptor: descriptor, path: path(of: segment), salt: segment.name.salt, from: start,
            upTo: segment.length, recordLimit: limits.recordBytes)
        while let item = try scanner.next() {
            let end: Int
            let answer: JournalReading
            switch item {
            case .record(let start, let next, let bytes):
                end = next
                answer = visit(
                    .record(at: position(segment, start), next: position(segment, next), bytes: bytes))
            case .damage(let start, let next):
                end = next
                answer = visit(
                    .damage(JournalDamage(from: position(segment, start), to: position(segment, next))))
            }
            place = position(segment, end)
            if answer == .stop { return .stop }
        }
        return .goOn
    }

    private func position(_ segment: JournalWriter.Segment, _ offset: Int) -> JournalPosition {
        JournalPosition(segment: segment.name.number, offset: UInt32(clamping: offset))
    }

    private func path(of segment: JournalWriter.Segment) -> String {
        folder + "/" + segment.name.description
    }

    /// A descriptor to close; nil where the segment was retired since the list of them was made.
    private func open(_ segment: JournalWriter.Segment) throws(JournalError) -> Int32? {
        let path = path(of: segment)
        switch uninterrupted({ Glibc.open(path, O_RDONLY | O_CLOEXEC) }) {
        case .success(let descriptor): return descriptor
        case .failure(let failure):
            if failure.code == ENOENT, segment.name.number < start.segment { return nil }
            throw .failed(operation: .open, path: path, code: failure.code)
        }
    }
}
