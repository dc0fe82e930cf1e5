import Glibc

/// By which clock a cost is counted.
enum Stopwatch: Sendable, Equatable {
    /// The processor's time of this thread: what others do on the machine shows only in cold caches.
    case thread
    /// The time that passes: for whoever waits for a disk, a socket or another thread.
    case wall
    /// The processor's time of other processes, in all.
    case others([Int32])
    /// Time of a simulated world, which only it can tell.
    case simulation

    /// What it shows, in nanoseconds; only differences mean anything.
    func read() throws -> Int64 {
        switch self {
        case .thread: return try nanoseconds(of: CLOCK_THREAD_CPUTIME_ID)
        case .wall: return try nanoseconds(of: CLOCK_MONOTONIC)
        case .simulation: throw Unfit("no clock here shows the time of a simulation")
        case .others(let processes):
            return try processes.reduce(0) { sum, process in
                var clock = clockid_t()
                try require(clock_getcpuclockid(process, &clock) == 0, "process \(process) is gone")
                return sum + (try nanoseconds(of: clock))
            }
        }
    }

    /// How long one measurement is meant to take by it, in nanoseconds: longer where others have a say.
    var span: Int64 {
        switch self {
        case .thread: 10_000_000
        case .wall, .others, .simulation: 150_000_000
        }
    }

    /// What the table says of it.
    var word: String {
        switch self {
        case .thread: "cpu"
        case .wall: "wall"
        case .others: "cpu there"
        case .simulation: "simulated"
        }
    }

    private func nanoseconds(of clock: clockid_t) throws -> Int64 {
        var time = timespec()
        try require(clock_gettime(clock, &time) == 0, "clock \(clock) cannot be read")
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
