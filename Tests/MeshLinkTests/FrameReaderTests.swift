import MeshBase
import MeshWire
import NIOCore
import Testing

@testable import MeshLink

@Suite struct FrameReaderTests {
    private func encoded(_ frames: [(FrameKind, UInt32, Int)]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for (position, (kind, stream, length)) in frames.enumerated() {
            buffer.write(FrameHeader(kind, payloadLength: length, stream: stream))
            buffer.writeRepeatingByte(UInt8(truncatingIfNeeded: position), count: length)
        }
        return buffer
    }

    @Test(arguments: UInt64(1)...15) func `cuts the same frames however the bytes are split`(seed: UInt64)
        throws
    {
        var generator = SeededGenerator(seed: seed)
        let frames = (0..<30).map { _ in
            (
                FrameKind.data, UInt32(1 + generator.number(below: 9)),
                Int(generator.number(below: 1 << (1 + generator.number(below: 16))))
            )
        }
        let bytes = Array(encoded(frames).readableBytesView)
        let largest = 1 + generator.number(below: 100_000)
        var reader = FrameReader(payloadLimit: Limits.framePayload)
        var cut: [(FrameKind, UInt32, Int)] = []
        var offset = 0
        while offset < bytes.count {
            let length = min(bytes.count - offset, 1 + Int(generator.number(below: largest)))
            reader.feed(ByteBuffer(bytes: bytes[offset..<(offset + length)]))
            offset += length
            while let frame = try reader.next() {
                let expected = UInt8(truncatingIfNeeded: cut.count)
                let payload = frame.payload
                for position in [payload.readerIndex, payload.writerIndex - 1] where payload.readableBytes > 0
                {
                    #expect(payload.getInteger(at: position, as: UInt8.self) == expected)
                }
                cut.append((frame.kind, frame.stream, frame.payload.readableBytes))
            }
            #expect(reader.pendingBytes < FrameHeader.length + Limits.framePayload)
        }
        #expect(cut.map(\.2) == frames.map(\.2))
        #expect(cut.map(\.1) == frames.map(\.1))
        #expect(reader.pendingBytes == 0)
    }

    @Test func `refuses a length beyond the limit before any of its payload came`() {
        var reader = FrameReader(payloadLimit: 100)
        reader.feed(ByteBuffer(bytes: [0, 0, 0, 101, 9, 0, 0, 0, 0, 0]))
        #expect(throws: FrameViolation.malformed(.tooLong(bytes: 101, limit: 100))) { try reader.next() }
        var split = FrameReader(payloadLimit: 100)
        split.feed(ByteBuffer(bytes: [0xff, 0xff, 0xff]))
        #expect(throws: Never.self) { try split.next() }
        split.feed(ByteBuffer(bytes: [0xff, 9, 0, 0, 0, 0, 0]))
        #expect(throws: FrameViolation.malformed(.tooLong(bytes: 0xffff_ffff, limit: 100))) {
            try split.next()
        }
    }

    @Test func `skips an unknown kind that may be skipped and refuses any other`() throws {
        var reader = FrameReader(payloadLimit: 100)
        reader.feed(ByteBuffer(bytes: [0, 0, 0, 2, 200, 0x80, 0, 0, 0, 0, 1, 2]))
        reader.feed(encoded([(.ping, 0, 8)]))
        let known = try reader.next()
        #expect(known?.kind == .ping)
        reader.feed(ByteBuffer(bytes: [0, 0, 0, 0, 200, 0, 0, 0, 0, 0]))
        #expect(throws: FrameViolation.malformed(.frameUnknown(200))) { try reader.next() }
    }

    @Test func `hands over whole frames as slices, without copying`() throws {
        var reader = FrameReader(payloadLimit: Limits.framePayload)
        let read = encoded([(.data, 1, 1_000), (.data, 1, 1_000)])
        reader.feed(read)
        let address = read.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        let first = try reader.next()?.payload.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        #expect(first == address + UInt(FrameHeader.length))
    }

    /// Whatever a peer sends: no crash, no table beyond its bound, and after a violation nothing more is
    /// asked.
    @Test(arguments: UInt64(1)...20) func `survives whatever a peer sends`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let chaos = generator.number(below: 100)
        for _ in 0..<20 {
            var reader = FrameReader(payloadLimit: Limits.framePayload)
            var listener = StreamMultiplexer<Int>(role: .listener)
            do throws(FrameViolation) {
                for _ in 0..<200 {
                    reader.feed(randomFrame(&generator, chaos: chaos))
                    while let frame = try reader.next() {
                        act(on: try listener.receive(frame), &listener, &generator)
                    }
                }
            } catch {
                continue
            }
            #expect(listener.count <= 2 * Limits.streamsPerLink)
            #expect(listener.held <= StreamMultiplexer<Int>.heldLimit)
            #expect(listener.answers.readableBytes <= StreamMultiplexer<Int>.answersLimit + 64)
        }
    }

    private func randomFrame(_ generator: inout SeededGenerator, chaos: UInt64) -> ByteBuffer {
        if generator.number(below: 1_000) < chaos / 10 {
            return ByteBuffer(bytes: generator.bytes(Int(generator.number(below: 40))))
        }
        let kinds = FrameKind.allCases
        let kind = kinds[Int(generator.number(below: UInt64(kinds.count)))]
        let stream = UInt32(generator.number(below: 12))
        let isOfLink = kind == .ping || kind == .pong || kind == .goAway || kind == .document
        let payload: [UInt8] =
            switch kind {
            case .reset: Array("cancelled".utf8)
            case .window: [0, 0, UInt8(generator.number(below: 2)), UInt8(generator.number(below: 256))]
            case .goAway: [0, 0, 0, 0]
            default: generator.bytes(Int(generator.number(below: 80)))
            }
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt32(payload.count))
        buffer.writeInteger(kind.rawValue)
        buffer.writeInteger(generator.number(below: 1_000) < chaos ? UInt8(generator.number(below: 2)) : 0)
        buffer.writeInteger(isOfLink ? 0 : stream)
        buffer.writeBytes(payload)
        return buffer
    }

    private func act(
        on arrival: Arrival<Int>, _ listener: inout StreamMultiplexer<Int>, _ generator: inout SeededGenerator
    ) {
        switch arrival {
        case .opened(let number, _, _):
            listener.seat(number, observer: Int(number))
            if generator.number(below: 2) == 0 { listener.answer(number, head: .zeros(10)) }
            _ = listener.write(number, .zeros(1_000))
            if generator.number(below: 3) == 0 { listener.end(number, trailers: ByteBuffer()) }
        case .data(let number, let data, _):
            if generator.number(below: 2) == 0 { listener.consumed(UInt32(number), data.readableBytes) }
            if generator.number(below: 9) == 0 { listener.reset(UInt32(number), .cancelled) }
        case .nothing, .head, .end, .reset, .ping, .pong, .goAway, .document: break
        }
        if generator.number(below: 4) == 0 {
            var batch = ByteBuffer()
            listener.writeFrames(into: &batch, budget: 10_000)
        }
        if generator.number(below: 9) == 0 { _ = listener.open(head: ByteBuffer(), observer: 0) }
    }
}
