import Dispatch
import Foundation
import Glibc
import MeshAudit
import MeshBase
import MeshStore
import MeshWire

/// What it takes until the audit's records are the kernel's, and until they are the disk's, beside the bare
/// system calls over the same bytes in a file beside.
func journalComparisons() -> [Comparison] {
    let record = AuditRecordCodec.encode(CodecSamples.admitted)
    return [
        Comparison(
            area: "journal", title: "a record of \(record.count) bytes is the kernel's",
            baseline: .write(record, sync: false),
            others: [
                .append("appended", [record], waitsForDisk: false),
                .append("appended, 2 in one write, each", [record, record], waitsForDisk: false),
                .append("encoded and appended", nil, waitsForDisk: false),
            ]),
        Comparison(
            area: "journal", title: "a record is the disk's",
            baseline: .write(record, sync: true),
            others: [
                .group("appended and synced, alone", record, size: 1),
                .group("appended and synced, 64 wait together, each", record, size: 64),
            ]),
    ] + indexComparisons()
}

extension Sample {
    /// `write(2)`, and `fdatasync(2)` when asked for.
    fileprivate static func write(_ bytes: [UInt8], sync: Bool) -> Sample {
        Sample(sync ? "write(2) and fdatasync(2)" : "write(2)", by: .wall) {
            let folder = try Scratch()
            let descriptor = open(folder.path + "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            try require(descriptor >= 0, "\(folder.path)/file cannot be made")
            var length = 0
            return { count in
                for _ in 0..<count {
                    try require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count, "a short write")
                    if sync { try require(fdatasync(descriptor) == 0, "no sync") }
                    length += bytes.count
                }
                // As the journal begins another segment: no file grows for ever.
                guard length > Limits.journalSegment else { return }
                length = 0
                try require(ftruncate(descriptor, 0) == 0 && lseek(descriptor, 0, SEEK_SET) == 0, "not cut")
                keep(folder)
            }
        }
    }

    /// One append after the other, without a wait for the disk.
    /// - Parameter records: written at once; nil encodes one each time.
    fileprivate static func append(_ name: String, _ records: [[UInt8]]?, waitsForDisk: Bool) -> Sample {
        Sample(name, by: .wall, portion: records?.count ?? 1) {
            let diary = try Diary()
            return { count in
                for _ in 0..<count {
                    try diary.journal.append(records ?? [AuditRecordCodec.encode(CodecSamples.admitted)])
                }
                try diary.tidy()
            }
        }
    }

    /// As many appends, and a wait until the disk has them all: one sync serves them.
    fileprivate static func group(_ name: String, _ record: [UInt8], size: Int) -> Sample {
        Sample(name, by: .wall, portion: size) {
            let diary = try Diary()
            let synced = DispatchSemaphore(value: 0)
            return { count in
                for _ in 0..<count {
                    for _ in 0..<size {
                        diary.journal.whenSynced(try diary.journal.append([record])) { _ in synced.signal() }
                    }
                    for _ in 0..<size { synced.wait() }
                }
                try diary.tidy()
            }
        }
    }
}

/// A journal in a folder that goes away with it. It syncs as soon as it is asked to: the pause between two syncs
/// (10 ms as it ships) is a choice, not a cost.
final class Diary {
    let journal: Journal
    let folder: Scratch

    init() throws {
        folder = try Scratch()
        journal = try Journal.open(
            folder: folder.path + "/journal", limits: JournalLimits(syncIntervalMilliseconds: 0))
    }

    /// Keeps it small, as the agent does.
    func tidy() throws {
        guard let last = journal.segments.last, last.number > 2 else { return }
        try journal.retire(segmentsBefore: last.number)
    }

    deinit { journal.close() }
}

/// A folder under the build's own (a real file system, where /tmp may be memory), removed at the end.
final class Scratch {
    let path: String

    init() throws {
        let place = ProcessInfo.processInfo.environment["COMITY_BENCHMARKS_FOLDER"] ?? NSTemporaryDirectory()
        let path = URL(filePath: place).appending(path: "comity-benchmarks-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        self.path = path
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            FileHandle.standardError.write(Data("benchmark: \(path) is left: \(error)\n".utf8))
        }
    }
}
