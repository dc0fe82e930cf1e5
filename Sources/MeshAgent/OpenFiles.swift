import Glibc

/// How many files this process may have open, and who may have how many of them.
///
/// They must never run out: the runtime's own threads need some at moments of their choosing, and libdispatch
/// ends the process when it gets none. So whoever can open connections has a bound of its own, and all bounds
/// together stay below the limit:
///
///     applications at the gateway   a quarter, at most 4 096
///     the control socket            512
///     unfinished handshakes          64
///     links                         those of trusted peers
///     the rest                      resources' connections, store, journal, runtime
public struct OpenFiles: Sendable, Equatable {
    /// What the process may have open.
    let limit: Int

    /// Connections that applications may have open at the gateway, both ways in together.
    var gatewayConnections: Int { min(4_096, max(16, limit / 4)) }

    init(limit: Int) { self.limit = limit }

    /// As the process is allowed now.
    static var now: OpenFiles { OpenFiles(limit: Int(clamping: read().rlim_cur)) }

    /// Takes all that the system lets this process have: the usual 1 024 are meant for programs that wait
    /// with `select`. What cannot be had is gone without.
    public static func raiseLimit() {
        var limits = read()
        guard limits.rlim_cur < limits.rlim_max else { return }
        limits.rlim_cur = limits.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
    }

    private static func read() -> rlimit {
        var limits = rlimit()
        let result = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        precondition(result == 0, "the limit of open files cannot be read: \(errno)")
        return limits
    }
}
