import MeshBase
import MeshRouting
import NIOCore
import NIOHTTP1

/// One application's connection: hands over one request after the other and lets the answers out in that
/// order.
///
///     waiting --request--> answering --answer and body complete--> waiting
///     any --refusal that closes, Connection: close, drain--> lingering --client closes, time--> gone
///
/// What the decoder reads while an answer is owed waits in `backlog`; while anything waits there, nothing
/// more is read, so that it holds at most what one read brought. All of it runs on the channel's event loop.
final class GatewayConnection: ChannelDuplexHandler, GatewayOutlet, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// A request under way.
    struct Exchange {
        /// Nil when the gateway answers by itself.
        let id: GatewayRequestID?
        var answer: AnswerWriter
        /// Whether the request has arrived completely.
        var hasArrived: Bool
        /// Whether nothing of a continued body is read, since nobody takes it.
        var isBodyHeld = false
        /// Whether the application sends its body only once it is invited.
        var awaitsInvitation = false
        /// Whether it asks for a WebSocket: what follows it is no HTTP.
        var isWebSocket = false
        /// Bytes of the body that came after its answer was complete.
        var unwanted = 0
    }

    enum Ending { case none, draining, lingering }

    let configuration: GatewayConfiguration
    let observer: any GatewayObserver
    let number: UInt32
    private let registry: ConnectionRegistry
    /// Bytes of the body of the message that is being read.
    private var bodyBytes = 0
    var context: ChannelHandlerContext?
    var exchange: Exchange?
    var out = ByteBuffer()
    var isReading = false
    var isFlushDue = false
    private(set) var ending = Ending.none
    var assembly: RequestAssembly
    private var backlog = CircularBuffer<HTTPServerRequestPart>()
    private var isReplaying = false
    private var isReadHeld = false
    /// Refuses what follows everything in `backlog`.
    private var lastRefusal: RequestRefusal?
    /// Bytes since the last message's end, and when the first of them came.
    var pendingBytes = 0
    var pendingSince = NIODeadline.uptimeNanoseconds(0)
    private var hasSpoken = false
    private var isCeded = false
    var lastRead = NIODeadline.now()
    /// When the last piece of an answer's body was written.
    var lastWritten = NIODeadline.uptimeNanoseconds(0)
    var heldSince: NIODeadline?
    var headAlarm: Scheduled<Void>?
    var idleAlarm: Scheduled<Void>?

    init(
        number: UInt32, gate: RequestGate, configuration: GatewayConfiguration, observer: any GatewayObserver,
        registry: ConnectionRegistry
    ) {
        self.number = number
        self.configuration = configuration
        self.observer = observer
        self.registry = registry
        assembly = RequestAssembly(
            connection: number, gate: gate, collectedBody: configuration.collectedBody,
            bodyLimit: configuration.bodyLimit)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        watchIdleness(after: configuration.idleTime, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        if !isCeded { registry.depart(number) }
    }

    /// The connection speaks HTTP/2, and its place is another's from here on.
    func cede() {
        isCeded = true
        idleAlarm?.cancel()
        headAlarm?.cancel()
    }

    // MARK: What comes in

    /// Told by the meter; false when the bytes are to be dropped.
    func bytesArrived(_ count: Int) -> Bool {
        guard ending != .lingering, lastRefusal == nil else { return false }
        if !hasSpoken {
            hasSpoken = true
            registry.spoke(number)
        }
        isReading = true
        lastRead = .now()
        if pendingBytes == 0 { pendingSince = lastRead }
        pendingBytes += count
        // Chunks of one byte cost six; what is beyond that is padding that nobody needs. What this read
        // brought is not counted as body yet.
        guard pendingBytes - count <= 4 * Limits.invocationHead + 8 * bodyBytes else {
            poison(
                RequestRefusal(.requestMalformed, [Fact("framing", "more padding than body")], then: .close))
            return false
        }
        if assembly.isIdle, exchange == nil, pendingBytes > 4 * Limits.invocationHead, pendingBytes > count {
            poison(headTooLarge())
            return false
        }
        return true
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard ending != .lingering, lastRefusal == nil else { return }
        let part = unwrapInboundIn(data)
        switch part {
        case .head: break
        case .body(let chunk): bodyBytes += chunk.readableBytes
        case .end: (pendingBytes, bodyBytes) = (0, 0)
        }
        let mustWait = exchange?.hasArrived == true || !backlog.isEmpty || (assembly.isIdle && isChoked)
        if mustWait { backlog.append(part) } else { take(part) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if exchange == nil, backlog.isEmpty { perform(assembly.pause()) }
        isReading = false
        if isFlushDue { flushNow() }
        if pendingBytes > 0, headAlarm == nil, assembly.isIdle, backlog.isEmpty { watchHead(context) }
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        let isHeld = !backlog.isEmpty || exchange?.isBodyHeld == true
        if isHeld && ending != .lingering { isReadHeld = true } else { context.read() }
    }

    private func take(_ part: HTTPServerRequestPart) {
        if case .head = part {
            headAlarm?.cancel()
            headAlarm = nil
        }
        perform(assembly.take(part, at: lastRead))
    }

    private func perform(_ step: RequestAssembly.Step) {
        switch step {
        case .nothing: break
        case .invite:
            out.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
            flushSoon()
        case .hand(let request, let shape):
            begin(request.id, shape, hasArrived: request.delivery == .whole)
            exchange?.isBodyHeld = request.delivery == .continued
            exchange?.awaitsInvitation = request.awaitsInvitation
            exchange?.isWebSocket = request.form.isWebSocket
            guard let loop = context?.eventLoop else {
                preconditionFailure("connection \(number) hands over a request outside of its channel")
            }
            observer.requestArrived(request, reply: GatewayReply(id: request.id, of: self, on: loop))
        case .health(let shape):
            begin(nil, shape, hasArrived: true)
            answerWhole(
                nil, status: 200, headers: [HeaderField("content-type", "text/plain")],
                body: ByteBuffer(string: "ok\n"), correlation: nil, extra: [])
        case .chunk(let chunk):
            guard let exchange, let id = exchange.id else { return }
            if exchange.answer.hasEnded {
                dropUnwanted(chunk.readableBytes)
            } else {
                observer.bodyArrived(chunk, of: id)
            }
        case .end(let trailers):
            exchange?.hasArrived = true
            exchange?.isBodyHeld = false
            if let exchange, let id = exchange.id, !exchange.answer.hasEnded {
                observer.bodyEnded(of: id, trailers: trailers)
            }
            finishIfComplete()
        case .refuse(let refusal, let shape): refuse(refusal, shape)
        }
    }

    private func begin(_ id: GatewayRequestID?, _ shape: AnswerShape, hasArrived: Bool) {
        exchange = Exchange(id: id, answer: AnswerWriter(shape), hasArrived: hasArrived)
        if ending == .draining { exchange?.answer.closeAfterwards() }
    }

    // MARK: Refusing

    /// Refuses what was being read; a request that was handed over already is taken back.
    private func refuse(_ refusal: RequestRefusal, _ shape: AnswerShape) {
        if let handed = exchange {
            if let id = handed.id { observer.cancelled(id) }
            guard !handed.answer.hasBegun else { return cut() }
        }
        begin(nil, shape, hasArrived: true)
        answerRefused(nil, [refusal.refusal], status: refusal.status, correlation: nil)
    }

    /// What follows can no longer be read: everything before it is still answered, then this, then the
    /// connection ends.
    func poison(_ refusal: RequestRefusal) {
        guard ending != .lingering, lastRefusal == nil else { return }
        if exchange?.hasArrived == true || !backlog.isEmpty {
            lastRefusal = refusal
        } else {
            assembly.close()
            refuse(refusal, .cut)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case HTTPParserError.invalidEOFState: break
        case HTTPParserError.headerOverflow: poison(headTooLarge())
        case let error as HTTPParserError:
            poison(RequestRefusal(.requestMalformed, [Fact("http", "\(error)")], then: .close))
        case is ByteToMessageDecoderError: break
        default: context.close(promise: nil)
        }
    }

    private func headTooLarge() -> RequestRefusal {
        RequestRefusal(.headTooLarge, [Fact("head limit", "\(Limits.invocationHead) bytes")], then: .close)
    }

    // MARK: Going on and ending

    /// Goes on to the next request when the answer is out and the request in.
    func finishIfComplete() {
        guard let done = exchange, done.answer.hasEnded else { return }
        guard !done.answer.closes else { return linger() }
        guard done.hasArrived else { return readUnwanted(done) }
        exchange = nil
        if !isReading { lastRead = .now() }
        if !isReplaying { replay() }
    }

    private func replay() {
        isReplaying = true
        while ending != .lingering, exchange?.hasArrived != true, !(assembly.isIdle && isChoked),
            let part = backlog.popFirst()
        {
            take(part)
        }
        isReplaying = false
        guard ending != .lingering, exchange == nil, backlog.isEmpty else { return }
        if lastRefusal == nil, !isReading { perform(assembly.pause()) }
        guard exchange == nil else { return }
        if let refusal = lastRefusal {
            assembly.close()
            return refuse(refusal, .cut)
        }
        if ending == .draining, assembly.isIdle { return linger() }
        resumeReading()
    }

    func resumeReading() {
        guard isReadHeld, exchange?.isBodyHeld != true || ending == .lingering else { return }
        isReadHeld = false
        context?.read()
    }

    /// Takes no new request; ends at once when nothing is under way.
    func drain() {
        guard ending == .none else { return }
        ending = .draining
        if exchange == nil, assembly.isIdle, backlog.isEmpty {
            linger()
        } else {
            exchange?.answer.closeAfterwards()
        }
    }

    /// Closes our side and waits a while for the client to close its own: a close with bytes unread would
    /// reset the connection, and the client might lose the answer.
    func linger() {
        guard ending != .lingering, let context else { return }
        ending = .lingering
        assembly.close()
        backlog.removeAll()
        exchange = nil
        flushNow()
        context.close(mode: .output, promise: nil)
        resumeReading()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        idleAlarm?.cancel()
        idleAlarm = context.eventLoop.scheduleTask(in: TimeAmount(configuration.lingerTime)) {
            bound.value.cut()
        }
    }

    /// Ends the connection as it stands: the only way to say that an answer is not complete.
    func cut() { context?.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        headAlarm?.cancel()
        idleAlarm?.cancel()
        let unanswered = exchange
        exchange = nil
        ending = .lingering
        if let unanswered, let id = unanswered.id, !unanswered.answer.hasEnded { observer.cancelled(id) }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is GatewayDrain { drain() } else { context.fireUserInboundEventTriggered(event) }
    }

    /// Whether answers wait for the application to read them: the next request begins when it has.
    private var isChoked: Bool { context?.channel.isWritable == false && exchange == nil }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        if isWritable, exchange == nil, !backlog.isEmpty, !isReplaying { replay() }
        heldSince = isWritable ? nil : .now()
        if let exchange, let id = exchange.id, !exchange.answer.hasEnded {
            observer.answerFlowChanged(isWritable ? .open : .held, of: id)
        }
        context.fireChannelWritabilityChanged()
    }
}
