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
        /// Those that came and said nothing so far.
        var silent: Set<UInt32> = []
        /// The same in the order in which they came, with some between them that spoke or left since.
        var queue = CircularBuffer<UInt32>()

        /// Takes the connection that has been silent for longest out of its place.
        mutating func yield() -> (any Channel)? {
            while let number = queue.popFirst() {
                if silent.remove(number) != nil { return open.removeValue(forKey: number) }
            }
            return nil
        }
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// A number for `channel`; nil when the gateway is ending, or there are enough and all of them have asked
    /// something: who connects and says nothing keeps no place from who would speak.
    func admit(_ channel: any Channel) -> UInt32? {
        let (number, yielding) = state.withLock { state -> (UInt32?, (any Channel)?) in
            guard state.drained == nil else { return (nil, nil) }
            let yielding = state.open.count < limit ? nil : state.yield()
            guard state.open.count < limit else { return (nil, nil) }
            state.last &+= 1
            state.open[state.last] = channel
            state.silent.insert(state.last)
            let silent = state.silent
            if state.queue.count >= 2 * limit { state.queue.removeAll { !silent.contains($0) } }
            state.queue.append(state.last)
            return (state.last, yielding)
        }
        yielding?.close(promise: nil)
        return number
    }

    /// The connection said something for the first time.
    func spoke(_ number: UInt32) { _ = state.withLock { $0.silent.remove(number) } }

    /// The connection is gone.
    func depart(_ number: UInt32) {
        let drained = state.withLock { state in
            state.open[number] = nil
            state.silent.remove(number)
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
