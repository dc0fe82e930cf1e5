import MeshBase
import MeshCredentials
import MeshNode
import NIOCore

/// Where an answer's body goes.
protocol AnswerSink: AnyObject {
    /// The next piece of the body, in order.
    func pass(_ piece: ByteBuffer)
    /// There is no more.
    func close()
}

/// One answer's body on its way: held until the desk lets its head pass, and its last piece until the desk
/// lets the end pass.
///
///     closed --open--> flowing (all but the last piece passes) --finish--> (the last piece and the end pass)
///
/// It also sums up what passed, for the audit. Confined to the plane's event loop.
final class AnswerPipe {
    /// Let go when nothing more passes: whoever receives holds this pipe, too.
    private var sink: (any AnswerSink)?
    private var queued: [ByteBuffer] = []
    private var held: ByteBuffer?
    private var isOpen = false
    private var isOver = false
    private var length: Int64 = 0
    /// The body as long as it is at most `keptMax` bytes; nil beyond.
    private var kept: [UInt8]? = []

    /// The audit keeps digests of bodies up to 4 KiB (protocol section 9).
    private static let keptMax = 4 * 1024

    init(to sink: any AnswerSink) { self.sink = sink }

    /// What passed so far.
    var summary: BodySummary { BodySummary(length: length, digest: kept.map { SystemSuite().digest($0) }) }

    /// The whole body, while it is short enough to be kept for a repetition.
    var keptBody: Octets? { kept.map { Octets($0) } }

    /// The next piece arrived.
    func take(_ piece: ByteBuffer) {
        guard !isOver, piece.readableBytes > 0 else { return }
        length += Int64(piece.readableBytes)
        if var bytes = kept {
            bytes.append(contentsOf: piece.readableBytesView)
            kept = bytes.count <= Self.keptMax ? bytes : nil
        }
        if let last = held { forward(last) }
        held = piece
    }

    /// The head has passed: what waited behind it follows.
    func open() {
        isOpen = true
        let waiting = queued
        queued = []
        for piece in waiting { sink?.pass(piece) }
    }

    /// The desk lets the end pass.
    func finish() {
        guard !isOver else { return }
        isOver = true
        if let last = held { sink?.pass(last) }
        held = nil
        sink?.close()
        sink = nil
    }

    /// Nothing more passes.
    func abandon() {
        isOver = true
        queued = []
        held = nil
        sink = nil
    }

    private func forward(_ piece: ByteBuffer) {
        if isOpen { sink?.pass(piece) } else { queued.append(piece) }
    }
}
