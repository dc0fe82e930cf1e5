import Glibc
import Testing

@testable import MeshAgent

@Suite struct HeapTrimTests {
    @Test func `what was freed between pieces that stay goes back to the system`() throws {
        let count = 64 * 1024
        let before = try resident()
        let pieces = (0..<count).map { _ in
            let piece = UnsafeMutableRawPointer.allocate(byteCount: 1_024, alignment: 16)
            memset(piece, 1, 1_024)
            return piece
        }
        defer { for index in stride(from: 0, to: count, by: 64) { pieces[index].deallocate() } }
        for index in 0..<count where index % 64 != 0 { pieces[index].deallocate() }
        let kept = try resident() - before
        #expect(kept > 32 << 20, "the C library returned it by itself: \(kept)")
        HeapTrim.giveBack()
        let left = try resident() - before
        #expect(left < 16 << 20, "\(left) bytes of \(kept)")
    }

    private func resident() throws -> Int {
        var bytes = [UInt8](repeating: 0, count: 128)
        let file = open("/proc/self/statm", O_RDONLY)
        defer { close(file) }
        let length = read(file, &bytes, bytes.count)
        try #require(length > 0)
        let fields = String(decoding: bytes[..<length], as: UTF8.self).split(separator: " ")
        return try #require(Int(fields[1])) * sysconf(Int32(_SC_PAGESIZE))
    }
}
