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
        guard let index = streams.index(forKey: number) else { return }
        switch streams.values[index].sendOne(number, linkCredit: linkSending.credit, into: &batch) {
        case .nothing: streams.values[index].isReady = false
        case .blockedByLink: blockedByLink.append(number)
        case .sent(let dataBytes):
            linkSending.spend(dataBytes)
            ring.countFrame()
            afterFrame(of: number, at: index)
        }
    }

    private mutating func afterFrame(
        of number: UInt32, at index: Dictionary<UInt32, MultiplexedStream<Observer>>.Index
    ) {
        streams.values[index].isReady = streams.values[index].hasFrame
        if streams.values[index].isReady { ring.append(number) }
        if streams.values[index].awaitsRoom, streams.values[index].outgoing.count <= Self.roomPerStream / 2 {
            streams.values[index].awaitsRoom = false
            if let observer = streams.values[index].observer { writable.append(observer) }
        }
        if streams.values[index].here == .ended && streams.values[index].there == .ended { forget(number) }
    }
}
