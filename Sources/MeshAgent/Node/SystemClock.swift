import Glibc
import MeshBase

/// The two clocks of this machine, read together. The only place where the agent reads time for a decision.
enum SystemClock {
    /// What both clocks show now.
    static func now() -> Moment {
        Moment(
            instant: Instant(nanoseconds: nanoseconds(of: CLOCK_MONOTONIC)),
            wall: WallTime(milliseconds: nanoseconds(of: CLOCK_REALTIME) / 1_000_000))
    }

    private static func nanoseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Secrets and nonces, from the kernel.
enum SystemRandom {
    /// `count` bytes from the kernel's generator.
    static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        // Each word is a system call.
        while bytes.count < count {
            withUnsafeBytes(of: generator.next()) { bytes += $0.prefix(count - bytes.count) }
        }
        return bytes
    }
}
