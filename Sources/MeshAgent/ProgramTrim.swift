import Glibc
import MeshBase

/// Gives the pages of the program that only its start needed back to the system's cache.
///
/// Whatever page of a program was ever touched counts as resident, though it is the file's and can be read
/// again: the dynamic linker and the search for protocol conformances walk through most of it once. Measured,
/// a release build with three peers at rest: 52 MiB resident, of which 47 MiB are such pages; the pages that
/// the next minutes need come back by themselves, in less than a millisecond of processor time.
enum ProgramTrim {
    /// Seconds from the start to the first time, and from one time to the next.
    static let delay = 15
    static let interval = 300

    /// Lets go of all pages of executable code that nobody has changed: they stand in files as they are.
    static func giveBack() {
        for range in codeRanges(in: Self.maps()) {
            guard let start = UnsafeMutableRawPointer(bitPattern: range.lowerBound) else { continue }
            // A page that cannot be let go stays: nothing depends on it.
            _ = madvise(start, Int(range.upperBound - range.lowerBound), MADV_DONTNEED)
        }
    }

    /// The ranges of addresses that `/proc/PID/maps` shows as code out of files (proc_pid_maps(5)).
    static func codeRanges(in maps: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count == 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { return nil }
            let ends = fields[0].split(separator: "-").map { UInt($0, radix: 16) }
            guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else { return nil }
            return start..<end
        }
    }

    private static func maps() -> String {
        let file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = Glibc.read(file, &piece, piece.count), count > 0, bytes.count < 1 << 20 {
            bytes += piece[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
