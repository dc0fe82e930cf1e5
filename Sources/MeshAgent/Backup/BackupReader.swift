import Glibc
import MeshBase
import MeshCredentials

/// Unpacks a backup into an empty folder, and holds every byte of it against its sums.
///
/// A backup may have lain anywhere: only the files that a backup has are taken, each once, each within its
/// bound, and whatever is odd ends it. Nothing outside of the folder is touched.
enum BackupReader {
    /// Files of one backup: the journal's segments are the most of them.
    static let filesMax = 70_000
    private static let chunk = 256 * 1_024
    private static let sumsLimit = 100 * filesMax
    /// A segment of the journal, with room for one whose size was once configured otherwise.
    private static let segmentLimit: Int64 = 64 << 20

    /// - Returns: what the backup says that it is of.
    static func unpack(_ path: String, into folder: String) throws(BackupError) -> BackupLabel {
        let archive = try PlainFile.reading(path)
        guard let first = try header(archive, at: 0), first.name == BackupLabel.fileName,
            first.lengthInBytes <= BackupLabel.sizeLimit
        else { throw .notABackup(path: path, problem: "it does not begin with \(BackupLabel.fileName)") }
        let text = try small(archive, first)
        guard let label = BackupLabel(text: String(decoding: text, as: UTF8.self)) else {
            throw .notABackup(path: path, problem: "\(BackupLabel.fileName) is of another version")
        }
        var digest = RunningDigest()
        digest.take(text)
        var found = [(name: first.name, digest: digest.digest)]
        while let next = try header(archive, at: found.count) {
            if next.name == BackupWriter.sumsName {
                try check(archive, next, found)
                return label
            }
            guard let limit = limit(of: next.name), next.lengthInBytes <= limit else {
                throw .notABackup(path: path, problem: "it holds what no backup has: \(next.name)")
            }
            guard !found.contains(where: { $0.name == next.name }), found.count < filesMax else {
                throw .notABackup(path: path, problem: "it holds \(next.name) twice, or too many files")
            }
            found.append((next.name, try extract(archive, next, to: folder + "/" + next.name)))
        }
        throw .damaged(path: path, problem: "its end is missing")
    }

    /// The most bytes of a file of this name; nil for what no backup holds.
    static func limit(of name: String) -> Int64? {
        if name == "comity.db" { return TarHeader.lengthMax }
        if Home.keptFiles.contains(name) { return Int64(Home.keptFileLimit) }
        // 0000000001-5be1a90c.journal
        let segment = /journal\/[0-9]{10}-[0-9a-f]{8}\.journal/
        return name.wholeMatch(of: segment) == nil ? nil : segmentLimit
    }

    private static func header(
        _ archive: borrowing PlainFile, at number: Int
    ) throws(BackupError) -> TarHeader? {
        let block = try archive.read(TarHeader.size)
        guard block.count == TarHeader.size else {
            if number == 0 { throw .notABackup(path: archive.path, problem: "it is too short") }
            throw .damaged(path: archive.path, problem: "it is cut off")
        }
        do throws(TarHeader.Flaw) {
            return try TarHeader(block)
        } catch {
            guard case .malformed(let problem) = error else { return nil }
            if number == 0 { throw .notABackup(path: archive.path, problem: problem) }
            throw .damaged(path: archive.path, problem: problem)
        }
    }

    private static func extract(
        _ archive: borrowing PlainFile, _ header: TarHeader, to path: String
    ) throws(BackupError) -> Digest {
        let file = try PlainFile.creating(path)
        var digest = RunningDigest()
        var left = header.lengthInBytes
        while left > 0 {
            let bytes = try archive.read(Int(min(left, Int64(chunk))))
            guard !bytes.isEmpty else { throw .damaged(path: archive.path, problem: "it is cut off") }
            digest.take(bytes)
            try file.write(bytes)
            left -= Int64(bytes.count)
        }
        _ = try archive.read(header.padding)
        try file.sync()
        return digest.digest
    }

    private static func small(
        _ archive: borrowing PlainFile, _ header: TarHeader
    ) throws(BackupError) -> [UInt8] {
        let bytes = try archive.read(Int(header.lengthInBytes))
        guard bytes.count == Int(header.lengthInBytes) else {
            throw .damaged(path: archive.path, problem: "it is cut off")
        }
        _ = try archive.read(header.padding)
        return bytes
    }

    private static func check(
        _ archive: borrowing PlainFile, _ header: TarHeader, _ found: [(name: String, digest: Digest)]
    ) throws(BackupError) {
        guard header.lengthInBytes <= sumsLimit else {
            throw .damaged(path: archive.path, problem: "its sums are too long")
        }
        let lines = String(decoding: try small(archive, header), as: UTF8.self).split(separator: "\n")
        let expected = found.map { "\(Hexadecimal.encode($0.digest.bytes))  \($0.name)" }
        for (line, wanted) in zip(lines, expected) where line != wanted {
            throw .damaged(path: archive.path, problem: "a sum is wrong: \(wanted.dropFirst(66))")
        }
        guard lines.count == expected.count else {
            throw .damaged(path: archive.path, problem: "it holds \(found.count) files of \(lines.count)")
        }
    }
}
