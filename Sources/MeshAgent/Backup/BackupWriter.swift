import Glibc
import MeshBase
import MeshCredentials

/// Packs a snapshot into one file: a tar archive, with `BACKUP` first and `SHA256SUMS`, which covers all the
/// others, last. So `tar` and `sha256sum -c` can read and check it without us, and one that is cut short
/// lacks its end.
public enum BackupWriter {
    static let sumsName = "SHA256SUMS"
    private static let chunk = 256 * 1_024

    /// Writes `path` (0600), or nothing: what there is already is never replaced.
    /// - Returns: bytes of the file.
    public static func pack(_ snapshot: HomeSnapshot, to path: String) throws(BackupError) -> Int64 {
        guard access(path, F_OK) != 0 else { throw .exists(path: path) }
        let draft = path + ".partial-" + Hexadecimal.encode(SystemRandom.bytes(4))
        do throws(BackupError) {
            let bytes = try write(snapshot, to: draft)
            // A link, unlike a rename, fails where somebody else has made the file meanwhile.
            guard link(draft, path) == 0 else {
                if errno == EEXIST { throw BackupError.exists(path: path) }
                throw BackupError.refused(path: path, operation: "create", errno: errno)
            }
            unlink(draft)
            try FolderWork.sync(FolderWork.parent(of: path))
            return bytes
        } catch {
            unlink(draft)
            throw error
        }
    }

    private static func write(_ snapshot: HomeSnapshot, to draft: String) throws(BackupError) -> Int64 {
        let archive = try PlainFile.creating(draft)
        var sums = ""
        var total: Int64 = 0
        for name in try names(in: snapshot.folder) {
            let file = try PlainFile.reading(snapshot.folder + "/" + name)
            let status = try file.status()
            let header = TarHeader(
                name: name, lengthInBytes: Int64(status.st_size), modified: Int64(status.st_mtim.tv_sec))
            guard header.lengthInBytes <= TarHeader.lengthMax else {
                throw .refused(path: file.path, operation: "pack", errno: EFBIG)
            }
            try archive.write(header.bytes)
            let digest = try copy(file, into: archive, header)
            sums += "\(Hexadecimal.encode(digest.bytes))  \(name)\n"
            total += Int64(TarHeader.size) + header.lengthInBytes + Int64(header.padding)
        }
        let text = Array(sums.utf8)
        let header = TarHeader(
            name: sumsName, lengthInBytes: Int64(text.count),
            modified: snapshot.label.made.milliseconds / 1_000)
        let end = [UInt8](repeating: 0, count: header.padding + 2 * TarHeader.size)
        try archive.write(header.bytes + text + end)
        try archive.sync()
        return total + Int64(TarHeader.size + text.count + end.count)
    }

    private static func copy(
        _ file: borrowing PlainFile, into archive: borrowing PlainFile, _ header: TarHeader
    ) throws(BackupError) -> Digest {
        var digest = RunningDigest()
        var left = header.lengthInBytes
        while left > 0 {
            let bytes = try file.read(Int(min(left, Int64(chunk))))
            guard !bytes.isEmpty else {
                throw .damaged(path: file.path, problem: "it became shorter while it was read")
            }
            digest.take(bytes)
            try archive.write(bytes)
            left -= Int64(bytes.count)
        }
        try archive.write([UInt8](repeating: 0, count: header.padding))
        return digest.digest
    }

    /// The label first; the identity key last but one, so that a reader has seen all else before.
    private static func names(in folder: String) throws(BackupError) -> [String] {
        var names = [BackupLabel.fileName]
        for name in try FolderWork.names(in: folder) where name != BackupLabel.fileName {
            if name == "journal" {
                names += try FolderWork.names(in: folder + "/journal").map { "journal/" + $0 }
            } else {
                names.append(name)
            }
        }
        return names
    }
}
