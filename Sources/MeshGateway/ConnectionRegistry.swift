import NIOCore
import Synchronization

/// Asks a connection to end after what it is answering.
struct GatewayDrain: Sendable {}

/// Which connections the gateway has, so that their number is bounded and they can be drained. Asked once a
/// connection, never for a request.
final class ConnectionRegistry: Sendable {
    private struct State {
        var open: [UInt32: any Channel] = [:]
        var last: UInt32 = 0
        var drained: EventLoopPromise<Void>?
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// A number for `channel`; nil when there are enough, or the gateway is ending.
    func admit(_ channel: any Channel) -> UInt32? {
        state.withLock { state in
            guard state.open.count < limit, state.drained == nil else { return nil }
            state.last &+= 1
            state.open[state.last] = channel
            return state.last
        }
    }

    /// The connection is gone.
    func depart(_ number: UInt32) {
        let drained = state.withLock { state in
            state.open[number] = nil
            return state.open.isEmpty ? state.drained : nil
        }
        drained?.succeed(())
    }

    /// Asks all to end, admits no more, and succeeds `promise` when none is left.
    func drain(_ promise: EventLoopPromise<Void>) {
        let (open, earlier) = state.withLock { state in
            let earlier = state.drained
            state.drained = promise
            return (Array(state.open.values), earlier)
        }
        if let earlier { promise.futureResult.cascade(to: earlier) }
        if open.isEmpty { promise.succeed(()) }
        for channel in open { channel.pipeline.fireUserInboundEventTriggered(GatewayDrain()) }
    }

    /// Cuts those that are left.
    func cut() {
        for channel in state.withLock({ Array($0.open.values) }) { channel.close(promise: nil) }
    }
}
