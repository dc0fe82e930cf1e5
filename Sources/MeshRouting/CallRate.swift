import MeshBase

/// So many calls in a span, and so many at once after a pause.
public struct CallRate: Hashable, Sendable {
    /// Calls in each span, at least one.
    public let calls: Int64
    /// The span in seconds, at least one.
    public let seconds: Int64
    /// Calls at once, at least one.
    public let burst: Int64
    /// How long until one call more may pass: rounded up, so that no span lets a call more through.
    let interval: Duration

    public init(calls: Int64, seconds: Int64, burst: Int64) {
        precondition(
            calls > 0 && seconds > 0 && burst > 0, "a rate of \(calls) in \(seconds) s lets none pass")
        self.calls = calls
        self.seconds = seconds
        self.burst = burst
        interval = .nanoseconds((seconds * 1_000_000_000 + calls - 1) / calls)
    }
}

extension CallRate: CustomStringConvertible {
    /// `100 calls in 1 s`; of the burst nothing.
    public var description: String { "\(calls) calls in \(seconds) s" }
}

/// The rates that the operator set.
public struct CallRates: Hashable, Sendable {
    /// Of all calls of each partner here; nil: as many as come.
    public var perPeer: CallRate?
    /// Of each principal's: of a partner here, of this node from here; nil: as many as come.
    public var perPrincipal: CallRate?

    public init(perPeer: CallRate? = nil, perPrincipal: CallRate? = nil) {
        self.perPeer = perPeer
        self.perPrincipal = perPrincipal
    }
}
