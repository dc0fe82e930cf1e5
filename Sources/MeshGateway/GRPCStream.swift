import MeshBase
import MeshRouting
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One call to a gRPC server: a stream of a connection that others share.
///
///     waiting --stream made--> asking --answer complete--> over
///     any --failed, given up, late--> over: what is left of the stream is reset
///
/// An answer is a head, pieces and trailers, or trailers alone. Confined to the connection's event loop.
final class GRPCStream: GRPCWriter, ResourceCarrier {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundIn = Never
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// Heads of an answer that only say that it is being worked on (status 1xx).
    private static let interimMax = 8

    private var exchange: ResourceExchange?
    private var head: HPACKHeaders
    private let loop: any EventLoop
    private var line: GRPCLine?
    private(set) var context: ChannelHandlerContext?
    private let began = NIODeadline.now()
    private var alarm: Scheduled<Void>?
    private var hasHead = false
    private var interim = 0
    /// Whether the body has gone, with its end.
    private var isSaid = false
    private var isThrottled = false
    var isFlushDue = false
    private var reads = HeldReads()

    init(_ exchange: ResourceExchange, _ head: HPACKHeaders, on loop: any EventLoop) {
        self.exchange = exchange
        self.head = head
        self.loop = loop
    }

    /// Whether nobody waits for it any more.
    var isOver: Bool { exchange == nil }

    /// It has its place on `line`; time runs.
    func begin(on line: GRPCLine) {
        self.line = line
        guard let exchange else { return }
        exchange.connection = self
        guard exchange.deadline != .distantFuture else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        alarm = loop.scheduleTask(deadline: exchange.deadline) { bound.value.isLate() }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        line?.opened(self)
        guard let exchange else { return closeSoon() }
        if exchange.deadline != .distantFuture {
            let left = exchange.deadline - .now()
            head.add(name: GRPCTimeout.field, value: GRPCTimeout.text(.nanoseconds(left.nanoseconds)))
        }
        exchange.effect = .possible
        switch exchange.body {
        case .whole(let bytes, let trailers):
            let isAll = bytes.readableBytes == 0 && trailers.isEmpty
            write(.headers(.init(headers: head, endStream: isAll)))
            if !isAll { say(bytes, trailers) }
            isSaid = true
        case .streamed:
            write(.headers(.init(headers: head)))
            exchange.tell { $0.bodyWanted() }
        }
        head = HPACKHeaders()
        context.fireChannelActive()
    }

    // MARK: The request's body

    func send(_ piece: ByteBuffer, of sender: ResourceExchange) -> Bool {
        guard exchange === sender, let context, !isSaid else { return false }
        if piece.readableBytes > 0 { write(.data(.init(data: .byteBuffer(piece)))) }
        isThrottled = !context.channel.isWritable
        return !isThrottled
    }

    func finish(_ trailers: [HeaderField], of sender: ResourceExchange) {
        guard exchange === sender, context != nil, !isSaid else { return }
        isSaid = true
        say(ByteBuffer(), trailers)
    }

    private func say(_ bytes: ByteBuffer, _ trailers: [HeaderField]) {
        let passing = trailers.filter {
            HeaderRules.isTrailer($0.name) && HeaderRules.isWritable($0.name, $0.value)
        }
        guard !passing.isEmpty else {
            return write(.data(.init(data: .byteBuffer(bytes), endStream: true)))
        }
        if bytes.readableBytes > 0 { write(.data(.init(data: .byteBuffer(bytes)))) }
        let fields = HPACKHeaders(passing.map { ($0.name.lowercasedASCII, $0.value) })
        write(.headers(.init(headers: fields, endStream: true)))
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, isThrottled {
            isThrottled = false
            exchange?.tell { $0.bodyWanted() }
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: The answer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let exchange else { return }
        switch unwrapInboundIn(data) {
        case .headers(let block): take(block, exchange)
        case .data(let piece):
            guard hasHead else { return fail(.misbehaved("a body before its head")) }
            guard case .byteBuffer(let bytes) = piece.data else { return }
            if bytes.readableBytes > 0 { exchange.tell { $0.answerBody(bytes) } }
            if piece.endStream { conclude([]) }
        case .rstStream(let code): wasReset(code)
        case .priority, .settings, .pushPromise, .ping, .goAway, .windowUpdate, .alternativeService, .origin:
            break
        }
    }

    private func take(_ block: HTTP2Frame.FramePayload.Headers, _ exchange: ResourceExchange) {
        if hasHead { return conclude(GRPCFields.passing(block.headers)) }
        guard let status = GRPCFields.status(block.headers) else { return fail(.misbehaved("status")) }
        guard !(100...199).contains(status) || status == 101 else {
            interim += 1
            if interim > Self.interimMax || block.endStream { fail(.misbehaved("status \(status)")) }
            return
        }
        guard (200...599).contains(status) else { return fail(.misbehaved("status \(status)")) }
        hasHead = true
        let fields = GRPCFields.passing(block.headers)
        exchange.tell { $0.answerBegan(status: status, headers: fields) }
        if block.endStream { conclude([]) }
    }

    /// The answer is complete. A server that did not want all of the body hears no more of it.
    private func conclude(_ trailers: [HeaderField]) {
        guard let done = exchange else { return }
        exchange = nil
        alarm?.cancel()
        done.conclude { $0.answerEnded(trailers: trailers) }
        closeSoon()
    }

    /// Resets what is left of the stream, unless both ends have said all: of that the channel hears behind
    /// what it is reading now.
    private func closeSoon() {
        context?.eventLoop.assumeIsolated().execute { self.context?.close(promise: nil) }
    }

    /// What the server refused before it looked at it has had no effect (RFC 9113 section 8.7).
    private func wasReset(_ code: HTTP2ErrorCode) {
        fail(.lost(code == .refusedStream && !hasHead ? .none : exchange?.effect ?? .possible))
    }

    /// Ends it from this side, whatever it waits for.
    func fail(_ failure: ResourceFailure) {
        guard let failed = exchange else { return leave() }
        exchange = nil
        alarm?.cancel()
        failed.conclude { $0.answerFailed(failure) }
        if context == nil { leave() } else { closeSoon() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as NIOHTTP2Errors.StreamClosed:
            wasReset(line?.wasLeftOut(error.streamID) == true ? .refusedStream : error.errorCode)
        case let error where HTTP2Bounds.isOfOneStream(error): fail(.misbehaved("\(error)"))
        default: fail(.lost(exchange?.effect ?? .possible))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.lost(exchange?.effect ?? .possible))
        leave()
        context.fireChannelInactive()
    }

    /// Gives its place free, once.
    private func leave() {
        line.take()?.leave(self)
    }

    // MARK: Flow and time

    func hold(_ holder: ResourceExchange) { if exchange === holder { reads.hold() } }

    func resume(_ holder: ResourceExchange) {
        if exchange === holder, reads.isHeld, reads.release() { context?.read() }
    }

    func read(context: ChannelHandlerContext) {
        if exchange == nil || !reads.putsOff() { context.read() }
    }

    func abandon(_ given: ResourceExchange) {
        guard exchange === given else { return }
        exchange = nil
        alarm?.cancel()
        line?.suspect(since: began)
        if context == nil { leave() } else { closeSoon() }
    }

    private func isLate() {
        alarm = nil
        line?.suspect(since: began)
        fail(.timedOut(exchange?.effect ?? .possible))
    }
}
