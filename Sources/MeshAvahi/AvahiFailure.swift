/// Why there is no witness. Whatever else goes wrong is an `AvahiEvent`, for it may go right again.
public enum AvahiFailure: Error, Equatable, CustomStringConvertible {
    /// There is no memory for Avahi's event loop.
    case noEventLoop
    /// The event loop's thread could not be started.
    case noThread
    /// There is no memory for the timer of renewals.
    case noTimer

    public var description: String {
        switch self {
        case .noEventLoop: "Avahi's event loop could not be made: out of memory"
        case .noThread: "Avahi's thread could not be started: the limit of processes or memory is reached"
        case .noTimer: "Avahi's timer could not be made: out of memory"
        }
    }
}
