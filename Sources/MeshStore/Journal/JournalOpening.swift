import Glibc

/// What was found when the journal was opened.
public struct JournalOpening: Equatable, Sendable {
    /// Bytes of a torn tail that were cut off: a write that the end of the process, or of the power, left
    /// unfinished.
    public var cutBytes = 0
    /// What cannot be read in the last segment. Older segments are looked at when they are read.
    public var damages: [JournalDamage] = []
}

/// Opens the folder, finds the segments and makes the last of them end with a whole record.
struct JournalOpener {
    let folder: String
    let limits: JournalLimits
    let disk: JournalDisk
    private(set) var opening = JournalOpening()

    init(folder: String, limits: JournalLimits, disk: JournalDisk) {
        self.folder = folder
        self.limits = limits
        self.disk = disk
    }

    /// - Throws: `JournalError`; nothing was changed then but, perhaps, a torn tail cut or the folder made.
    mutating func open() throws(JournalError) -> JournalWriter {
        let folderDescriptor = try openFolder()
        do throws(JournalError) {
            var segments = try list(folderDescriptor)
            let descriptor: Int32
            if let last = segments.last {
                let end: Int
                (descriptor, end) = try openLast(last, folderDescriptor: folderDescriptor)
                segments[segments.count - 1].length = end
            } else {
                var salts = SystemRandomNumberGenerator()
                let name = SegmentName(number: 1, salt: salts.next())
                descriptor = try JournalWriter.create(
                    name, in: folder, folderDescriptor: folderDescriptor, disk: disk)
                segments = [JournalWriter.Segment(name: name, length: SegmentName.magic.count)]
            }
            do throws(JournalError) {
                try sync(descriptor)
                try sync(folderDescriptor)
            } catch {
                close(descriptor)
                throw error
            }
            return JournalWriter(
                folder: folder, folderDescriptor: folderDescriptor, limits: limits, disk: disk,
                segments: segments,
                descriptor: descriptor)
        } catch {
            close(folderDescriptor)
            throw error
        }
    }

    private func openFolder() throws(JournalError) -> Int32 {
        if mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw .failed(operation: .create, path: folder, code: errno)
        }
        let descriptor = try checked(.open, folder) { Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        if fchmod(descriptor, 0o700) != 0 {
            let code = errno
            close(descriptor)
            throw .failed(operation: .open, path: folder, code: code)
        }
        return descriptor
    }

    /// All segments by number; other files in the folder are left alone.
    private func list(_ folderDescriptor: Int32) throws(JournalError) -> [JournalWriter.Segment] {
        guard let stream = opendir(folder) else { throw .failed(operation: .list, path: folder, code: errno) }
        defer { closedir(stream) }
        var segments: [JournalWriter.Segment] = []
        while let entry = readdir(stream) {
            let text = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let name = SegmentName(text) else { continue }
            var facts = stat()
            _ = try checked(.list, folder + "/" + text) { fstatat(folderDescriptor, text, &facts, 0) }
            segments.append(JournalWriter.Segment(name: name, length: Int(facts.st_size)))
        }
        return segments.sorted { $0.name < $1.name }
    }

    /// The file of the last segment and where its last whole record ends.
    private mutating func openLast(
        _ last: JournalWriter.Segment, folderDescriptor: Int32
    ) throws(JournalError) -> (Int32, Int) {
        let path = folder + "/" + last.name.description
        let descriptor = try checked(.open, path) {
            openat(folderDescriptor, last.name.description, O_RDWR | O_CLOEXEC)
        }
        do throws(JournalError) {
            if last.length < SegmentName.magic.count {
                return (descriptor, try begin(descriptor, path: path))
            }
            try checkMagic(descriptor, path: path)
            let end = try wholeEnd(of: last, descriptor: descriptor, path: path)
            if end < last.length {
                _ = try checked(.truncate, path) { disk.truncate(descriptor, end) }
                opening.cutBytes = last.length - end
            }
            return (descriptor, end)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Ends what a crash between the making of a segment and its first bytes left.
    private func begin(_ descriptor: Int32, path: String) throws(JournalError) -> Int {
        let count = try checked(.write, path) {
            SegmentName.magic.withUnsafeBytes { disk.write(descriptor, $0, 0) }
        }
        guard count == SegmentName.magic.count else { throw .full(path: folder) }
        return count
    }

    private mutating func wholeEnd(
        of last: JournalWriter.Segment, descriptor: Int32, path: String
    ) throws(JournalError) -> Int {
        var scanner = SegmentScanner(
            descriptor: descriptor, path: path, salt: last.name.salt, from: SegmentName.magic.count,
            upTo: last.length,
            recordLimit: limits.recordBytes)
        var end = SegmentName.magic.count
        while let item = try scanner.next() {
            switch item {
            case .record(_, let next, _): end = next
            case .damage(let start, let next):
                if next == last.length, !scanner.hasGivenUp { return start }
                opening.damages.append(
                    JournalDamage(
                        from: JournalPosition(segment: last.name.number, offset: UInt32(clamping: start)),
                        to: JournalPosition(segment: last.name.number, offset: UInt32(clamping: next))))
                end = next
            }
        }
        return end
    }

    /// Other first bytes than ours are damage, which leaves the records readable, unless they are those of a
    /// later format.
    private func checkMagic(_ descriptor: Int32, path: String) throws(JournalError) {
        var found = [UInt8](repeating: 0, count: SegmentName.magic.count)
        let count = try checked(.read, path) {
            found.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        }
        guard count == found.count, found.dropLast() == SegmentName.magic.dropLast() else { return }
        guard found[found.count - 1] <= SegmentName.magic[found.count - 1] else {
            throw .newerFormat(path: path)
        }
    }

    private func sync(_ descriptor: Int32) throws(JournalError) {
        _ = try checked(.sync, folder) { disk.sync(descriptor) }
    }

    private func checked<Count: SignedInteger>(
        _ operation: JournalOperation, _ path: String, _ body: () -> Count
    ) throws(JournalError) -> Count {
        switch uninterrupted(body) {
        case .success(let count): return count
        case .failure(let failure): throw .failed(operation: operation, path: path, code: failure.code)
        }
    }
}
