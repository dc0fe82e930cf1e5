import Glibc
import MeshBase
import MeshRouting
import NIOCore
import NIOHTTP1

/// One connection to a resource: carries one exchange after the other.
///
///     idle --start--> asking --answer complete, read done--> idle (back in the pool)
///     asking --a WebSocket opens--> switched --either end closes--> closed
///     asking --failure, cancel, Connection: close--> closed
///     idle --any byte, end of file--> closed
final class ResourceConnection: ChannelDuplexHandler, ResourceCarrier {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Never

    /// Up to this size the kernel takes a request whole or not at all: a failure to write it leaves no doubt.
    private static let undivided = 16 * 1024

    /// What the decoder is told.
    private static let asksHead = HTTPClientRequestPart.head(
        HTTPRequestHead(version: .http1_1, method: .HEAD, uri: "/"))
    private static let asksBody = HTTPClientRequestPart.head(
        HTTPRequestHead(version: .http1_1, method: .GET, uri: "/"))

    let place: ResourcePlace
    private let decoder: HTTPResponseDecoder
    private let wire: ResourceWire
    /// Nil once the connection has left its channel.
    private var pool: ResourcePool?
    private var exchange: ResourceExchange?
    private var context: ChannelHandlerContext?
    private var received = 0
    private var rawBytes = 0
    private var isWritten = false
    /// Whether both ends speak WebSocket: what comes is the answer, what goes is the request, as they are.
    private(set) var isSwitched = false
    /// The head that opens it.
    private var opening: HTTPResponseHead?
    /// How a streamed body is written; nil when there is none, or no more of it.
    private var framing: ResourceFraming?
    /// Whoever sends a streamed body was told to wait.
    private var isThrottled = false
    private var mayServeAgain = false
    private var isSettling = false
    private var reads = HeldReads()
    private var alarm: Scheduled<Void>?
    private var alarmAt: NIODeadline?
    /// The socket, once the kernel was asked about it.
    private var descriptor: NIOBSDSocket.Handle?
    /// Whether the pool counts it: once dialling has succeeded.
    var isCounted = false
    /// Since when nothing is asked of it.
    private(set) var idleSince = NIODeadline.now()

    init(
        at place: ResourcePlace, decoder: HTTPResponseDecoder, wire: ResourceWire, pool: ResourcePool
    ) {
        self.place = place
        self.decoder = decoder
        self.wire = wire
        self.pool = pool
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        alarm?.cancel()
        pool?.forget(self)
        pool = nil
    }

    // MARK: Asking

    /// Writes the request in one system call where it is small.
    func start(_ next: ResourceExchange) {
        guard let context, context.channel.isActive else {
            return next.conclude { $0.answerFailed(.lost(.none)) }
        }
        exchange = next
        next.connection = self
        (received, rawBytes, isWritten, mayServeAgain) = (0, 0, false, false)
        (framing, isThrottled) = (nil, false)
        reads.forget()
        // The decoder must know whether an answer to HEAD is due; the bytes go round it.
        decoder.write(data: next.method == "HEAD" ? Self.asksHead : Self.asksBody)
        watch(next.deadline, context)
        switch next.body {
        case .whole(let bytes, let trailers):
            let length = next.head.readableBytes + bytes.readableBytes
            if length > Self.undivided { next.effect = .possible }
            let body = trailers.isEmpty ? bytes : ResourceFraming.chunked(bytes, trailers)
            wire.write(next.head, body) { [self] in isWritten = true }
            // A write that failed at once has told of it by now: nothing left this host.
            if exchange === next { next.effect = .possible }
        case .streamed(let length):
            next.effect = .possible
            guard !next.isWebSocket else { return wire.gather(next.head) }
            framing = ResourceFraming(length: length)
            wire.gather(next.head)
            next.tell { $0.bodyWanted() }
        }
    }

    // MARK: A body that streams

    /// Writes the next piece; false when the sender is to wait for `bodyWanted`.
    func send(_ piece: ByteBuffer, of sender: ResourceExchange) -> Bool {
        guard exchange === sender, let context, isSwitched || framing != nil else { return false }
        if isSwitched {
            wire.gather(piece)
            isThrottled = !context.channel.isWritable
            return !isThrottled
        }
        guard framing?.add(piece, to: wire) == true else {
            fail(.lost(.possible))
            return false
        }
        isThrottled = !context.channel.isWritable
        return !isThrottled
    }

    /// Ends the body.
    func finish(_ trailers: [HeaderField], of sender: ResourceExchange) {
        if exchange === sender, isSwitched { return wire.end() }
        guard exchange === sender, let ending = framing.take() else { return }
        guard ending.end(trailers, on: wire, whenWritten: { [self] in isWritten = true }) else {
            return fail(.lost(.possible))
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, isThrottled {
            isThrottled = false
            exchange?.tell { $0.bodyWanted() }
        }
        context.fireChannelWritabilityChanged()
    }

    /// Whether the other side has neither closed nor said anything unasked; asks the kernel, because its news
    /// may still be queued.
    var isAlive: Bool {
        guard let context, context.channel.isActive else { return false }
        do {
            // Which socket it is takes longer to find than to ask; it stays the same while it is active.
            guard let descriptor = try descriptor ?? found(context) else { return true }
            self.descriptor = descriptor
            var byte: UInt8 = 0
            return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == -1 && errno == EAGAIN
        } catch {
            return false
        }
    }

    private func found(_ context: ChannelHandlerContext) throws -> NIOBSDSocket.Handle? {
        try context.channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
    }

    /// Closes it.
    func close() { context?.close(promise: nil) }

    /// The exchange was given up: what comes for it would be taken for the next one's answer.
    func abandon(_ given: ResourceExchange) {
        guard exchange === given else { return }
        exchange = nil
        close()
    }

    // MARK: The answer

    /// Told by the wire of every read; false when the bytes are to be dropped.
    func bytesArrived(_ count: Int) -> Bool {
        guard exchange != nil else {
            close()
            return false
        }
        guard !isSwitched else { return true }
        rawBytes += count
        guard rawBytes <= 4 * Limits.invocationHead + 8 * received + 8 * count else {
            fail(.misbehaved("more padding than answer"))
            return false
        }
        return true
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let exchange else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard let fault = ResourceAnswer.fault(in: head, toWebSocket: exchange.isWebSocket) else {
                guard head.status != .switchingProtocols else {
                    opening = head
                    return
                }
                mayServeAgain = head.isKeepAlive
                let fields = ResourceAnswer.passing(head.headers)
                return exchange.tell { $0.answerBegan(status: Int(head.status.code), headers: fields) }
            }
            fail(.misbehaved(fault))
        case .body(let chunk):
            received += chunk.readableBytes
            exchange.tell { $0.answerBody(chunk) }
        case .end where opening != nil: switchOver(exchange, context)
        case .end(let trailers):
            self.exchange = nil
            isSettling = true
            let fields = trailers.map { ResourceAnswer.passing($0) } ?? []
            exchange.conclude { $0.answerEnded(trailers: fields) }
        }
    }

    /// The resource speaks WebSocket from here on: the decoder goes, and hands on what came with the head.
    private func switchOver(_ exchange: ResourceExchange, _ context: ChannelHandlerContext) {
        guard let head = opening.take() else { return }
        isSwitched = true
        // It serves no request any more, so it keeps no place from them.
        if isCounted { pool?.release(self) }
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandler(ResourceTunnel(self), position: .before(self))
            let decoding = try pipeline.context(handlerType: ByteToMessageHandler<HTTPResponseDecoder>.self)
            pipeline.removeHandler(context: decoding, promise: nil)
        } catch {
            return fail(.lost(.possible))
        }
        let fields = ResourceAnswer.passing(head.headers)
        exchange.tell { $0.answerBegan(status: Int(WebSocketUpgrade.status), headers: fields) }
        exchange.tell { $0.bodyWanted() }
    }

    /// What the resource says over the WebSocket.
    func said(_ bytes: ByteBuffer) { exchange?.tell { $0.answerBody(bytes) } }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isSettling { settle(context) }
        context.fireChannelReadComplete()
    }

    // Only after the whole read has been decoded is it known that nothing followed the answer: a byte that
    // did would become the beginning of somebody else's.
    private func settle(_ context: ChannelHandlerContext) {
        isSettling = false
        guard mayServeAgain, isWritten, context.channel.isActive, isBetweenAnswers(context) else {
            return close()
        }
        idleSince = .now()
        pool?.park(self)
    }

    // To the decoder an end of input is an error within a message and nothing between two.
    private func isBetweenAnswers(_ context: ChannelHandlerContext) -> Bool {
        var nothing = ByteBuffer()
        do {
            _ = try decoder.decodeLast(context: context, buffer: &nothing, seenEOF: true)
            return true
        } catch {
            return false
        }
    }

    private func fail(_ failure: ResourceFailure) {
        guard let failed = exchange else { return }
        exchange = nil
        failed.conclude { $0.answerFailed(failure) }
        close()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case HTTPParserError.invalidEOFState: fail(.lost(exchange?.effect ?? .possible))
        case HTTPParserError.headerOverflow:
            fail(.misbehaved("head longer than \(Limits.invocationHead) bytes"))
        case let error as HTTPParserError: fail(.misbehaved("\(error)"))
        default: fail(.lost(exchange?.effect ?? .possible))
        }
        close()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isSwitched, let exchange {
            self.exchange = nil
            exchange.conclude { $0.answerEnded(trailers: []) }
        }
        fail(.lost(exchange?.effect ?? .possible))
        context.fireChannelInactive()
    }

    // MARK: Flow and time

    func hold(_ holder: ResourceExchange) { if exchange === holder { reads.hold() } }

    func resume(_ holder: ResourceExchange) {
        if exchange === holder, reads.isHeld, reads.release() { context?.read() }
    }

    func read(context: ChannelHandlerContext) {
        if exchange == nil || !reads.putsOff() { context.read() }
    }

    // The alarm outlives the exchange it was set for and is moved only when one ends earlier: most requests
    // set none.
    private func watch(_ deadline: NIODeadline, _ context: ChannelHandlerContext) {
        if let alarmAt, alarmAt <= deadline { return }
        alarm?.cancel()
        alarmAt = deadline
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        alarm = context.eventLoop.scheduleTask(deadline: deadline) { bound.value.alarmRang() }
    }

    private func alarmRang() {
        alarmAt = nil
        guard let exchange, let context else { return }
        guard exchange.deadline <= .now() else { return watch(exchange.deadline, context) }
        fail(.timedOut(exchange.effect))
    }
}
