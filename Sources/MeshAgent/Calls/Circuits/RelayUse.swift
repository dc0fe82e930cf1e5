import MeshBase
import MeshLink
import MeshNode
import MeshRouting
import MeshWire
import NIOCore

/// One use of the built-in resource `relay`: a peer's bytes go to another peer, and that one's back, as they
/// come; what they mean only the two know. Confined to the plane's event loop.
///
///     asking --the far end answers--> carrying --either end is done--> over
///        └──whom it may not reach, no link, no answer in `patience`──> 404, alike
///
/// Whatever ends it ends the stream to the far end as well: none of them may be left behind on a link that
/// others use.
final class RelayUse: ServiceUse, BodyTaker, BodySource, LinkStreamObserver, @unchecked Sendable {
    // Sendable as `PeerAttempt` is: confined to the one event loop.
    private let id: ServiceID
    private unowned let plane: CallPlane
    private let feed: RequestFeed
    private let sink: any AnswerSink
    private lazy var pipe = AnswerPipe(from: self, to: sink) { [plane, id] in plane.moved(id) }
    private var stream: LinkStream?
    private var end: NodeID?
    private var use = LinkUse()
    private var hasBegun = false
    private var isOver = false
    private var isPaused = false
    /// Bytes that the far end gets credit for again once they are wanted.
    private var owed = 0
    /// While asking, when it is given up; while carrying, that the desk hears that it is in use: two ends may
    /// be silent for as long as they like.
    private var alarm: Scheduled<Void>?

    /// How long the far end has to answer: its agent does so in one turn.
    private static let patience: TimeAmount = .seconds(5)
    /// Well below `Limits.streamIdle`.
    static let signPause: TimeAmount = .seconds(20)

    init(_ id: ServiceID, _ feed: RequestFeed, answeringTo sink: any AnswerSink, on plane: CallPlane) {
        self.id = id
        self.feed = feed
        self.sink = sink
        self.plane = plane
    }

    /// Opens the way to the far end.
    func start(_ invocation: Invocation, of caller: NodeID?) {
        guard let caller,
            let end = plane.desk.withLock({
                $0.circuitEnd(of: invocation.path, for: caller, at: SystemClock.now())
            }),
            let stream = plane.openCircuit(to: end, of: caller, observer: self)
        else { return refuse() }
        self.end = end
        self.stream = stream
        alarm = plane.loop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in self?.refuse() }
    }

    func stop() {
        guard !isOver else { return }
        close()
        pipe.abandon()
        stream?.reset(.cancelled)
    }

    /// This node carries nothing more.
    func drain() {
        guard !isOver else { return }
        if hasBegun { finish() } else { refuse() }
    }

    func stream(did event: LinkStreamEvent) {
        guard !isOver else { return }
        switch event {
        case .head: begin()
        case .data(let piece): take(answer: piece)
        case .end: hasBegun ? finish() : refuse()
        case .reset, .lost:
            guard hasBegun else { return refuse() }
            close()
            pipe.abandon()
            plane.submit(.resourceFailed(id, .connectionLost, .possible))
        case .writable: feed.room()
        }
    }

    private func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        sayInUse()
        plane.begin(pipe, for: id)
        plane.submit(.resourceAnswered(id, status: WebSocketUpgrade.status, headers: []))
        guard !feed.attach(self) else { return }
        stop()
        plane.submit(.resourceFailed(id, .connectionLost, .none))
    }

    private func sayInUse() {
        alarm?.cancel()
        alarm = plane.loop.assumeIsolated().scheduleTask(in: Self.signPause) { [weak self] in
            guard let self, !isOver else { return }
            plane.moved(id)
            sayInUse()
        }
    }

    /// There is no way, whatever the reason: who asks learns nothing of whom this node knows.
    private func refuse() {
        guard !isOver else { return }
        isOver = true
        alarm?.cancel()
        stream?.reset(.cancelled)
        plane.begin(pipe, for: id)
        plane.submit(.resourceAnswered(id, status: 404, headers: []))
        if let partial = feed.partial { plane.bodyEnded(id, partial) }
        feed.detach()
        plane.submit(.resourceEnded(id, pipe.summary, kept: nil))
    }

    private func take(answer piece: ByteBuffer) {
        guard hasBegun else { return }
        if let end { use.note(of: end, on: plane) }
        // A slice would keep the read that brought it for as long as the caller does not read.
        pipe.take(piece.compacted)
        if isPaused { owed += piece.readableBytes } else { stream?.consumed(piece.readableBytes) }
    }

    private func finish() {
        if let partial = feed.partial { plane.bodyEnded(id, partial) }
        close()
        // The far end is done, and takes nothing more.
        stream?.reset(.cancelled)
        plane.submit(.resourceEnded(id, pipe.summary, kept: nil))
    }

    private func close() {
        isOver = true
        alarm?.cancel()
        feed.detach()
    }

    // MARK: What the caller says

    func take(_ piece: ByteBuffer) -> Bool { stream?.write(piece) == .open }

    func end(trailers: [HeaderField]) {
        // The far end answers it with its own.
        stream?.end()
    }

    // MARK: What the caller hears

    func hold() { isPaused = true }

    func resume() {
        isPaused = false
        guard owed > 0 else { return }
        stream?.consumed(owed)
        owed = 0
    }
}
