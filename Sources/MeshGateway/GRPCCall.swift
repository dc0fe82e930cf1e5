import MeshBase
import MeshRouting
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One call of an application by gRPC: a stream of its HTTP/2 connection.
///
///     awaited --head--> collecting --end of body--> arrived               handed over whole
///                       collecting --much, no more for now--> streaming   handed over, the rest in chunks
///     awaited --head refused--> arrived                                   answered by trailers alone
///     streaming --end of body--> arrived
///
///     owed --head--> begun --end, refusal--> ended
///     owed --head that holds a status--> held --end, refusal--> ended
///     owed --refusal--> ended
///
/// An answer that breaks off ends with a status in its trailers, which no client takes for success; it is
/// reset where trailers could not leave. Confined to the connection's event loop.
final class GRPCCall: GRPCWriter, GatewayOutlet {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundIn = Never
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum Arrival {
        case awaited
        case collecting(GatewayRequest)
        case streaming
        case arrived
    }

    enum Answer {
        case owed
        /// Its head is all of it, where nothing follows: trailers alone are one block (gRPC over HTTP/2,
        /// "Responses").
        case held(HPACKHeaders)
        case begun
        case ended
    }

    let door: GRPCDoor
    private var arrival = Arrival.awaited
    var answer = Answer.owed
    /// The request, once it was handed over.
    private(set) var id: GatewayRequestID?
    /// Whether the call is gRPC's, so that its refusal is a status.
    private(set) var isGRPC = true
    private(set) var context: ChannelHandlerContext?
    private var reads = HeldReads()
    var isFlushDue = false
    private var alarm: Scheduled<Void>?

    init(of door: GRPCDoor) { self.door = door }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Whether all of the request is here.
    var hasArrived: Bool { if case .arrived = arrival { true } else { false } }

    // MARK: What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let block):
            if case .awaited = arrival { return begin(block) }
            // The stream's own rules see to it that a second block ends it.
            finish(GRPCFields.passing(block.headers).filter { HeaderRules.isTrailer($0.name) })
        case .data(let piece):
            guard case .byteBuffer(let bytes) = piece.data else { return }
            add(bytes)
            if piece.endStream { finish([]) }
        case .priority, .rstStream, .settings, .pushPromise, .ping, .goAway, .windowUpdate,
            .alternativeService, .origin:
            break
        }
    }

    private func begin(_ block: HTTP2Frame.FramePayload.Headers) {
        do throws(RequestRefusal) {
            let request = try door.gate.admit(block.headers, id: door.nextID(), at: .now())
            arrival = .collecting(request)
            if block.endStream { return finish([]) }
            // Behind what came with it: a short body is then here whole.
            context?.eventLoop.assumeIsolated().execute { self.pause() }
        } catch {
            isGRPC = error.status != 415
            if block.endStream { arrival = .arrived }
            answerRefused(nil, [error.refusal], status: error.status, correlation: nil)
        }
    }

    private func add(_ bytes: ByteBuffer) {
        switch arrival {
        case .awaited, .arrived: break
        case .collecting(var request):
            // The copy in `arrival` would make every piece copy what came before.
            arrival = .awaited
            var bytes = bytes
            request.body.writeBuffer(&bytes)
            arrival = .collecting(request)
            if request.body.readableBytes > door.configuration.collectedBody { pause() }
        case .streaming:
            guard let id, !isEnded, bytes.readableBytes > 0 else { return }
            door.observer.bodyArrived(bytes, of: id)
        }
    }

    private func finish(_ trailers: [HeaderField]) {
        let former = arrival
        arrival = .arrived
        switch former {
        case .awaited, .arrived: break
        case .collecting(var request):
            guard !isEnded else { return }
            request.trailers = trailers
            hand(request)
        case .streaming:
            if let id, !isEnded { door.observer.bodyEnded(of: id, trailers: trailers) }
        }
    }

    /// The application has said all that it says for now, or much: it may wait for an answer to what it said.
    private func pause() {
        guard case .collecting(var request) = arrival, !isEnded else { return }
        arrival = .streaming
        request.delivery = .continued
        reads.hold()
        hand(request)
    }

    private func hand(_ request: GatewayRequest) {
        guard let loop = context?.eventLoop else { return }
        id = request.id
        door.observer.requestArrived(request, reply: GatewayReply(id: request.id, of: self, on: loop))
    }

    func read(context: ChannelHandlerContext) {
        if isEnded || !reads.putsOff() { context.read() }
    }

    func holdBody(_ id: GatewayRequestID) { if self.id == id, !hasArrived { reads.hold() } }

    func resumeBody(_ id: GatewayRequestID) {
        guard self.id == id, reads.isHeld else { return }
        readOn()
    }

    private func readOn() {
        if reads.release() { context?.read() }
    }

    // MARK: What goes out

    /// Whether nothing more is said.
    var isEnded: Bool { if case .ended = answer { true } else { false } }

    /// Writes the last block or piece. What of the request has not come by then is not wanted any more: the
    /// stream is reset behind it, with what says that nothing went wrong (RFC 9113 section 8.1).
    func writeLast(_ payload: HTTP2Frame.FramePayload) {
        guard let context else { return }
        answer = .ended
        let left = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        left.futureResult.whenSuccess { bound.value.hasLeft() }
        write(payload, promise: left)
        watchTaking()
        readOn()
    }

    private func hasLeft() {
        alarm?.cancel()
        guard !hasArrived, let context else { return }
        context.writeAndFlush(wrapOutboundOut(.rstStream(.noError)), promise: nil)
    }

    /// Ends the call as it stands.
    func reset() {
        answer = .ended
        context?.close(promise: nil)
    }

    // MARK: Flow and end

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        if isWritable { alarm?.cancel() } else { watchTaking() }
        if let id, !isEnded { door.observer.answerFlowChanged(isWritable ? .open : .held, of: id) }
        context.fireChannelWritabilityChanged()
    }

    /// An application that takes nothing of its answer for long does not keep it.
    private func watchTaking() {
        alarm?.cancel()
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        alarm = context.eventLoop.scheduleTask(in: TimeAmount(door.configuration.idleTime)) {
            bound.value.context?.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset, or what the stream was reset for: its end follows.
    }

    func channelInactive(context: ChannelHandlerContext) {
        alarm?.cancel()
        if let id, !isEnded { door.observer.cancelled(id) }
        arrival = .arrived
        answer = .ended
        context.fireChannelInactive()
    }
}
