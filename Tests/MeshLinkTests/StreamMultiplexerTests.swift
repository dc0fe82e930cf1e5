import MeshBase
import MeshWire
import NIOCore
import Testing

@testable import MeshLink

@Suite struct StreamMultiplexerTests {
    @Test func `carries a call: head, body and end there, head, body and trailers back`() throws {
        var pair = MultiplexerPair()
        let number = pair.open(ByteBuffer(string: "call"), "caller")
        let room = pair.dialler.write(number, .zeros(5))
        #expect(room == .open)
        pair.dialler.end(number, trailers: ByteBuffer())
        try pair.settle()
        #expect(pair.toldListener == ["opened 1 call", "s1 data 5 last"])
        pair.listener.answer(number, head: ByteBuffer(string: "answer"))
        _ = pair.listener.write(number, .zeros(7))
        pair.listener.end(number, trailers: ByteBuffer(string: "digest"))
        try pair.settle()
        #expect(pair.toldDialler == ["caller head answer", "caller data 7", "caller end digest"])
        #expect(pair.dialler.count == 0)
        #expect(pair.listener.count == 0)
    }

    @Test func `sends a call without body as one frame`() throws {
        var pair = MultiplexerPair()
        let number = pair.open(ByteBuffer(string: "call"), "caller")
        pair.dialler.end(number, trailers: ByteBuffer())
        try pair.settle()
        #expect(pair.toldListener == ["opened 1 call last"])
        pair.listener.answer(number, head: ByteBuffer(string: "no"))
        pair.listener.end(number, trailers: ByteBuffer())
        try pair.settle()
        #expect(pair.toldDialler == ["caller head no last"])
        #expect(pair.dialler.count + pair.listener.count == 0)
    }

    @Test func `numbers the dialler's streams odd and the listener's even`() throws {
        var pair = MultiplexerPair()
        let numbers = [pair.open(ByteBuffer(), "a"), pair.open(ByteBuffer(), "b")]
        #expect(numbers == [1, 3])
        let other = pair.listener.open(head: ByteBuffer(), observer: "c")
        #expect(other == 2)
        try pair.settle()
        #expect(pair.toldDialler == ["opened 2 "])
        #expect(pair.toldListener == ["opened 1 ", "opened 3 "])
    }

    @Test func `stops at the stream's window and goes on when half of it was consumed`() throws {
        var pair = MultiplexerPair()
        let number = pair.open(ByteBuffer(), "caller")
        let room = pair.dialler.write(number, .zeros(Limits.streamWindow * 3))
        #expect(room == .full)
        try pair.settle()
        #expect(pair.listener.held == Limits.streamWindow)
        pair.listener.consumed(number, Limits.streamWindow / 2 - 1)
        #expect(!pair.listener.hasOutput)
        pair.listener.consumed(number, 1)
        try pair.settle()
        #expect(pair.listener.held == Limits.streamWindow)
        let early = pair.dialler.takeWritable()
        #expect(early.isEmpty)
        pair.listener.consumed(number, Limits.streamWindow)
        try pair.settle()
        let writable = pair.dialler.takeWritable()
        #expect(writable == ["caller"])
    }

    @Test func `lets a slow reader hold its own window and never the link`() throws {
        var pair = MultiplexerPair()
        let slow = Limits.linkWindow / Limits.streamWindow + 4
        for _ in 0..<slow {
            let number = pair.open(ByteBuffer(), "slow")
            _ = pair.dialler.write(number, .zeros(Limits.streamWindow * 2))
        }
        try pair.settle()
        #expect(pair.listener.held == slow * Limits.streamWindow)
        let quick = pair.open(ByteBuffer(), "quick")
        _ = pair.dialler.write(quick, .zeros(1_000))
        try pair.settle()
        #expect(pair.toldListener.last == "s\(quick) data 1000")
    }

    @Test func `stops at the link's window, and every stream goes on once there is credit`() throws {
        var pair = MultiplexerPair()
        let streams = Limits.linkWindow / Limits.streamWindow + 4
        for _ in 0..<streams {
            let number = pair.open(ByteBuffer(), "caller")
            _ = pair.dialler.write(number, .zeros(Limits.streamWindow))
        }
        // What the listener gives back stays unread, so the link's credit runs out.
        while pair.dialler.hasOutput { try pair.moveToListener() }
        #expect(pair.listener.held == Limits.linkWindow)
        try pair.settle()
        #expect(pair.listener.held == streams * Limits.streamWindow)
    }

    @Test func `resets the stream that would make it hold more than the link may`() throws {
        var pair = MultiplexerPair()
        let streams = StreamMultiplexer<String>.heldLimit / Limits.streamWindow
        for _ in 0...streams {
            let number = pair.open(ByteBuffer(), "slow")
            _ = pair.dialler.write(number, .zeros(Limits.streamWindow))
        }
        try pair.settle()
        #expect(pair.listener.held <= StreamMultiplexer<String>.heldLimit)
        #expect(pair.toldListener.contains { $0.hasSuffix("reset overloaded") })
        #expect(pair.toldDialler.contains("slow reset overloaded"))
        #expect(pair.listener.count > streams / 2)
    }

    @Test func `lets a small frame wait behind at most one frame of each open stream`() throws {
        var pair = MultiplexerPair()
        for _ in 0..<50 {
            let number = pair.open(ByteBuffer(), "large")
            _ = pair.dialler.write(number, .zeros(Limits.streamWindow))
        }
        try pair.moveToListener(budget: 200_000)
        let small = pair.open(ByteBuffer(string: "small"), "small")
        pair.dialler.end(small, trailers: ByteBuffer())
        let isQueued = pair.dialler.send(.zeros(10))
        #expect(isQueued)
        let before = pair.toldListener.count
        try pair.settle()
        let wait =
            try #require(pair.toldListener[before...].firstIndex { $0.hasPrefix("opened 101") }) - before
        #expect(wait <= 50)
        #expect(pair.dialler.worstWait <= 52)
    }

    @Test func `forgets a stream that is reset and ignores what comes late for it`() throws {
        var pair = MultiplexerPair()
        let number = pair.open(ByteBuffer(), "caller")
        try pair.settle()
        _ = pair.dialler.write(number, .zeros(100))
        pair.listener.reset(number, .resourceUnknown)
        try pair.moveToListener()
        try pair.moveToDialler()
        #expect(pair.toldDialler == ["caller reset resource-unknown"])
        #expect(pair.dialler.count + pair.listener.count == 0)
        let room = pair.dialler.write(number, .zeros(1))
        #expect(room == .over)
    }

    @Test func `says nothing to the peer of a stream that was reset before it left`() throws {
        var pair = MultiplexerPair()
        let number = pair.open(ByteBuffer(), "caller")
        pair.dialler.reset(number, .cancelled)
        _ = pair.dialler.open(head: ByteBuffer(string: "next"), observer: "caller")
        try pair.settle()
        #expect(pair.toldListener == ["opened 3 next"])
    }

    @Test func `refuses streams beyond the limit, and has room again when one is over`() throws {
        var listener = StreamMultiplexer<String>(role: .listener)
        for number in 0..<Limits.streamsPerLink {
            guard case .opened = try listener.receive(frame(.open, UInt32(number * 2 + 1))) else {
                Issue.record("stream \(number) was refused")
                return
            }
        }
        let next = UInt32(Limits.streamsPerLink * 2 + 1)
        guard case .nothing = try listener.receive(frame(.open, next)) else {
            Issue.record("one too many was opened")
            return
        }
        #expect(listener.count == Limits.streamsPerLink)
        listener.reset(1, .cancelled)
        guard case .opened = try listener.receive(frame(.open, next + 2)) else {
            Issue.record("no room after a reset")
            return
        }
    }

    @Test func `opens no more than the peer allows`() {
        var dialler = StreamMultiplexer<String>(role: .dialler)
        let opened = (0...Limits.streamsPerLink).map { _ in
            dialler.open(head: ByteBuffer(), observer: "") != nil
        }
        #expect(opened == Array(repeating: true, count: Limits.streamsPerLink) + [false])
    }

    @Test func `takes no new streams while draining and finishes those that are open`() throws {
        var pair = MultiplexerPair()
        let number = pair.open(ByteBuffer(), "caller")
        try pair.settle()
        pair.listener.drain()
        let late = pair.open(ByteBuffer(), "late")
        try pair.settle()
        #expect(late == 3)
        #expect(pair.toldDialler == ["go away", "late reset draining"])
        let later = pair.dialler.open(head: ByteBuffer(), observer: "later")
        #expect(later == nil)
        pair.listener.answer(number, head: ByteBuffer(string: "done"))
        try pair.settle()
        #expect(pair.toldDialler.last == "caller head done")
    }

    @Test func `answers a ping with its own bytes`() throws {
        var pair = MultiplexerPair()
        pair.dialler.ping(77, Array("hi".utf8))
        try pair.settle()
        #expect(pair.toldDialler == ["pong 77 hi"])
    }

    @Test func `names those whose streams are lost, by rising number`() throws {
        var pair = MultiplexerPair()
        for name in ["a", "b", "c"] { _ = pair.dialler.open(head: ByteBuffer(), observer: name) }
        let lost = pair.dialler.close()
        #expect(lost == ["a", "b", "c"])
        #expect(pair.dialler.count == 0)
    }

    @Test func `ends the link for documents that pile up`() {
        var dialler = StreamMultiplexer<String>(role: .dialler)
        let pile = Limits.linkWindow / Limits.framePayload
        let queued = (0...pile).map { _ in dialler.send(.zeros(Limits.framePayload)) }
        #expect(queued == Array(repeating: true, count: pile) + [false])
    }

    @Test func `has room for documents again once they have left`() {
        var multiplexer = StreamMultiplexer<String>(role: .dialler)
        let document = ByteBuffer.zeros(Limits.framePayload)
        while multiplexer.send(document) {}
        var batch = ByteBuffer()
        multiplexer.writeFrames(into: &batch, budget: 1)
        let queued = [multiplexer.send(document), multiplexer.send(document)]
        #expect(queued == [true, false])
    }

    @Test func `hears once that its peer takes no more streams, however often that is said`() throws {
        var multiplexer = StreamMultiplexer<String>(role: .dialler)
        let lastTaken = ByteBuffer(bytes: [0, 0, 0, 0] as [UInt8])
        let said = Frame(kind: .goAway, stream: 0, endsStream: false, payload: lastTaken)
        guard case .goAway = try multiplexer.receive(said) else {
            Issue.record("it heard nothing")
            return
        }
        for _ in 0..<3 {
            guard case .nothing = try multiplexer.receive(said) else {
                Issue.record("it heard that again")
                return
            }
        }
    }

    @Test func `says once that it takes no more streams`() {
        var multiplexer = StreamMultiplexer<String>(role: .dialler)
        multiplexer.drain()
        let said = multiplexer.answers
        multiplexer.drain()
        #expect(said.readableBytes > 0)
        #expect(multiplexer.answers == said)
    }
}

@Suite struct FrameViolationTests {
    /// A listener with stream 1 opened by the peer and stream 2 opened by itself.
    private func listener() throws -> StreamMultiplexer<String> {
        var listener = StreamMultiplexer<String>(role: .listener)
        _ = try listener.receive(frame(.open, 1))
        listener.seat(1, observer: "one")
        _ = listener.open(head: ByteBuffer(), observer: "two")
        var batch = ByteBuffer()
        listener.writeFrames(into: &batch, budget: 1 << 20)
        return listener
    }

    private func expect(_ violation: FrameViolation, from frames: Frame...) throws {
        var listener = try listener()
        for frame in frames.dropLast() { _ = try listener.receive(frame) }
        let last = try #require(frames.last)
        #expect(throws: violation) { _ = try listener.receive(last) }
    }

    @Test func `ends the link for a stream number that is not the peer's, falls, or was never opened`() throws
    {
        try expect(.wrongStream(.open, stream: 1), from: frame(.open, 1))
        try expect(.wrongStream(.open, stream: 4), from: frame(.open, 4))
        try expect(.wrongStream(.open, stream: 5), from: frame(.open, 7), frame(.open, 5))
        try expect(.wrongStream(.data, stream: 3), from: frame(.data, 3, .zeros(1)))
        try expect(.wrongStream(.reset, stream: 9), from: frame(.reset, 9, ByteBuffer(string: "cancelled")))
        try expect(.wrongStream(.window, stream: 8), from: windowFrame(8, 1))
    }

    @Test func `ends the link for frames out of order`() throws {
        try expect(.outOfOrder(.data, stream: 2), from: frame(.data, 2, .zeros(1)))
        try expect(.outOfOrder(.end, stream: 2), from: frame(.end, 2))
        try expect(.outOfOrder(.open, stream: 2), from: frame(.open, 2), frame(.open, 2))
        try expect(.outOfOrder(.data, stream: 1), from: frame(.end, 1), frame(.data, 1, .zeros(1)))
        try expect(.outOfOrder(.end, stream: 1), from: frame(.data, 1, .zeros(1), ends: true), frame(.end, 1))
    }

    @Test func `ends the link for more than the stream's window`() throws {
        let full = (0..<(Limits.streamWindow / Limits.framePayload)).map { _ in
            frame(.data, 1, .zeros(Limits.framePayload))
        }
        var listener = try listener()
        for frame in full { _ = try listener.receive(frame) }
        #expect(throws: FrameViolation.windowExceeded(stream: 1)) {
            _ = try listener.receive(frame(.data, 1, .zeros(1)))
        }
    }

    @Test func `ends the link for credit beyond a window`() throws {
        try expect(.windowExceeded(stream: 0), from: windowFrame(0, 1))
        try expect(.windowExceeded(stream: 1), from: windowFrame(1, 1))
    }

    @Test func `ends the link for data without bytes, and for heads and pings that are too long`() throws {
        try expect(.emptyData(stream: 1), from: frame(.data, 1))
        let long = Limits.invocationHead + 1
        try expect(
            .malformed(.tooLong(bytes: long, limit: Limits.invocationHead)),
            from: frame(.open, 3, .zeros(long)))
        try expect(.malformed(.tooLong(bytes: 73, limit: 72)), from: frame(.ping, 0, .zeros(73)))
        try expect(.malformed(.truncated(at: 7)), from: frame(.ping, 0, .zeros(7)))
    }

    @Test func `ends the link of a peer that asks for answers and reads none`() throws {
        var listener = try listener()
        let ping = frame(.ping, 0, .zeros(72))
        #expect(throws: FrameViolation.unreadAnswers) {
            for _ in 0..<2_000 { _ = try listener.receive(ping) }
        }
        #expect(listener.answers.readableBytes <= StreamMultiplexer<String>.answersLimit)
    }

    @Test(arguments: [FrameKind.data, .open])
    func `takes nothing that may need an answer when there is no room for one`(kind: FrameKind) throws {
        var listener = try listener()
        // Pings of any length fill what room there is to the last byte.
        while case let room = StreamMultiplexer<String>.answersLimit - listener.answers.readableBytes,
            room > 0
        {
            let most = FrameHeader.length + 72
            let next = room >= 2 * most ? most : room > most ? room / 2 : room
            _ = try listener.receive(frame(.ping, 0, .zeros(next - FrameHeader.length)))
        }
        let last = kind == .data ? frame(.data, 1, .zeros(1)) : frame(.open, 3)
        #expect(throws: FrameViolation.unreadAnswers) { _ = try listener.receive(last) }
    }
}
