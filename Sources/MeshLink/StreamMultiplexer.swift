import MeshBase
import MeshWire
import NIOCore

/// Who dialled: the dialler's streams have odd numbers, the listener's even ones.
public enum LinkRole: Sendable, Hashable, Codable {
    /// This node dialled.
    case dialler
    /// The other node dialled.
    case listener
}

/// Many streams over one connection (protocol section 5a): their states, their credit, and whose frame leaves
/// next.
///
///     here (if the peer opened it: headless until answered)  there (if opened here: headless until answered)
///     headless --open sent--> open --end sent--> ended           headless --open--> open --end--> ended
///     both ended: the stream is forgotten; reset, either way: forgotten at once, late frames are ignored
///
/// Credit: data spends the stream's window and the link's. The link's is given back as soon as data is handed
/// over, the stream's when it is consumed; so a slow reader holds its own window and nobody else's. What all
/// slow readers of one link hold together is bounded by `heldLimit`: the stream that would exceed it is
/// reset.
///
/// What leaves: answers to the peer first (window, pong, reset, go-away), then one frame of each stream that
/// has one, in turn. Callers owe it every frame of the connection in order, `seat` after `.opened`, and
/// `consumed` for each byte of `.data`.
struct StreamMultiplexer<Observer> {
    /// Payload and header of a data frame fill one TLS record.
    static var dataPayload: Int { 16 * 1024 - FrameHeader.length }
    /// Bytes that may be unconsumed in all streams of the link together.
    static var heldLimit: Int { 4 * Limits.memoryPerPeer }
    /// Bytes of answers that may wait while the peer does not read.
    static var answersLimit: Int { 64 * 1024 }
    /// Bytes of documents that may wait while the peer does not read.
    static var documentsLimit: Int { Limits.linkWindow }
    /// Bytes of one stream that may wait before its writer is told to wait.
    static var roomPerStream: Int { Limits.streamWindow }

    let role: LinkRole
    var streams: [UInt32: MultiplexedStream<Observer>] = [:]
    var ring = SendRing()
    /// Streams that have data and credit of their own, but none of the link's.
    var blockedByLink: [UInt32] = []
    var documents = Fifo<ByteBuffer>()
    var documentBytes = 0
    /// Whole frames that go before all else.
    var answers = ByteBuffer()
    var linkSending = SendingWindow(size: Limits.linkWindow)
    var linkReceiving = ReceivingWindow(size: Limits.linkWindow)
    /// Bytes handed over and not consumed yet, in all streams.
    var held = 0
    /// The number of the next stream opened here.
    var nextNumber: UInt32
    /// The highest number that the peer opened; 0: none.
    var highestPeerNumber: UInt32 = 0
    /// The most streams that were ever open at once.
    var mostStreams = 0
    var localStreams = 0
    var peerStreams = 0
    /// This node takes no more streams.
    private(set) var isDraining = false
    /// The peer takes no more streams.
    var isPeerDraining = false
    /// Who waited for room and has it now.
    var writable: [Observer] = []

    init(role: LinkRole) {
        self.role = role
        nextNumber = role == .dialler ? 1 : 2
    }

    /// Whether a stream can be opened here now.
    var canOpen: Bool {
        !isDraining && !isPeerDraining && localStreams < Limits.streamsPerLink && nextNumber < UInt32.max - 2
    }
    /// Streams that are not over.
    var count: Int { streams.count }
    /// Whether anything could leave now.
    var hasOutput: Bool { answers.readableBytes > 0 || !ring.isEmpty }
    /// The most frames that anything ever waited for while it was ready.
    var worstWait: UInt64 { ring.worstWait }
    /// What has left and who waited how long.
    var flow: LinkFlow {
        LinkFlow(
            streams: streams.count, mostStreams: mostStreams, framesSent: ring.framesSent,
            longestWait: ring.worstWait)
    }

    /// Opens a stream; nil when `canOpen` is false.
    mutating func open(head: ByteBuffer, observer: Observer) -> UInt32? {
        precondition(head.readableBytes <= Limits.invocationHead, "a head of \(head.readableBytes) bytes")
        guard canOpen else { return nil }
        let number = nextNumber
        nextNumber += 2
        localStreams += 1
        streams[number] = MultiplexedStream(observer: observer, head: head, there: .headless)
        mostStreams = max(mostStreams, streams.count)
        makeReady(number)
        return number
    }

    /// Gives the stream that the peer opened (`.opened`) to `observer`.
    mutating func seat(_ number: UInt32, observer: Observer) { streams[number]?.observer = observer }

    /// Answers a stream that the peer opened; ignored when it is over or answered.
    mutating func answer(_ number: UInt32, head: ByteBuffer) {
        precondition(head.readableBytes <= Limits.invocationHead, "a head of \(head.readableBytes) bytes")
        change(number) { stream in
            if stream.here == .headless && stream.head == nil { stream.head = head }
        }
    }

    /// Queues data; ignored when the stream is over or ended here. Nothing leaves before the head.
    /// - Returns: whether more may be written now; when not, the observer is told once it may.
    mutating func write(_ number: UInt32, _ data: ByteBuffer) -> StreamRoom {
        var room = StreamRoom.over
        change(number) { stream in
            guard stream.trailers == nil, stream.here != .ended else { return }
            stream.outgoing.append(data)
            room = stream.outgoing.count < Self.roomPerStream ? .open : .full
            if room == .full { stream.awaitsRoom = true }
        }
        return room
    }

    /// Whoever writes to this stream wants to be told that there is room, even if there is now.
    mutating func awaitRoom(_ number: UInt32) {
        guard let stream = streams[number], let observer = stream.observer else {
            return
        }
        if stream.outgoing.count < Self.roomPerStream {
            writable.append(observer)
        } else {
            stream.awaitsRoom = true
        }
    }

    /// Ends this direction after what is queued.
    mutating func end(_ number: UInt32, trailers: ByteBuffer) {
        precondition(
            trailers.readableBytes <= Limits.invocationHead, "trailers of \(trailers.readableBytes) bytes")
        change(number) { stream in
            if stream.here != .ended && stream.trailers == nil { stream.trailers = trailers }
        }
    }

    /// Ends the stream in both directions at once; what is queued is dropped. Ignored when it is over.
    mutating func reset(_ number: UInt32, _ code: RefusalCode) {
        guard let stream = forget(number) else { return }
        // The peer never heard of a stream whose open frame has not left.
        if isPeers(number) || stream.here != .headless { answerReset(number, code) }
    }

    /// Gives credit back for data that the observer is done with.
    mutating func consumed(_ number: UInt32, _ bytes: Int) {
        guard let stream = streams[number] else { return }
        held -= bytes
        guard let grant = stream.receiving.consume(bytes),
            stream.there != .ended
        else { return }
        answerWindow(number, grant)
    }

    /// Queues a document of at most `Limits.framePayload` bytes; false when the peer has not read too many
    /// already.
    mutating func send(_ document: ByteBuffer) -> Bool {
        precondition(
            document.readableBytes <= Limits.framePayload, "a document of \(document.readableBytes) bytes")
        guard documentBytes + document.readableBytes <= Self.documentsLimit else { return false }
        documentBytes += document.readableBytes
        if documents.isEmpty { ring.append(0) }
        documents.append(document)
        return true
    }

    /// Asks for a pong with the same token and payload; does nothing while the peer reads none of what waits
    /// for it.
    mutating func ping(_ token: UInt64, _ payload: [UInt8]) {
        precondition(payload.count <= Self.pingPayload, "a ping of \(payload.count) bytes")
        guard answerable(FrameHeader.length + 8 + payload.count) else { return }
        answers.write(FrameHeader(.ping, payloadLength: 8 + payload.count))
        answers.writeInteger(token)
        answers.writeBytes(payload)
    }

    /// Takes no more streams, and says so once.
    mutating func drain() {
        guard !isDraining else { return }
        isDraining = true
        answer(.goAway, FramePayload.goAway(GoAway(lastStream: highestPeerNumber, code: .draining)))
    }

    /// Who waited for room and is to be told that it is there.
    mutating func takeWritable() -> [Observer] {
        guard !writable.isEmpty else { return [] }
        defer { writable = [] }
        return writable
    }

    /// Forgets every stream and says whose they were, by rising number.
    mutating func close() -> [Observer] {
        let observers = streams.keys.sorted().compactMap { streams[$0]?.observer }
        streams.removeAll()
        (localStreams, peerStreams, held) = (0, 0, 0)
        return observers
    }

    /// Whether the peer is the one to open streams of this number.
    func isPeers(_ number: UInt32) -> Bool { (number % 2 == 1) == (role == .listener) }

    /// Removes a stream from the books.
    @discardableResult
    mutating func forget(_ number: UInt32) -> MultiplexedStream<Observer>? {
        guard let stream = streams.removeValue(forKey: number) else { return nil }
        held -= stream.receiving.held
        if isPeers(number) { peerStreams -= 1 } else { localStreams -= 1 }
        return stream
    }

    func answerable(_ bytes: Int) -> Bool { answers.readableBytes + bytes <= Self.answersLimit }

    mutating func answerReset(_ number: UInt32, _ code: RefusalCode) {
        answer(.reset, FramePayload.reset(code), on: number)
    }

    mutating func answerWindow(_ number: UInt32, _ grant: Int) {
        answer(.window, FramePayload.window(credit: grant), on: number)
    }

    private mutating func answer(_ kind: FrameKind, _ payload: [UInt8], on number: UInt32 = 0) {
        answers.write(FrameHeader(kind, payloadLength: payload.count, stream: number))
        answers.writeBytes(payload)
    }

    /// Changes a stream in place, and gives it a turn if that left it something to send.
    private mutating func change(_ number: UInt32, _ change: (MultiplexedStream<Observer>) -> Void) {
        guard let stream = streams[number] else { return }
        change(stream)
        if stream.wantsTurn {
            stream.isReady = true
            ring.append(number)
        }
    }

    private mutating func makeReady(_ number: UInt32) { change(number) { _ in } }
}
