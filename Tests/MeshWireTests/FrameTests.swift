import MeshBase
import Testing

@testable import MeshWire

@Suite("Frames")
struct FrameTests {
    private func read(_ bytes: [UInt8], payloadLimit: Int = Limits.framePayload) throws(WireError)
        -> FrameHeader?
    {
        try ByteReader.over(bytes) { (raw) throws(WireError) in
            try FrameHeader.read(from: raw, payloadLimit: payloadLimit)
        }
    }

    private func bytes(_ header: FrameHeader) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xaa, count: FrameHeader.length)
        bytes.withUnsafeMutableBytes { header.write(into: $0) }
        return bytes
    }

    @Test("a header is read as it was written", arguments: FrameKind.allCases)
    func roundTrip(_ kind: FrameKind) throws {
        for stream: UInt32 in [0, 1, .max] where kind.mayStand(on: stream) {
            for ends in [false, true] where !ends || kind.mayEndStream {
                let header = FrameHeader(
                    kind, payloadLength: Limits.framePayload, endsStream: ends, stream: stream)
                #expect(try read(bytes(header) + [1, 2, 3]) == header)
            }
        }
    }

    @Test("its layout is the documented one")
    func layout() {
        let header = FrameHeader(.data, payloadLength: 0x0102, endsStream: true, stream: 0x0304_0506)
        #expect(bytes(header) == [0, 0, 1, 2, 2, 1, 3, 4, 5, 6])
    }

    @Test("nine bytes are no header yet")
    func waits() throws {
        let whole = bytes(FrameHeader(.ping, payloadLength: 0))
        for count in 0..<FrameHeader.length { #expect(try read(Array(whole.prefix(count))) == nil) }
    }

    @Test("a payload above the limit is refused before it comes, and below 64 KiB while nobody is trusted")
    func boundsPayload() {
        #expect(throws: WireError.tooLong(bytes: 65_537, limit: 65_536)) {
            try read([0, 1, 0, 1, 9, 0, 0, 0, 0, 0])
        }
        #expect(throws: WireError.tooLong(bytes: 16_385, limit: 16_384)) {
            try read([0, 0, 0x40, 1, 9, 0, 0, 0, 0, 0], payloadLimit: Limits.handshakeMessage)
        }
        #expect(throws: WireError.tooLong(bytes: 4_294_967_295, limit: 65_536)) {
            try read([UInt8](repeating: 255, count: 10))
        }
    }

    @Test("a type of a later version is skipped when it may be, and ends the link when not")
    func skips() throws {
        let header = try #require(try read([0, 0, 0, 5, 200, 0x83, 0, 0, 0, 9]))
        #expect(header.kind == nil)
        #expect(header.payloadLength == 5)
        #expect(throws: WireError.frameUnknown(200)) { try read([0, 0, 0, 5, 200, 3, 0, 0, 0, 9]) }
        #expect(throws: WireError.frameUnknown(0)) { try read([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) }
    }

    @Test("flags and streams that a type may not have are refused")
    func refusesShapes() throws {
        #expect(throws: WireError.fieldRefused("flags of a frame", at: 5)) {
            try read([0, 0, 0, 0, 2, 2, 0, 0, 0, 1])
        }
        #expect(throws: WireError.fieldRefused("flags of a frame", at: 5)) {
            try read([0, 0, 0, 0, 6, 1, 0, 0, 0, 0])
        }
        #expect(throws: WireError.fieldRefused("stream of a frame", at: 6)) {
            try read([0, 0, 0, 0, 2, 0, 0, 0, 0, 0])
        }
        #expect(throws: WireError.fieldRefused("stream of a frame", at: 6)) {
            try read([0, 0, 0, 0, 9, 0, 0, 0, 0, 1])
        }
        #expect(try read([0, 0, 0, 0, 2, 0x80, 0, 0, 0, 1])?.kind == .data)
    }

    @Test("the steering payloads come back as they were written")
    func steering() throws {
        for code in RefusalCode.allCases {
            #expect(try ByteReader.over(FramePayload.reset(code), FramePayload.reset(from:)) == code)
            let goAway = GoAway(lastStream: 7, code: code)
            #expect(try ByteReader.over(FramePayload.goAway(goAway), FramePayload.goAway(from:)) == goAway)
        }
        #expect(try ByteReader.over(Array("later-code".utf8), FramePayload.reset(from:)) == nil)
        #expect(
            try ByteReader.over([0, 0, 0, 9], FramePayload.goAway(from:)) == GoAway(lastStream: 9, code: nil))
        for credit in [1, 65_536, Limits.linkWindow] {
            #expect(
                try ByteReader.over(FramePayload.window(credit: credit), FramePayload.window(from:)) == credit
            )
        }
    }

    @Test("steering payloads of another shape are refused")
    func refusesSteering() {
        #expect(throws: WireError.fieldRefused("credit", at: 0)) {
            try ByteReader.over([0, 0, 0, 0], FramePayload.window(from:))
        }
        #expect(throws: WireError.fieldRefused("credit", at: 0)) {
            try ByteReader.over([1, 0, 0, 0], FramePayload.window(from:))
        }
        #expect(throws: WireError.tooLong(bytes: 5, limit: 4)) {
            try ByteReader.over([0, 0, 0, 1, 0], FramePayload.window(from:))
        }
        #expect(throws: WireError.truncated(at: 3)) {
            try ByteReader.over([0, 0, 1], FramePayload.window(from:))
        }
        #expect(throws: WireError.self) { try ByteReader.over([], FramePayload.reset(from:)) }
        #expect(throws: WireError.self) { try ByteReader.over(Array("No".utf8), FramePayload.reset(from:)) }
        #expect(throws: WireError.self) {
            try ByteReader.over([0, 0, 0, 1, 0xff], FramePayload.goAway(from:))
        }
    }
}
