import MeshAudit
import MeshBase
import MeshCredentials
import MeshRouting
import NIOCore

/// Who gives a body, and can be told to wait. What was under way already still comes.
protocol BodySource: AnyObject {
    /// Gives no more until `resume`.
    func hold()
    /// Goes on.
    func resume()
}

/// Who takes the body of a request: a peer's stream, or a resource of this node.
protocol BodyTaker: AnyObject {
    /// Takes the next piece.
    /// - Returns: whether to go on; when not, it tells the feed (`RequestFeed.room`) once it may.
    func take(_ piece: ByteBuffer) -> Bool
    /// There is no more.
    func end(trailers: [HeaderField])
}

/// Where an answer's body goes: an application, or a peer's stream.
protocol AnswerSink: AnyObject {
    /// Takes the next piece of the body, in order.
    /// - Returns: whether to go on; when not, it tells the pipe (`AnswerPipe.room`) once it may.
    func pass(_ piece: ByteBuffer) -> Bool
    /// There is no more.
    func close(trailers: [HeaderField])
}

/// What is counted of a body that passes, for the audit.
struct BodyCount {
    private(set) var length: Int64 = 0
    /// The body as long as it is at most `most` bytes; nil beyond.
    private(set) var kept: [UInt8]? = []
    /// Bytes that are kept of it; at least `Limits.digestedBody`.
    var most = Limits.digestedBody

    mutating func add(_ piece: ByteBuffer) {
        length += Int64(piece.readableBytes)
        guard let bytes = kept?.count else { return }
        if bytes + piece.readableBytes <= most {
            kept?.append(contentsOf: piece.readableBytesView)
        } else {
            kept = nil
        }
    }

    /// What passed so far.
    var summary: BodySummary {
        let digested = length <= Limits.digestedBody ? kept : nil
        return BodySummary(length: length, digest: digested.map { SystemSuite().digest($0) })
    }
}

/// Says now and then that bytes move: the desk prolongs a call's time by it, and need not hear of each piece.
struct MovementPace {
    private static let pause: TimeAmount = .milliseconds(100)
    private var next = NIODeadline.now() + Self.pause

    /// Whether it is time to say so again.
    mutating func isDue() -> Bool {
        let now = NIODeadline.now()
        guard now >= next else { return false }
        next = now + Self.pause
        return true
    }
}

extension Optional {
    /// Does something with a seal where it stands: what it holds is not twice in memory meanwhile. Nil where
    /// there is none.
    mutating func inPlace<Answer>(
        _ work: (inout Wrapped) throws(SealError) -> Answer
    ) throws(SealError) -> Answer? {
        guard var held = self else { return nil }
        self = nil
        defer { self = held }
        return try work(&held)
    }
}

extension ByteBuffer {
    /// The same bytes in storage of their own size: a slice keeps all of the read that brought it.
    var compacted: ByteBuffer { ByteBuffer(bytes: readableBytesView) }

    /// Looks at the bytes where they stand.
    func withReadable<Answer, Failure: Error>(
        _ look: (UnsafeRawBufferPointer) throws(Failure) -> Answer
    ) throws(Failure) -> Answer {
        let result = withUnsafeReadableBytes { bytes -> Result<Answer, Failure> in
            do throws(Failure) {
                return .success(try look(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
