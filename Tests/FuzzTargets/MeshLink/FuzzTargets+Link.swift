import MeshBase
import MeshWire
import NIOCore

@testable import MeshLink

/// What arrives on a link's connection, cut into frames and given to the streams they belong to.
extension FuzzTargets {
    static let link = [
        FuzzTarget(
            "frames", longest: 4_096,
            samples: {
                var bytes = ByteBuffer(bytes: [7])
                for (kind, stream, payload) in conversation {
                    let endsStream = kind == .end
                    bytes.write(
                        FrameHeader(
                            kind, payloadLength: payload.count, endsStream: endsStream, stream: stream))
                    bytes.writeBytes(payload)
                }
                return [Array(bytes.readableBytesView)]
            },
            read: { bytes in
                let stream = Array(bytes.dropFirst())
                let (whole, isWholeSound) = cut(stream, by: max(1, stream.count))
                let (pieces, isSound) = cut(stream, by: Int(bytes.first ?? 0) % 64 + 1)
                try hold(whole == pieces, "\(whole.count) frames at once, \(pieces.count) in pieces")
                try hold(isWholeSound == isSound, "read at once it is \(isWholeSound), in pieces \(isSound)")
                let areServed = try serve(whole)
                return areServed && isSound ? .taken : .refused
            })
    ]

    private static let conversation: [(FrameKind, UInt32, [UInt8])] = [
        (.open, 1, [1, 2, 3]), (.data, 1, Array(repeating: 5, count: 40)), (.ping, 0, Array(1...8)),
        (.open, 3, []), (.window, 1, [0, 0, 0, 100]), (.window, 0, [0, 0, 0, 1]), (.end, 1, []),
        (.reset, 3, Array("cancelled".utf8)), (.document, 0, Array("{}".utf8)), (.pong, 0, Array(1...9)),
        (.goAway, 0, [0, 0, 0, 2]),
    ]

    /// The frames that come out when `bytes` come in reads of `length`, and whether none broke the protocol.
    private static func cut(_ bytes: [UInt8], by length: Int) -> ([Frame], isSound: Bool) {
        var reader = FrameReader(payloadLimit: Limits.framePayload)
        var frames: [Frame] = []
        var rest = bytes[...]
        do throws(FrameViolation) {
            while !rest.isEmpty {
                reader.feed(ByteBuffer(bytes: rest.prefix(length)))
                rest = rest.dropFirst(length)
                while let frame = try reader.next() { frames.append(frame) }
            }
        } catch {
            return (frames, false)
        }
        return (frames, true)
    }

    /// Gives the frames to a listener that answers every stream and consumes every other piece.
    /// - Returns: whether it took all of them.
    private static func serve(_ frames: [Frame]) throws -> Bool {
        typealias Listener = StreamMultiplexer<UInt32>
        var listener = Listener(role: .listener)
        var batch = ByteBuffer()
        for (position, frame) in frames.enumerated() {
            let arrival: Arrival<UInt32>
            do throws(FrameViolation) { arrival = try listener.receive(frame) } catch { return false }
            switch arrival {
            case .opened(let number, _, _):
                listener.seat(number, observer: number)
                listener.answer(number, head: ByteBuffer(bytes: [1]))
                _ = listener.write(number, ByteBuffer(bytes: Array(repeating: 2, count: 100)))
            case .data(let number, let data, _) where position % 2 == 0:
                listener.consumed(number, data.readableBytes)
            case .end(let number, _): listener.end(number, trailers: ByteBuffer())
            case .data, .head, .reset, .nothing, .ping, .pong, .goAway, .document: break
            }
            try hold(listener.count <= 2 * Limits.streamsPerLink, "\(listener.count) streams")
            try hold(listener.held <= Listener.heldLimit, "\(listener.held) bytes held")
            let answers = listener.answers.readableBytes
            try hold(answers <= Listener.answersLimit + 64, "\(answers) bytes of answers wait")
            try hold(listener.held >= 0, "\(listener.held) bytes held")
            if position % 4 == 3 { listener.writeFrames(into: &batch, budget: batch.readableBytes + 1_000) }
        }
        while listener.hasOutput {
            let before = batch.readableBytes
            listener.writeFrames(into: &batch, budget: before + 10_000)
            try hold(batch.readableBytes > before, "output that never leaves")
        }
        let (_, isSound) = cut(Array(batch.readableBytesView), by: 1_000)
        try hold(isSound, "writes frames that nobody reads")
        return true
    }
}
