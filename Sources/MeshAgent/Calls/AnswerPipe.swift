import MeshAudit
import MeshBase
import MeshRouting
import NIOCore

/// One answer's body on its way: held until the desk lets its head pass, and its last frame until the desk
/// lets the end pass.
///
///     closed --open--> flowing --finish--> over
///
/// The last frame is the end itself, and where the answer declares its length the piece that completes it: to
/// whoever counts bytes, the answer is whole with that. What its sink does not take holds up its source. It
/// also sums up what passed, for the audit. Confined to the plane's event loop.
final class AnswerPipe {
    /// Bytes that wait for the desk before the source is told to wait, too.
    private static let queuedMax = 64 * 1024

    /// Let go when nothing more passes: whoever receives holds this pipe, too.
    private var sink: (any AnswerSink)?
    private weak var source: (any BodySource)?
    private let moved: () -> Void
    private var queued: [ByteBuffer] = []
    private var queuedBytes = 0
    private var held = ByteBuffer()
    private var isOpen = false
    private var isFull = false
    private var isOver = false
    private var count = BodyCount()
    private var pace = MovementPace()
    /// Bytes that the answer's head declares, where its last piece is to be held; nil: the end is its last
    /// frame.
    var declared: Int64?
    /// What follows the body.
    var trailers: [HeaderField] = []

    /// - Parameter moved: bytes passed since this was last called.
    init(from source: any BodySource, to sink: any AnswerSink, moved: @escaping () -> Void) {
        self.source = source
        self.sink = sink
        self.moved = moved
    }

    /// What came so far.
    var summary: BodySummary { count.summary }

    /// The whole body, while it is short enough to be kept for a repetition.
    var keptBody: Octets? { count.kept.map { Octets($0) } }

    /// Before the first piece: keeps a body of so many bytes.
    func keep(upTo bytes: Int) { count.most = max(bytes, Limits.digestedBody) }

    /// Bytes that came so far.
    var length: Int64 { count.length }

    /// The next piece arrived.
    func take(_ piece: ByteBuffer) {
        guard !isOver, piece.readableBytes > 0 else { return }
        count.add(piece)
        guard isOpen else {
            queued.append(piece)
            queuedBytes += piece.readableBytes
            if queuedBytes > Self.queuedMax { source?.hold() }
            return
        }
        forward(piece)
    }

    /// The head has passed: what waited behind it follows.
    func open() {
        guard !isOpen, !isOver else { return }
        isOpen = true
        let (waiting, wasHeld) = (queued, queuedBytes > Self.queuedMax)
        (queued, queuedBytes) = ([], 0)
        var passed: Int64 = count.length - waiting.reduce(0) { $0 + Int64($1.readableBytes) }
        for piece in waiting {
            passed += Int64(piece.readableBytes)
            forward(piece, passed: passed)
        }
        if wasHeld && !isFull { source?.resume() }
    }

    /// The sink takes more again.
    func room() {
        guard isFull, !isOver else { return }
        isFull = false
        source?.resume()
    }

    /// The sink takes no more for now, of its own accord.
    func block() {
        guard !isFull, !isOver else { return }
        isFull = true
        source?.hold()
    }

    /// The desk lets the end pass.
    func finish() {
        guard !isOver else { return }
        isOver = true
        if held.readableBytes > 0 { _ = sink?.pass(held) }
        sink?.close(trailers: trailers)
        sink = nil
    }

    /// Nothing more passes.
    func abandon() {
        isOver = true
        queued = []
        held = ByteBuffer()
        sink = nil
    }

    private func forward(_ piece: ByteBuffer, passed: Int64? = nil) {
        if let declared, passed ?? count.length >= declared {
            if held.readableBytes == 0 { held = piece } else { held.writeImmutableBuffer(piece) }
            return
        }
        if sink?.pass(piece) == false { block() }
        if pace.isDue() { moved() }
    }
}
