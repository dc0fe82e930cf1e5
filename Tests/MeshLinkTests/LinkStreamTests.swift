import MeshBase
import NIOCore
import Synchronization
import Testing

@testable import MeshLink

@Suite(.enabled(if: Fixtures.hasOpenSSL, "needs the OpenSSL program to make certificates"), .serialized)
struct LinkStreamTests {
    @Test func `carries a thousand interleaved streams with bodies of all sizes, unmixed`() async throws {
        let linked = try await Linked(takesStream: { stream, _ in EchoEnd(stream) })
        var generator = SeededGenerator(seed: 7)
        var calls: [(end: CallEnd, body: [UInt8])] = []
        for number in 0..<1_000 {
            let (stream, end) = linked.call()
            let size = Int(generator.number(below: 1 << (1 + generator.number(below: 16))))
            let body = Array(repeating: UInt8(truncatingIfNeeded: number), count: size)
            stream.write(ByteBuffer(bytes: body.prefix(size / 3)))
            stream.write(ByteBuffer(bytes: body.dropFirst(size / 3)))
            stream.end(trailers: ByteBuffer(string: "call \(number)"))
            calls.append((end, body))
        }
        for (number, call) in calls.enumerated() {
            try await eventually("call \(number) is not over") { call.end.outcome }
            let received = call.end.received.withLock { $0 }
            #expect(received.head == "echo")
            #expect(received.body == call.body)
            #expect(received.trailers == "call \(number)")
        }
        await linked.end()
        #expect(linked.here.transport.counts.worstFrameWait <= 1_001)
    }

    @Test func `lets a slow reader hold its window only, while others go on`() async throws {
        let slow = Mutex<[SlowEnd]>([])
        let linked = try await Linked(takesStream: { stream, head in
            guard String(buffer: head) == "slow" else { return EchoEnd(stream) }
            let end = SlowEnd(stream)
            slow.withLock { $0.append(end) }
            return end
        })
        let count = Limits.linkWindow / Limits.streamWindow + 4
        let streams = (0..<count).map { _ in linked.call("slow") }
        for (stream, _) in streams {
            #expect(stream.write(.zeros(3 * Limits.streamWindow)) == .full)
        }
        try await eventually("the windows are not full") {
            slow.withLock {
                $0.count == count && $0.allSatisfy { $0.held.withLock { $0 } == Limits.streamWindow }
            } ? () : nil
        }
        let (quick, end) = linked.call()
        quick.write(.zeros(100_000))
        quick.end()
        try await eventually("the quick one is stuck") { end.outcome }
        #expect(end.received.withLock { $0.body.count } == 100_000)
        let first = try #require(slow.withLock { $0.first })
        #expect(first.held.withLock { $0 } == Limits.streamWindow)
        first.release()
        try await eventually("no more came after credit") {
            first.held.withLock { $0 } == Limits.streamWindow ? () : nil
        }
        first.release()
        try await eventually("nobody was told that there is room") {
            streams.contains { $0.1.received.withLock { $0.writable } > 0 } ? () : nil
        }
        await linked.end()
    }

    @Test func `refuses a stream that nobody takes`() async throws {
        let linked = try await Linked()
        let (_, end) = linked.call()
        #expect(try await eventually("not reset") { end.outcome } == "resource-unknown")
        await linked.end()
    }

    @Test func `tells the streams of a connection that is lost`() async throws {
        let linked = try await Linked(takesStream: { stream, _ in SlowEnd(stream) })
        let (_, end) = linked.call()
        linked.there.transport.close(linked.idThere, "test")
        #expect(try await eventually("not lost") { end.outcome } == "lost")
        #expect(try await linked.here.closed(linked.idHere) == .closedByPeer)
        let later = linked.here.transport.openStream(
            on: linked.idHere, head: ByteBuffer(), observer: CallEnd())
        #expect(later == nil)
        await linked.end()
    }

    @Test func `opens no stream before the connection is admitted`() async throws {
        let (alice, bob) = (try TestNode(Fixtures.alice), try TestNode(Fixtures.bob))
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        alice.transport.dial(endpoint, as: ConnectionID(1), for: .peer)
        _ = try await alice.secured()
        let end = CallEnd()
        _ = alice.transport.openStream(on: ConnectionID(1), head: ByteBuffer(), observer: end)
        #expect(try await eventually("not told") { end.outcome } == "lost")
        await alice.transport.drain(within: .zero)
        await bob.transport.drain(within: .zero)
    }

    @Test func `drains: no new streams, open ones finish, then the connection ends`() async throws {
        let ends = Mutex<[SlowEnd]>([])
        let streams = Mutex<[LinkStream]>([])
        let linked = try await Linked(takesStream: { stream, _ in
            streams.withLock { $0.append(stream) }
            let end = SlowEnd(stream)
            ends.withLock { $0.append(end) }
            return end
        })
        let (call, end) = linked.call()
        call.end()
        let taken = try await eventually("not opened") { streams.withLock { $0.first } }
        async let drained: Void = linked.there.transport.drain(within: .seconds(30))
        _ = try await linked.here.first { _, event in event == .goingAway ? true : nil }
        let (_, late) = linked.call()
        #expect(try await eventually("not refused") { late.outcome } == "draining")
        #expect(end.outcome == nil)
        taken.answer(head: ByteBuffer(string: "done"))
        taken.end()
        #expect(try await eventually("not answered") { end.outcome } == "end")
        await drained
        #expect(try await linked.there.closed(linked.idThere) == .drained)
        #expect(try await linked.here.closed(linked.idHere) == .closedByPeer)
        await linked.end()
    }

    @Test func `drains no longer than it may`() async throws {
        let streams = Mutex<[LinkStream]>([])
        let linked = try await Linked(takesStream: { stream, _ in
            streams.withLock { $0.append(stream) }
            return SlowEnd(stream)
        })
        let (_, end) = linked.call()
        // One that comes later is refused, not lost.
        _ = try await eventually("not opened") { streams.withLock { $0.first } }
        await linked.there.transport.drain(within: .milliseconds(200))
        #expect(try await linked.there.closed(linked.idThere) == .drained)
        #expect(try await eventually("not lost") { end.outcome } == "lost")
        await linked.end()
    }

    @Test func `takes effect at once on the connection's own event loop`() async throws {
        let linked = try await Linked(takesStream: { stream, _ in EchoEnd(stream) })
        let loop = try #require(linked.here.transport.eventLoop(of: linked.idHere))
        let end = CallEnd()
        let rooms = try await loop.submit { () -> [StreamRoom] in
            guard
                let stream = linked.here.transport.openStream(
                    on: linked.idHere, head: ByteBuffer(), observer: end)
            else {
                return []
            }
            end.stream.withLock { $0 = stream }
            let rooms = [
                stream.write(.zeros(10)), stream.write(.zeros(Limits.streamWindow)), stream.write(.zeros(1)),
            ]
            stream.end()
            return rooms + [stream.write(.zeros(1))]
        }.get()
        #expect(rooms == [.open, .full, .full, .over])
        try await eventually("not over") { end.outcome }
        #expect(end.received.withLock { $0.body.count } == Limits.streamWindow + 11)
        await linked.end()
    }
}
