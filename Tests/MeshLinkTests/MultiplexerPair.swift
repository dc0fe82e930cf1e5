import MeshBase
import MeshWire
import NIOCore
import Testing

@testable import MeshLink

/// Two multiplexers joined by a wire that the test moves: what each was told is written down.
struct MultiplexerPair {
    var dialler = StreamMultiplexer<String>(role: .dialler)
    var listener = StreamMultiplexer<String>(role: .listener)
    var toldDialler: [String] = []
    var toldListener: [String] = []
    /// Streams that the listener's side accepts; others it leaves to the test.
    var acceptsStreams = true
    private var toListener = FrameReader(payloadLimit: Limits.framePayload)
    private var toDialler = FrameReader(payloadLimit: Limits.framePayload)

    /// Opens a stream at the dialler, which has room for it.
    mutating func open(_ head: ByteBuffer, _ observer: String) -> UInt32 {
        guard let number = dialler.open(head: head, observer: observer) else {
            preconditionFailure("no room")
        }
        return number
    }

    /// Moves everything that can leave either side until both are quiet.
    mutating func settle() throws {
        while dialler.hasOutput || listener.hasOutput {
            try moveToListener()
            try moveToDialler()
        }
    }

    mutating func moveToListener(budget: Int = 1 << 20) throws {
        var batch = ByteBuffer()
        dialler.writeFrames(into: &batch, budget: budget)
        toListener.feed(batch)
        while let frame = try toListener.next() {
            let arrival = try listener.receive(frame)
            toldListener += words(arrival)
            if case .opened(let number, _, _) = arrival, acceptsStreams {
                listener.seat(number, observer: "s\(number)")
            }
        }
    }

    mutating func moveToDialler(budget: Int = 1 << 20) throws {
        var batch = ByteBuffer()
        listener.writeFrames(into: &batch, budget: budget)
        toDialler.feed(batch)
        while let frame = try toDialler.next() {
            let arrival = try dialler.receive(frame)
            toldDialler += words(arrival)
            if case .opened(let number, _, _) = arrival { dialler.seat(number, observer: "s\(number)") }
        }
    }

    /// What an arrival says, as a line; none for nothing.
    func words(_ arrival: Arrival<String>) -> [String] {
        func last(_ isLast: Bool) -> String { isLast ? " last" : "" }
        return switch arrival {
        case .nothing: []
        case .opened(let number, let head, let isLast): ["opened \(number) \(head.text)\(last(isLast))"]
        case .head(let observer, let head, let isLast): ["\(observer) head \(head.text)\(last(isLast))"]
        case .data(let observer, let data, let isLast):
            ["\(observer) data \(data.readableBytes)\(last(isLast))"]
        case .end(let observer, let trailers): ["\(observer) end \(trailers.text)"]
        case .reset(let observer, let code): ["\(observer) reset \(code?.rawValue ?? "?")"]
        case .ping(let payload): ["ping \(payload.text)"]
        case .pong(let token, let payload): ["pong \(token) \(payload.text)"]
        case .goAway: ["go away"]
        case .document(let document): ["document \(document.readableBytes)"]
        }
    }
}

extension ByteBuffer {
    /// The bytes as text.
    var text: String { String(buffer: self) }
    /// `count` zero bytes.
    static func zeros(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 0, count: count) }
}

/// A frame as a peer might send it.
func frame(_ kind: FrameKind, _ stream: UInt32 = 0, _ payload: ByteBuffer = ByteBuffer(), ends: Bool = false)
    -> Frame
{
    Frame(kind: kind, stream: stream, endsStream: ends, payload: payload)
}

/// A window frame as a peer might send it.
func windowFrame(_ stream: UInt32, _ credit: UInt32) -> Frame {
    frame(.window, stream, ByteBuffer(integer: credit))
}
