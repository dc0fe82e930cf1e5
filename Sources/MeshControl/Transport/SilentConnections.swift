import NIOCore
import Synchronization

/// The connections at the control socket that have asked nothing so far: at most
/// `ControlLimits.silentConnections`, each for `ControlLimits.questionTime`; the oldest yields to a
/// newcomer, so that a program of the owner's that connects and says nothing keeps no command out.
final class SilentConnections: Sendable {
    private struct State {
        /// In the order in which they came.
        var waiting: [(number: UInt64, channel: any Channel)] = []
        var last: UInt64 = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int = ControlLimits.silentConnections) { self.limit = limit }

    /// A connection came; answers what it is called here.
    func arrived(_ channel: any Channel) -> UInt64 {
        let (number, yielding) = state.withLock { state -> (UInt64, (any Channel)?) in
            state.last += 1
            state.waiting.append((state.last, channel))
            return (state.last, state.waiting.count > limit ? state.waiting.removeFirst().channel : nil)
        }
        yielding?.close(promise: nil)
        return number
    }

    /// It asked something, or is gone.
    func left(_ number: UInt64) { state.withLock { $0.waiting.removeAll { $0.number == number } } }
}

/// Ends a connection that does not ask anything in time, and one that the server has done with. Stands behind
/// the decoder: what it reads is the beginning of a question, complete with its head.
final class QuestionWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    typealias OutboundIn = NIOAny

    private let silent: SilentConnections
    private var number: UInt64?
    private var alarm: Scheduled<Void>?

    init(_ silent: SilentConnections) { self.silent = silent }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        number = silent.arrived(channel)
        alarm = context.eventLoop.scheduleTask(in: TimeAmount(ControlLimits.questionTime)) {
            channel.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        stopWaiting()
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopWaiting()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stopWaiting() }

    /// The server closes its side and waits for the other to do so too, for as long as that may take, with a
    /// place taken. On a Unix socket what was written is read all the same.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        context.close(mode: mode == .output ? .all : mode, promise: promise)
    }

    private func stopWaiting() {
        guard let number else { return }
        self.number = nil
        alarm?.cancel()
        alarm = nil
        silent.left(number)
    }
}
