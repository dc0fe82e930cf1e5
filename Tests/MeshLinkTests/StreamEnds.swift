import MeshBase
import NIOCore
import Synchronization

@testable import MeshLink

/// Answers a stream with its own bytes, and passes on whatever it is told to wait for.
final class EchoEnd: LinkStreamObserver {
    private let stream: LinkStream

    init(_ stream: LinkStream) {
        self.stream = stream
        stream.answer(head: ByteBuffer(string: "echo"))
    }

    func stream(did event: LinkStreamEvent) {
        switch event {
        case .data(let bytes):
            stream.write(bytes)
            stream.consumed(bytes.readableBytes)
        case .end(let trailers): stream.end(trailers: trailers)
        case .head, .reset, .lost, .writable: break
        }
    }
}

/// Takes everything and gives no credit back until it is told to.
final class SlowEnd: LinkStreamObserver {
    private let stream: LinkStream
    let held = Mutex(0)

    init(_ stream: LinkStream) { self.stream = stream }

    func stream(did event: LinkStreamEvent) {
        if case .data(let bytes) = event { held.withLock { $0 += bytes.readableBytes } }
    }

    func release() {
        let bytes = held.withLock { held in
            defer { held = 0 }
            return held
        }
        stream.consumed(bytes)
    }
}

/// The caller's end: writes down what comes back.
final class CallEnd: LinkStreamObserver {
    struct Received {
        var head: String?
        var body: [UInt8] = []
        var trailers: String?
        var end: LinkStreamEvent?
        var writable = 0
    }

    let received = Mutex(Received())
    let stream = Mutex<LinkStream?>(nil)

    func stream(did event: LinkStreamEvent) {
        received.withLock { received in
            switch event {
            case .head(let head): received.head = String(buffer: head)
            case .data(let bytes): received.body += Array(bytes.readableBytesView)
            case .end(let trailers):
                received.trailers = String(buffer: trailers)
                received.end = event
            case .reset, .lost: received.end = event
            case .writable: received.writable += 1
            }
        }
        if case .data(let bytes) = event { stream.withLock { $0 }?.consumed(bytes.readableBytes) }
    }

    /// How it ended: `end`, `lost`, or the code of a reset; nil while it lasts.
    var outcome: String? {
        received.withLock { received in
            switch received.end {
            case .end: "end"
            case .lost: "lost"
            case .reset(let code): code?.rawValue ?? "?"
            case .head, .data, .writable, nil: nil
            }
        }
    }
}

extension Linked {
    /// Opens a stream from here to there.
    func call(_ head: String = "call") -> (LinkStream, CallEnd) {
        let end = CallEnd()
        guard
            let stream = here.transport.openStream(on: idHere, head: ByteBuffer(string: head), observer: end)
        else {
            fatalError("no connection")
        }
        end.stream.withLock { $0 = stream }
        return (stream, end)
    }
}
