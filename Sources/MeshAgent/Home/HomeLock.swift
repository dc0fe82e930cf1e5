import Glibc
import Synchronization

/// The right to run an agent in a home: a lock of the kernel on the file `lock`, which ends with `release`,
/// at the latest with the process, however it ends.
///
/// It is the file lock and not a socket that says whether an agent runs, since a socket outlives a crash.
public final class HomeLock: Sendable {
    private let descriptor: Int32
    private let isReleased = Atomic(false)

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { release() }

    /// Gives the home free; the second time nothing happens. Closing alone would not do: a child that is just
    /// being started holds a copy of the descriptor until it runs its program.
    func release() {
        guard !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Takes the lock of `home` and writes this process's number into it.
    /// - Throws: `inUse` with the process that holds it.
    public static func take(in home: Home) throws(HomeError) -> HomeLock {
        let path = home.lock
        let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .refused(path: path, operation: "open", errno: errno) }
        let lock = HomeLock(descriptor: descriptor)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: throw .inUse(path: home.path, holder: lock.holder())
            case let number: throw .refused(path: path, operation: "lock", errno: number)
            }
        }
        try lock.sign(path)
        return lock
    }

    /// Whether some process holds the lock of `home` now.
    public static func isHeld(in home: Home) -> Bool {
        let descriptor = open(home.lock, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }

    /// The process number in the file; nil when there is none that could be one.
    private func holder() -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    private func sign(_ path: String) throws(HomeError) {
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count else {
            throw .refused(path: path, operation: "write", errno: errno)
        }
    }
}
