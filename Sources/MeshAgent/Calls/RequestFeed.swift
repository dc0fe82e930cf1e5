import MeshAudit
import MeshBase
import MeshRouting
import NIOCore

/// A request's body on its way, from whoever sends it to whoever takes it: one taker, or one after the other
/// for as long as all of it is kept.
///
///     waiting --attach--> flowing --taker is full--> waiting --room--> flowing --end given--> over
///        ^  ^                │                                                                 │
///        │  └────detach──────┘ <───────────────────────attach, from its beginning────────────--┘
///
/// While nobody takes, its source is held. What waits is copied, since slices would keep the reads that
/// brought them. Up to `keptMax` bytes are kept from the beginning, and can be given again; once more than
/// that has been given, that is told (`.left`). Confined to the plane's event loop.
final class RequestFeed {
    /// What the desk is to hear of a streamed body.
    enum Event {
        /// It cannot be given again from its beginning.
        case left
        /// Bytes were taken since this was last told.
        case moved
        /// All of it was taken.
        case ended(BodySummary)
    }

    /// How its request says that it comes.
    let form: RequestBody
    /// Of one that passes as it comes; held by whoever makes this.
    weak var source: (any BodySource)?
    private let tell: (Event) -> Void
    private let keptMax: Int
    /// All that came, from the beginning; nil once it is more than `keptMax`.
    private var kept: ByteBuffer? = ByteBuffer()
    /// What came and was not taken yet.
    private var waiting = ByteBuffer()
    private var trailers: [HeaderField]?
    private var taker: (any BodyTaker)?
    private var hasRoom = false
    /// Whether anything was given since it began.
    private var wasGiven = false
    private var isHeld = true
    private var isGiving = false
    private var count = BodyCount()
    private var pace = MovementPace()
    /// Whether the taker has all of it.
    private(set) var isOver = false

    /// A body that passes as it comes, from `source` once that is said.
    init(streamed form: RequestBody, tell: @escaping (Event) -> Void) {
        self.form = form
        self.tell = tell
        keptMax = Limits.repeatableBody
    }

    /// A body that is here.
    init(whole bytes: ByteBuffer, form: RequestBody, trailers: [HeaderField] = []) {
        self.form = form
        tell = { _ in }
        keptMax = .max
        kept = bytes
        self.trailers = trailers
    }

    /// All of it, where it is here from the beginning; nil of one that passes as it comes.
    var whole: (bytes: ByteBuffer, trailers: [HeaderField])? {
        guard !form.isStreamed, let kept, let trailers else { return nil }
        return (kept, trailers)
    }

    // MARK: From its source

    /// The next piece came; false when that is more than its head declared, and nothing of it is given.
    func take(_ piece: ByteBuffer) -> Bool {
        guard trailers == nil else { return false }
        count.add(piece)
        if let declared = form.length, count.length > declared { return false }
        keep(piece)
        if let taker, hasRoom, waiting.readableBytes == 0, !isGiving {
            give(piece, to: taker)
        } else if taker != nil || kept == nil {
            waiting.writeImmutableBuffer(piece)
        }
        steer()
        return true
    }

    /// What came of it so far, where that is not all.
    var partial: BodySummary? {
        form.isStreamed && !isOver ? BodySummary(length: count.length, digest: nil) : nil
    }

    /// There is no more; false when its head declared more.
    func end(trailers: [HeaderField]) -> Bool {
        guard self.trailers == nil else { return false }
        if let declared = form.length, count.length < declared { return false }
        self.trailers = trailers
        flow()
        return true
    }

    // MARK: To its taker

    /// Gives it to `taker`, from its beginning; false when some of that was given and is not kept.
    func attach(_ taker: any BodyTaker) -> Bool {
        guard kept != nil || !wasGiven else { return false }
        if let kept { waiting = kept }
        self.taker = taker
        (hasRoom, isOver) = (true, false)
        flow()
        return true
    }

    /// Nobody takes it any more.
    func detach() {
        taker = nil
        steer()
    }

    /// The taker takes more again.
    func room() {
        hasRoom = true
        flow()
    }

    private func flow() {
        guard !isGiving else { return }
        isGiving = true
        while let taker, hasRoom,
            let piece = waiting.readSlice(length: min(waiting.readableBytes, Self.piece)),
            piece.readableBytes > 0
        {
            give(piece, to: taker)
        }
        if waiting.readableBytes == 0 { waiting = ByteBuffer() }
        isGiving = false
        if let taker, hasRoom, waiting.readableBytes == 0, let trailers, !isOver {
            isOver = true
            taker.end(trailers: trailers)
            tell(.ended(count.summary))
        }
        steer()
    }

    /// Bytes given at once.
    private static let piece = 64 * 1024

    private func give(_ piece: ByteBuffer, to taker: any BodyTaker) {
        let isFirst = !wasGiven
        wasGiven = true
        let mayGoOn = taker.take(piece)
        if self.taker === taker { hasRoom = mayGoOn }
        if isFirst && kept == nil { tell(.left) }
        if pace.isDue() { tell(.moved) }
    }

    private func keep(_ piece: ByteBuffer) {
        guard let bytes = kept?.readableBytes else { return }
        // Between two takers what was under way still comes, and is kept as well: one read, or one window.
        guard bytes + piece.readableBytes > keptMax, taker != nil || !wasGiven else {
            kept?.writeImmutableBuffer(piece)
            return
        }
        // Nobody took it yet: all of it waits.
        if taker == nil, let kept { waiting = kept }
        kept = nil
        if wasGiven { tell(.left) }
    }

    private func steer() {
        let isWanted = taker != nil && hasRoom && waiting.readableBytes == 0 && trailers == nil
        guard isWanted == isHeld else { return }
        isHeld = !isWanted
        if isWanted { source?.resume() } else { source?.hold() }
    }
}
