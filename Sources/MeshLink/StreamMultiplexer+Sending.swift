import MeshBase
import MeshWire
import NIOCore

extension StreamMultiplexer {
    /// Appends what leaves now to `batch`, until about `budget` bytes: at most one frame more.
    mutating func writeFrames(into batch: inout ByteBuffer, budget: Int) {
        if answers.readableBytes > 0 {
            batch.writeBuffer(&answers)
            answers.clear()
        }
        while batch.readableBytes < budget, let turn = ring.next() {
            if turn == 0 { writeDocument(into: &batch) } else { writeFrame(of: turn, into: &batch) }
        }
    }

    private mutating func writeDocument(into batch: inout ByteBuffer) {
        guard let document = documents.popFirst() else { return }
        documentBytes -= document.readableBytes
        batch.write(FrameHeader(.document, payloadLength: document.readableBytes))
        batch.writeImmutableBuffer(document)
        ring.countFrame()
        if !documents.isEmpty { ring.append(0) }
    }

    private mutating func writeFrame(of number: UInt32, into batch: inout ByteBuffer) {
        // A stream that was reset while it waited has left the table; its turn passes.
        guard let stream = streams[number] else { return }
        switch stream.sendOne(number, linkCredit: linkSending.credit, into: &batch) {
        case .nothing: stream.isReady = false
        case .blockedByLink: blockedByLink.append(number)
        case .sent(let dataBytes):
            linkSending.spend(dataBytes)
            ring.countFrame()
            afterFrame(of: number, stream)
        }
    }

    private mutating func afterFrame(of number: UInt32, _ stream: MultiplexedStream<Observer>) {
        stream.isReady = stream.hasFrame
        if stream.isReady { ring.append(number) }
        if stream.awaitsRoom, stream.outgoing.count <= Self.roomPerStream / 2 {
            stream.awaitsRoom = false
            if let observer = stream.observer { writable.append(observer) }
        }
        if stream.here == .ended && stream.there == .ended { forget(number) }
    }
}
