import MeshBase
import MeshWire
import NIOCore
import NIOSSL
import NIOTLS

/// How long things may take; other than in `Limits` only in tests.
struct LinkTimes: Sendable {
    var connect = Limits.connectTime
    var message = Limits.handshakeMessageTime
    var handshake = Limits.handshakeTime
    /// How much longer than that a connection waits once TLS is up: whoever decides about trust has the same
    /// limits, and its refusal comes with a reason for the audit and a reference for the peer.
    var grace: Duration = .seconds(1)
}

/// One connection, behind its TLS handler: lives on one event loop from accept or dial to close.
///
///     securing --TLS up--> handshaking --admit--> admitted
///     any --end--> closed, for good
///
/// While handshaking it hands over one message at a time and reads no further until it is told what to do, so
/// that nothing the peer sends behind its last message is taken for one, and nothing piles up. What is
/// written in one tick leaves in one flush.
final class LinkConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase: Equatable {
        case securing
        case handshaking(received: Int)
        case admitted
        case closed
    }

    /// Messages that one side sends in a handshake, pairing by words included.
    static let handshakeMessages = 4
    /// Bytes handed to TLS at once; the rest waits for the next tick, or until the socket takes more.
    static let flushBudget = 256 * 1024
    /// Streams that the peer opens in one turn of the loop.
    static let opensPerTurn = 32
    /// The least that makes the loop look at its sockets in between.
    static let yieldTime: TimeAmount = .microseconds(20)
    /// Bytes that may have come of one that is held back: what one read brought, and what TLS had.
    static let heldMost = 4 * LinkTransport.readMost
    /// Pings that may be unanswered; older ones are forgotten.
    static let pingsUnderWay = 8

    let id: ConnectionID
    let role: LinkRole
    let remote: Endpoint
    /// Who carries it; nil: nobody.
    let relay: NodeID?
    let transport: LinkTransport
    let ownCertificate: [UInt8]
    let presented: PresentedCertificate
    let times: LinkTimes
    private var handshakeDeadline: NIODeadline

    var context: ChannelHandlerContext?
    var bound: NIOLoopBound<LinkConnection>?
    var phase = Phase.securing
    var hasPeerCertificate = false
    var streams: StreamMultiplexer<any LinkStreamObserver>
    var pings: [(token: UInt64, at: NIODeadline)] = []
    var nextToken: UInt64 = 1
    var reader = FrameReader(payloadLimit: Limits.handshakeMessage)
    private var batch = ByteBuffer()
    var isProcessing = false
    private var isReading = false
    /// The peer has closed, and nothing more comes.
    var isEnding = false
    /// The others have their turn, before what was read is gone on with.
    var isYielding = false
    private var isFlushScheduled = false
    /// A message was handed over, and nothing is read until the wiring says how to go on.
    var isHolding = false
    /// Whoever takes up its documents is behind: nothing more is read, and the peer's TCP waits.
    var isHeldBack = false
    private var messageDeadline: NIODeadline
    private var timer: Scheduled<Void>?
    var nextHeard = NIODeadline.uptimeNanoseconds(0)

    init(
        _ id: ConnectionID, role: LinkRole, remote: Endpoint, transport: LinkTransport,
        ownCertificate: [UInt8],
        presented: PresentedCertificate, times: LinkTimes, relay: NodeID? = nil
    ) {
        self.id = id
        self.role = role
        self.remote = remote
        self.relay = relay
        self.transport = transport
        self.ownCertificate = ownCertificate
        self.presented = presented
        self.times = times
        let now = NIODeadline.now()
        handshakeDeadline = now + TimeAmount(times.handshake + times.grace)
        messageDeadline = now + TimeAmount(times.message)
        streams = StreamMultiplexer(role: role)
    }

    // MARK: What the channel says

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.bound = bound
        armTimer()
        if !transport.register(id, bound) { end(.ordered("closed while it was dialled")) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        processRest()
        end(.closedByPeer)
        self.context = nil
        bound = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent { secured(context, negotiated) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase != .closed else { return }
        isReading = true
        noteHeard()
        reader.feed(unwrapInboundIn(data))
        // The end of a stream brings all that the kernel has of it, whatever was said of reading.
        guard !isHeldBack || reader.pendingBytes <= Self.heldMost else { return end(.closedByPeer) }
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        flush()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { flush() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        processRest()
        end(.closedByPeer)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case NIOSSLError.uncleanShutdown:
            processRest()
            end(.closedByPeer)
        case _ where phase == .securing: end(.tlsFailed(cause: String(describing: error)))
        default: end(.lost(cause: String(describing: error)))
        }
    }

    // MARK: Handshake

    private func secured(_ context: ChannelHandlerContext, _ negotiated: String?) {
        guard phase == .securing else { return }
        guard let alpn = negotiated.flatMap(LinkProtocol.init(rawValue:)) else {
            return end(.protocolUnknown)
        }
        if alpn == .pairing && role == .listener, let refusal = transport.pairingAttempted(from: remote.host)
        {
            return end(.refused(refusal))
        }
        let certificate: [UInt8]?
        do {
            certificate = try presented.proved(by: context.pipeline.syncOperations.nioSSL_peerCertificate())
        } catch {
            return end(.tlsFailed(cause: String(describing: error)))
        }
        hasPeerCertificate = certificate != nil
        phase = .handshaking(received: 0)
        expectMessage()
        let facts = SecuredConnection(
            id: id, role: role, remote: remote,
            local: Endpoint(context.localAddress) ?? Endpoint(host: "", port: 0),
            protocol: alpn, peerCertificate: certificate, ownCertificate: ownCertificate, relay: relay)
        transport.count { $0.secured += 1 }
        tell(.secured(facts))
    }

    /// The wiring expects (another) message from the peer, and the peer has its time for it from now.
    func expectMessage() {
        guard case .handshaking = phase else { return }
        let isSooner = messageDeadline > .now() + TimeAmount(times.message + times.grace)
        messageDeadline = .now() + TimeAmount(times.message + times.grace)
        if isSooner { rearmTimer() }
        goOn()
    }

    /// People decide what comes next, and the peer has `patience` for its next message. It no longer stands
    /// among the unfinished handshakes, where newcomers could push it out: there is one such at a time.
    func awaitPeople(for patience: Duration) {
        guard case .handshaking = phase else { return }
        let deadline = NIODeadline.now() + TimeAmount(patience + times.grace)
        messageDeadline = deadline
        handshakeDeadline = deadline + TimeAmount(times.handshake)
        transport.handsOver(id)
        rearmTimer()
        goOn()
    }

    /// The handshake is finished: everything may pass.
    func admit() {
        guard case .handshaking = phase else { return }
        guard hasPeerCertificate else {
            return end(.refused(Refusal(.certificateMissing, [Fact("certificates", 0)])))
        }
        // The last message leaves before anything that could overtake it in the queue.
        if let context { writeBatch(context) }
        phase = .admitted
        timer?.cancel()
        timer = nil
        reader.payloadLimit = Limits.framePayload
        transport.admitted(id)
        goOn()
    }

    private func goOn() {
        guard isHolding else { return }
        isHolding = false
        steerReading()
        process()
        scheduleFlush()
    }

    /// Reads on, unless something says to wait.
    func steerReading() {
        do {
            let isOn = !isHolding && !isHeldBack && !isYielding
            try context?.channel.syncOptions?.setOption(.autoRead, value: isOn)
        } catch {
            end(.lost(cause: String(describing: error)))
        }
    }

    private func armTimer() {
        guard let context else { return }
        let due = min(messageDeadline, handshakeDeadline)
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: due) { self.timerFired() }
    }

    private func rearmTimer() {
        timer?.cancel()
        armTimer()
    }

    private func timerFired() {
        guard phase != .admitted, phase != .closed else { return }
        let now = NIODeadline.now()
        guard now >= min(messageDeadline, handshakeDeadline) else { return armTimer() }
        let limit =
            now < handshakeDeadline
            ? Fact("no message for", "\(times.message.wholeMilliseconds) ms")
            : Fact("not finished in", "\(times.handshake.wholeMilliseconds) ms")
        end(.refused(Refusal(.handshakeTimeout, [limit])))
    }

    // MARK: Frames out

    /// Sees to it that what is queued leaves at the end of this tick.
    func scheduleFlush() {
        guard !isReading, !isFlushScheduled, let context else { return }
        isFlushScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    private func flush() {
        guard phase != .closed, let context else { return }
        if context.channel.isWritable { writeBatch(context) }
        for observer in streams.takeWritable() { observer.stream(did: .writable) }
        guard phase != .closed else { return }
        if streams.hasOutput && context.channel.isWritable { scheduleFlush() }
        if streams.isDraining && streams.count == 0 && !streams.hasOutput { end(.drained) }
    }

    private func writeBatch(_ context: ChannelHandlerContext) {
        guard streams.hasOutput else { return }
        // TLS has taken the bytes of the last batch by now, so that its storage is used again.
        batch.clear()
        streams.writeFrames(into: &batch, budget: Self.flushBudget)
        guard batch.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(batch), promise: nil)
    }

    // MARK: The end

    /// Ends the connection, once; what is queued is still sent, as far as the socket takes it.
    func end(_ why: LinkEnd) {
        guard phase != .closed else { return }
        let wasSecured = phase != .securing
        if let context, wasSecured, context.channel.isActive { writeBatch(context) }
        phase = .closed
        timer?.cancel()
        timer = nil
        let worstWait = Int(clamping: streams.worstWait)
        for observer in streams.close() { observer.stream(did: .lost) }
        transport.ended(id, role, remote, why, wasSecured: wasSecured, worstWait: worstWait)
        context?.close(promise: nil)
    }

    func tell(_ event: LinkEvent) { transport.observer.connection(id, did: event) }
}
