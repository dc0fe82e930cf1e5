import MeshBase
import NIOCore
import NIOHTTP2

/// One application's HTTP/2 connection: each of its streams is a call of gRPC.
///
///     open --nothing under way for long--> gone
///     open --drain--> draining (go-away) --last call over--> gone
///     any --bounds broken--> gone (go-away)
///
/// The last of its channel's handlers; all of it runs on the channel's event loop.
final class GRPCDoor: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    let number: UInt32
    let gate: RequestGate
    let configuration: GatewayConfiguration
    let observer: any GatewayObserver
    private let registry: ConnectionRegistry
    private let loop: any EventLoop
    private var context: ChannelHandlerContext?
    private var sequence: UInt32 = 0
    private var open = 0
    private var last = HTTP2StreamID.rootStream
    private var isDraining = false
    private var idleAlarm: Scheduled<Void>?

    init(
        number: UInt32, gate: RequestGate, configuration: GatewayConfiguration,
        observer: any GatewayObserver, registry: ConnectionRegistry, on loop: any EventLoop
    ) {
        self.number = number
        self.gate = gate
        self.configuration = configuration
        self.observer = observer
        self.registry = registry
        self.loop = loop
    }

    /// The handler of frames that stands before this one, and gives each stream a call.
    func handler() -> NIOHTTP2Handler {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return NIOHTTP2Handler(
            mode: .server, eventLoop: loop, connectionConfiguration: HTTP2Bounds.connection(isServer: true),
            streamConfiguration: HTTP2Bounds.stream, streamDelegate: StreamCount(door: bound)
        ) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(GRPCCall(of: bound.value))
            }
        }
    }

    /// A name for the next request of this connection.
    func nextID() -> GatewayRequestID {
        sequence &+= 1
        return GatewayRequestID(connection: number, sequence: sequence)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        watchIdleness()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        idleAlarm?.cancel()
        registry.depart(number)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What is about the connection alone: frames are answered by their handler.
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Frames that this end would still have said once it has said that it ends: nothing is wrong.
        if isDraining, error is NIOHTTP2Errors.IOOnClosedConnection { return }
        if !HTTP2Bounds.isOfOneStream(error) { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is GatewayDrain { drain() } else { context.fireUserInboundEventTriggered(event) }
    }

    fileprivate func began(_ stream: HTTP2StreamID) {
        open += 1
        last = max(last, stream)
        idleAlarm?.cancel()
    }

    fileprivate func ended() {
        open -= 1
        guard open == 0 else { return }
        if isDraining { leave() } else { watchIdleness() }
    }

    /// Takes no new call; ends at once when nothing is under way.
    private func drain() {
        guard !isDraining else { return }
        isDraining = true
        sayGoAway()
        if open == 0 { leave() }
    }

    /// Says no more, behind all that was said, and waits a while for the application to close.
    private func leave() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute {
            bound.value.context?.flush()
            bound.value.context?.close(mode: .output, promise: nil)
        }
        idleAlarm?.cancel()
        idleAlarm = loop.scheduleTask(in: TimeAmount(configuration.lingerTime)) {
            bound.value.context?.close(promise: nil)
        }
    }

    private func watchIdleness() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        idleAlarm?.cancel()
        idleAlarm = loop.scheduleTask(in: TimeAmount(configuration.idleTime)) { bound.value.drain() }
    }

    /// A call that crosses this on its way is one that was not looked at: clients may send it anew.
    private func sayGoAway() {
        let frame = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: last, errorCode: .noError, opaqueData: nil))
        context?.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }
}

/// Tells the door which calls are under way.
private struct StreamCount: NIOHTTP2StreamDelegate {
    let door: NIOLoopBound<GRPCDoor>

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { door.value.began(id) }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { door.value.ended() }
}
