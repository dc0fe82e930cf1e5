import MeshBase
import NIOCore

/// How long a connection may take: for a head, and for saying nothing.
extension GatewayConnection {
    /// Sees to it that a head that has begun ends in time.
    func watchHead(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        headAlarm = context.eventLoop.scheduleTask(
            deadline: pendingSince + TimeAmount(configuration.headTime)
        ) {
            bound.value.headIsLate()
        }
    }

    private func headIsLate() {
        headAlarm = nil
        poison(timeout("head", configuration.headTime))
    }

    private func timeout(_ what: String, _ time: Duration) -> RequestRefusal {
        RequestRefusal(
            .requestMalformed, [Fact(what, "not complete within \(time)")], status: 408, then: .close)
    }

    // One alarm a connection that looks when it fires and sets itself anew, so that a request costs none.
    func watchIdleness(after time: Duration, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        idleAlarm = context.eventLoop.scheduleTask(in: TimeAmount(time)) { bound.value.lookForIdleness() }
    }

    private func lookForIdleness() {
        guard ending != .lingering, let context else { return }
        // How long a WebSocket may be silent is the desk's to say, as of all that streams.
        let isAwaitingAnswer =
            exchange?.hasArrived == true || exchange?.isBodyHeld == true || isWebSocket
        let quietSince = isAwaitingAnswer ? heldSince : max(lastRead, lastWritten)
        guard let quietSince else { return watchIdleness(after: configuration.idleTime, context) }
        let left = quietSince + TimeAmount(configuration.idleTime) - .now()
        guard left <= .zero else { return watchIdleness(after: .nanoseconds(left.nanoseconds), context) }
        if isAwaitingAnswer {
            cut()
        } else if assembly.isIdle, pendingBytes == 0 {
            linger()
        } else {
            poison(timeout("request", configuration.idleTime))
        }
    }
}
