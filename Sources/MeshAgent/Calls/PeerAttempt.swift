import MeshBase
import MeshCredentials
import MeshLink
import MeshNode
import MeshRouting
import MeshWire
import NIOCore

/// One attempt at a peer: the stream out, and its answer. Confined to the plane's event loop.
final class PeerAttempt: LinkStreamObserver, BodyTaker, BodySource, @unchecked Sendable {
    // Sendable because the link hands observers between threads; all state is touched on one event loop only,
    // the plane's, which is also every connection's: `CallPlane` is made with a group of one loop and checks
    // it.
    private let id: AttemptID
    private unowned let plane: CallPlane
    private let feed: RequestFeed
    private let isHead: Bool
    private let isGet: Bool
    private let isWebSocket: Bool
    /// Seals what goes and opens what comes; nil where the call is not sealed.
    private var seal: ConsumerSeal?
    /// The answer on its way; made with the attempt, which then is its source.
    private(set) lazy var pipe = AnswerPipe(from: self, to: request) { [plane, id] in
        plane.submit(.bytesMoved(id.request))
    }
    private let request: OwnRequest
    private var stream: LinkStream?
    private var connection: ConnectionID?
    /// The answer's head, until all of the answer is there, or more of it than `heldMax`, or its time is
    /// over: while the desk has not heard of it, a call that may be repeated can still go to another node
    /// when the peer dies in the middle. A short answer is in the middle for as long as its provider syncs.
    private var held: (status: UInt16, headers: [HeaderField])?
    /// What the answer's head declares.
    private var length: AnswerLength?
    /// Whether its provider lets the answer be kept.
    private var isKept = false
    /// How often `heldTime` was over.
    private var heldTimes = 0
    /// Bytes of the answer that the peer gets credit for again once they are wanted.
    private var owed = 0
    private var isPaused = false
    private var isOver = false

    private static let heldMax: Int64 = 64 * 1024
    /// Bytes of a piece that waits as a slice of what was read: shorter ones are mostly whole answers.
    private static let slicedMost = 4 * 1024
    /// A head is held so long, of an answer that may be a stream whose first byte is awaited. Longer than a
    /// provider's group commit mostly takes; hardly noticed at the head of a stream.
    static let heldTime: TimeAmount = .milliseconds(100)
    /// So often as long, 2 s, where the answer is short by what its head declares: all of it is at the
    /// provider, which waits for its disk, however slow, and nobody reads half of it.
    private static let shortHeldTimes = 20

    init(
        _ id: AttemptID, _ invocation: Invocation, for request: OwnRequest, _ seal: ConsumerSeal?,
        on plane: CallPlane
    ) {
        self.id = id
        self.seal = seal
        self.request = request
        self.plane = plane
        feed = request.feed(for: invocation.body)
        isHead = invocation.method == "HEAD"
        isGet = invocation.method == "GET"
        isWebSocket = invocation.method == WebSocketUpgrade.method
    }

    /// Sends the body, as the window allows; over a WebSocket only once that is open.
    func start(on stream: LinkStream, over connection: ConnectionID) {
        self.stream = stream
        self.connection = connection
        if !isWebSocket { sendBody() }
    }

    private func sendBody() {
        guard !feed.attach(self) else { return }
        abandon()
        plane.submit(.attemptFailed(id, .streamReset, .none))
    }

    /// Ends it from this side; nothing more is told.
    func abandon() {
        close()
        pipe.abandon()
        stream?.reset(.cancelled)
    }

    // MARK: The request's body

    func take(_ piece: ByteBuffer) -> Bool {
        guard seal != nil else { return stream?.write(piece) == .open }
        let sealed = sealing { seal throws(SealError) in
            try piece.withReadable { bytes throws(SealError) in try seal.seal(bytes) }
        }
        guard let sealed else { return false }
        return stream?.write(ByteBuffer(bytes: sealed)) == .open
    }

    func end(trailers: [HeaderField]) {
        var fields: [UInt8] = []
        do throws(WireError) {
            fields = try InvocationCodec.encode(trailers: trailers)
        } catch {
            // They came from an application here, which is not told why they are left out.
            plane.note("trailers cannot be sent", error)
        }
        guard seal != nil else {
            stream?.end(trailers: ByteBuffer(bytes: fields))
            return
        }
        guard let last = sealing({ seal throws(SealError) in try seal.end(trailers: fields) }) else { return }
        stream?.write(ByteBuffer(bytes: last))
        stream?.end()
    }

    /// Does something with the seal; nil when that broke, and with it the attempt.
    private func sealing<Result>(_ work: (inout ConsumerSeal) throws(SealError) -> Result) -> Result? {
        do throws(SealError) {
            return try seal.inPlace(work)
        } catch {
            breakSeal()
            return nil
        }
    }

    /// What came is not what was sealed for this call, or no more can be sealed.
    private func breakSeal() {
        close()
        pipe.abandon()
        stream?.reset(.sealBroken)
        plane.submit(.attemptFailed(id, .sealBroken, .possible))
    }

    // MARK: The answer

    func hold() { isPaused = true }

    func resume() {
        isPaused = false
        guard owed > 0 else { return }
        stream?.consumed(owed)
        owed = 0
    }

    func stream(did event: LinkStreamEvent) {
        guard !isOver else { return }
        switch event {
        case .head(let head): read(head)
        case .data(let piece): take(answer: piece)
        case .end(let trailers): finish(trailers)
        case .reset(let code):
            close()
            if code == .draining, let connection { plane.leave(connection) }
            let isUntouched = code == .draining || code == .limitReached
            let effect: PossibleEffect = isUntouched ? .none : .possible
            let failure: AttemptFailure =
                isUntouched ? .noStream : code == .sealBroken ? .sealBroken : .streamReset
            plane.submit(.attemptFailed(id, failure, effect))
        case .lost:
            close()
            plane.submit(.attemptFailed(id, .linkLost, .possible))
        case .writable: feed.room()
        }
    }

    private func read(_ head: ByteBuffer) {
        let answer: InvocationAnswer
        do throws(WireError) {
            let sealed =
                try seal == nil ? nil : InvocationCodec.sealedAnswer(from: Array(head.readableBytesView))
            if let sealed {
                let clear = sealing { seal throws(SealError) in
                    try seal.openAnswer(nonce: sealed.nonce, sealed.sealed)
                }
                guard let clear else { return }
                answer = try InvocationCodec.answer(from: clear)
            } else {
                let clear = try head.withReadable { bytes throws(WireError) in
                    try InvocationCodec.answer(from: bytes)
                }
                guard let taken = seal == nil ? clear : clear.takenInClear else { return breakSeal() }
                answer = taken
            }
        } catch {
            return fail(.requestMalformed)
        }
        switch answer {
        case .answered(let status, let headers):
            guard status != WebSocketUpgrade.status || isWebSocket else { return fail(.resourceMisbehaved) }
            held = (status, headers)
            length = AnswerLength(status: Int(status), headers: headers, isHead: isHead)
            keep(status, headers)
            guard status != WebSocketUpgrade.status else {
                // What comes behind it may wait for what the application says.
                tellHead()
                return sendBody()
            }
            plane.isHolding(id)
        case .refused(let refusals, let effect):
            close()
            // The provider wants no more of the body.
            stream?.reset(.cancelled)
            plane.submit(.attemptRefused(id, refusals, effect))
        }
    }

    private func take(answer piece: ByteBuffer) {
        let bytes = piece.readableBytes
        guard let piece = opened(piece) else { return }
        if let declared = length?.declared, pipe.length + Int64(piece.readableBytes) > declared {
            return fail(.resourceMisbehaved)
        }
        // It waits for the rest. A slice that outlives its turn makes TLS copy all of its read buffer.
        let isLong = piece.readableBytes > Self.slicedMost
        pipe.take(isHolding && isLong && seal == nil ? piece.compacted : piece)
        if isPaused { owed += bytes } else { stream?.consumed(bytes) }
        if pipe.length > Self.heldMax { tellHead() }
        if isKept, pipe.length > Limits.keptBody { dropKept() }
    }

    /// Keeps the body as it passes, where its provider gave leave.
    private func keep(_ status: UInt16, _ headers: [HeaderField]) {
        guard isGet, let leave = KeepRules.leave(saidIn: headers),
            KeepRules.leave(leave.time, ofStatus: status, headers: headers) != nil,
            length?.declared ?? 0 <= Limits.keptBody
        else { return }
        isKept = plane.beginKeeping()
        if isKept { pipe.keep(upTo: Limits.keptBody) }
    }

    private func dropKept() {
        if isKept { plane.endKeeping() }
        isKept = false
    }

    /// What of the body a piece holds, or completes.
    private func opened(_ piece: ByteBuffer) -> ByteBuffer? {
        guard seal != nil else { return piece }
        return sealing { seal throws(SealError) in
            try piece.withReadable { bytes throws(SealError) in try seal.open(bytes) }
        }
        .map { ByteBuffer(bytes: $0) }
    }

    private func finish(_ trailers: ByteBuffer) {
        var fields = Array(trailers.readableBytesView)
        if seal != nil {
            guard let inside = sealing({ seal throws(SealError) in try seal.finish() }) else { return }
            guard fields.isEmpty else { return breakSeal() }
            fields = inside
        }
        do throws(WireError) {
            pipe.trailers = try InvocationCodec.trailers(from: fields)
        } catch {
            return fail(.requestMalformed)
        }
        if let declared = length?.declared, pipe.length != declared { return fail(.resourceMisbehaved) }
        tellHead()
        let partial = feed.partial
        // What stands behind a body is not kept with it.
        let kept = isKept && pipe.trailers.isEmpty ? pipe.keptBody : nil
        close()
        if let partial { plane.submit(.bodyEnded(id.request, partial)) }
        // With the answer complete nobody there wants the rest of the body.
        stream?.reset(.cancelled)
        plane.submit(.attemptEnded(id, pipe.summary, kept: kept))
    }

    /// What the peer answers is not what it may answer.
    private func fail(_ code: RefusalCode) {
        close()
        pipe.abandon()
        stream?.reset(code)
        plane.submit(.attemptFailed(id, .answerMalformed, .possible))
    }

    /// Whether the answer's head is held.
    var isHolding: Bool { held != nil }

    /// `heldTime` is over; false: the head is held no longer.
    func holdsOn() -> Bool {
        heldTimes += 1
        return length?.isAtMost(Self.heldMax) == true && heldTimes < Self.shortHeldTimes
    }

    /// Lets the answer's head go on to the desk, where it is held.
    func tellHead() {
        guard let (status, headers) = held else { return }
        letGo()
        plane.submit(.attemptAnswered(id, status: status, headers: headers))
    }

    private func close() {
        letGo()
        dropKept()
        isOver = true
        feed.detach()
    }

    private func letGo() { held = nil }
}
