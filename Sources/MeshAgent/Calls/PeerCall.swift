import MeshBase
import MeshCredentials
import MeshLink
import MeshNode
import MeshRouting
import MeshWire
import NIOCore

/// One invocation of a peer, from its stream's opening to the answer's end. Confined to the plane's event
/// loop.
///
/// A body that its head announces whole is gathered before the desk hears of the call; one that streams is
/// fed to the resource as both sides can, and the desk decides before any of it is read.
final class PeerCall: LinkStreamObserver, AnswerSink, BodySource, @unchecked Sendable {
    // Sendable as `PeerAttempt` is: confined to the one event loop.
    let key: InboundKey
    let peer: NodeID
    private let origin: LinkOrigin
    /// What of the peer's share of memory this call holds.
    var keptBytes = 0
    /// By when a body that is announced whole must be here.
    let due: NIODeadline
    private let invocation: Invocation
    private let opening: InboundInvocation.Opening
    private let isOpened: Bool
    /// Opens what comes and seals what goes; nil where the call is not sealed, or could not be opened.
    private var seal: ProviderSeal?
    private let stream: LinkStream
    private unowned let plane: CallPlane
    private var gathered = ByteBuffer()
    /// The body on its way: from the beginning where it streams, else once it is here.
    private(set) var feed: RequestFeed?
    private var hasArrived = false
    private var isOver = false
    /// Bytes of the body that the peer gets credit for again once they are wanted.
    private var owed = 0
    private var isPaused = true
    /// The answer on its way, once the resource was asked.
    var pipe: AnswerPipe?
    /// The refusal that waits for its turn; gone with the call.
    var refusal: Scheduled<Void>?

    /// What is known of the call's head.
    struct Head {
        /// The call, or what of it stands in the open.
        let invocation: Invocation
        /// Opens the rest; nil where nothing is sealed, or it could not be opened.
        var seal: ProviderSeal?
        var opening = InboundInvocation.Opening.whole
    }

    init(
        _ key: InboundKey, from caller: CallPlane.Caller, _ head: Head, on stream: LinkStream,
        of plane: CallPlane
    ) {
        let invocation = head.invocation
        self.key = key
        peer = caller.node
        origin = caller.origin
        self.invocation = invocation
        opening = head.opening
        isOpened = head.seal != nil
        seal = head.seal
        self.stream = stream
        self.plane = plane
        let left = min(
            .milliseconds(Int64(invocation.remainingMilliseconds)), Limits.callDeadlineMax)
        due = .now() + TimeAmount.nanoseconds(left.wholeNanoseconds)
        guard opening == .whole else {
            // Behind what came with it: nobody looks at that.
            stream.eventLoop.assumeIsolated().execute { self.arrive(.none) }
            return
        }
        guard invocation.body.isStreamed else { return }
        let feed = RequestFeed(streamed: invocation.body) { [unowned plane] event in
            switch event {
            case .left: break
            case .moved: plane.submit(.serviceMoved(key))
            case .ended(let summary): plane.submit(.serviceBodyEnded(key, summary))
            }
        }
        feed.source = self
        self.feed = feed
        // Behind what came with it: a short body is then here whole.
        stream.eventLoop.assumeIsolated().execute { self.arrive(invocation.body) }
    }

    /// Whether the body is still waited for.
    var isGathering: Bool { !hasArrived && !isOver && feed == nil && opening == .whole }

    func stream(did event: LinkStreamEvent) {
        guard !isOver else { return }
        switch event {
        case .data(let piece): if opening == .whole { take(piece) }
        case .end(let trailers): if opening == .whole { end(trailers) }
        case .reset, .lost: abandon()
        case .writable: pipe?.room()
        case .head: break
        }
    }

    // MARK: The body

    func hold() { isPaused = true }

    func resume() {
        isPaused = false
        guard owed > 0 else { return }
        stream.consumed(owed)
        owed = 0
    }

    private func take(_ piece: ByteBuffer) {
        let bytes = piece.readableBytes
        guard let piece = opened(piece) else { return }
        guard let feed else {
            stream.consumed(bytes)
            return gather(piece)
        }
        guard piece.readableBytes == 0 || feed.take(piece) else { return breakRule() }
        if isPaused { owed += bytes } else { stream.consumed(bytes) }
    }

    /// What of the body a piece holds, or completes.
    private func opened(_ piece: ByteBuffer) -> ByteBuffer? {
        guard seal != nil else { return piece }
        return sealing { seal throws(SealError) in
            try piece.withReadable { bytes throws(SealError) in try seal.open(bytes) }
        }
        .map { ByteBuffer(bytes: $0) }
    }

    /// Does something with the seal; nil when that broke, and with it the call.
    private func sealing<Result>(_ work: (inout ProviderSeal) throws(SealError) -> Result) -> Result? {
        do throws(SealError) {
            return try seal.inPlace(work)
        } catch {
            abandon()
            stream.reset(.sealBroken)
            return nil
        }
    }

    private func gather(_ piece: ByteBuffer) {
        let bytes = piece.readableBytes
        guard Int64(gathered.readableBytes + bytes) <= invocation.body.length ?? 0 else { return breakRule() }
        guard plane.keep(bytes, for: peer) else {
            return refuse([
                Refusal(.overloaded, [Fact("bytes of one peer's calls at most", Limits.memoryPerPeer)])
            ])
        }
        keptBytes += bytes
        gathered.writeImmutableBuffer(piece)
    }

    private func end(_ trailers: ByteBuffer) {
        var bytes = Array(trailers.readableBytesView)
        if seal != nil {
            guard let inside = sealing({ seal throws(SealError) in try seal.finish() }) else { return }
            guard bytes.isEmpty else { return breakRule() }
            bytes = inside
        }
        let fields: [HeaderField]
        do throws(WireError) {
            fields = try InvocationCodec.trailers(from: bytes)
        } catch {
            return breakRule()
        }
        if let feed {
            guard feed.end(trailers: fields) else { return breakRule() }
            return
        }
        let body: RequestBody =
            gathered.readableBytes == 0
            ? .none
            : .whole(
                length: Int64(gathered.readableBytes),
                digest: SystemSuite().digest(Array(gathered.readableBytesView)))
        feed = RequestFeed(whole: gathered, form: body, trailers: fields)
        arrive(body)
    }

    private func arrive(_ body: RequestBody) {
        guard !isOver else { return }
        hasArrived = true
        plane.submit(
            .arrived(
                InboundInvocation(
                    key: key, peer: peer, over: origin, invocation: invocation, body: body,
                    opening: opening, isOpened: isOpened)))
    }

    /// What came is not what the head said: no honest node sends that.
    private func breakRule() {
        abandon()
        stream.reset(.requestMalformed)
    }

    private func abandon() {
        isOver = true
        refusal?.cancel()
        feed?.detach()
        pipe?.abandon()
        plane.forget(key)
        if hasArrived { plane.submit(.abandoned(key)) }
    }

    /// The time is over before the body was here.
    func giveUp() {
        let waited = Fact("bytes of the body so far", gathered.readableBytes)
        refuse([Refusal(.deadlineExceeded, [waited])])
    }

    // MARK: The answer

    /// Lets the answer's head pass.
    func respond(_ answer: InvocationAnswer) {
        guard !isOver else { return }
        switch answer {
        case .answered:
            write(answer)
            pipe?.open()
        case .refused(let refusals, let effect): refuse(refusals, effect)
        }
    }

    /// Answers as the same call was answered before.
    func replay(_ end: IdempotencyBook.End) {
        guard !isOver else { return }
        write(.answered(status: end.status, headers: end.headers))
        if let bytes = end.body?.bytes, !isOver { _ = pass(ByteBuffer(bytes: bytes)) }
        close(trailers: [])
    }

    /// Breaks off what had begun.
    func breakOff() {
        guard !isOver else { return }
        isOver = true
        feed?.detach()
        pipe?.abandon()
        plane.release(self)
        stream.reset(.outcomeUnknown)
    }

    func pass(_ piece: ByteBuffer) -> Bool {
        guard seal != nil else { return stream.write(piece) == .open }
        let sealed = sealing { seal throws(SealError) in
            try piece.withReadable { bytes throws(SealError) in try seal.seal(bytes) }
        }
        guard let sealed else { return false }
        return stream.write(ByteBuffer(bytes: sealed)) == .open
    }

    func close(trailers: [HeaderField]) {
        isOver = true
        feed?.detach()
        var fields: [UInt8] = []
        do throws(WireError) {
            fields = try InvocationCodec.encode(trailers: trailers)
        } catch {
            plane.note("a resource's trailers cannot be sent", error)
        }
        if seal == nil {
            stream.end(trailers: ByteBuffer(bytes: fields))
        } else if let last = sealing({ seal throws(SealError) in try seal.end(trailers: fields) }) {
            stream.write(ByteBuffer(bytes: last))
            stream.end()
        }
        plane.forget(key)
        plane.release(self)
    }

    private func refuse(_ refusals: [Refusal], _ effect: PossibleEffect = .none) {
        write(.refused(refusals, effect: effect))
        close(trailers: [])
    }

    private func write(_ answer: InvocationAnswer) {
        do throws(WireError) {
            let clear = try InvocationCodec.encode(answer)
            guard seal != nil else { return stream.answer(head: ByteBuffer(bytes: clear)) }
            let nonce = SystemRandom.bytes(InvocationCodec.answerNonceLength)
            let sealed = sealing { seal throws(SealError) in try seal.sealAnswer(clear, nonce: nonce) }
            guard let sealed else { return }
            stream.answer(
                head: ByteBuffer(
                    bytes: try InvocationCodec.encode(sealedAnswer: sealed, nonce: nonce)))
        } catch {
            // The resource's head does not fit a link's: the caller must not wait for it.
            plane.note("an answer's head cannot be sent", error)
            stream.reset(.resourceMisbehaved)
            abandon()
        }
    }
}
