import Foundation
import MeshBase
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import MeshLink

/// What a relay does between two circuits: passes bytes on in another tick, a few at a time, and holds up who
/// is faster than the other takes. Confined to one event loop.
private final class Way: CircuitWire, @unchecked Sendable {
    private let loop: any EventLoop
    var mine: Circuit?
    weak var far: Way?
    private var waiting: [ByteBuffer] = []
    private var isFull = false
    private(set) var passed = 0
    /// The most that ever waited here.
    private(set) var most = 0
    private(set) var isFinished = false

    init(on loop: any EventLoop) { self.loop = loop }

    func pass(_ bytes: ByteBuffer) -> Bool {
        waiting.append(bytes)
        most = max(most, waiting.reduce(0) { $0 + $1.readableBytes })
        loop.assumeIsolated().execute { self.flow() }
        return waiting.count < 4
    }

    func finish() {
        isFinished = true
        loop.assumeIsolated().execute { self.far?.mine?.close() }
    }

    private func flow() {
        while !isFull, let far, let circuit = far.mine, !waiting.isEmpty {
            let piece = waiting.removeFirst()
            passed += piece.readableBytes
            if !circuit.take(piece) { isFull = true }
        }
        if waiting.isEmpty { mine?.resume() }
    }

    func room() {
        isFull = false
        flow()
    }
}

/// Two nodes, and a link between them whose bytes go by way of two circuits.
private struct Carried {
    let here: TestNode
    let there: TestNode
    let loop: any EventLoop
    let ways: (Way, Way)
    let idThere: ConnectionID
    static let relay = NodeID(Digest([UInt8](repeating: 9, count: 32))!)
    static let id = ConnectionID(2)

    init(
        takesStream: @escaping @Sendable (LinkStream, ByteBuffer) -> (any LinkStreamObserver)? = { _, _ in nil
        }
    ) async throws {
        here = try TestNode(Fixtures.alice)
        there = try TestNode(Fixtures.bob, takesStream: takesStream)
        let loop = Fixtures.group.next()
        self.loop = loop
        let (one, other) = (here.transport, there.transport)
        ways = try await loop.submit {
            let ways = (Way(on: loop), Way(on: loop))
            (ways.0.far, ways.1.far) = (ways.1, ways.0)
            ways.1.mine = other.accept(from: Self.relay, of: Self.relay, over: ways.1, on: loop)
            ways.0.mine = one.dial(through: Self.relay, as: Self.id, for: .peer, over: ways.0, on: loop)
            ways.0.mine?.room = { ways.1.room() }
            ways.1.mine?.room = { ways.0.room() }
            return ways
        }.get()
        _ = try await here.secured()
        idThere = try await there.secured().id
        there.transport.admit(idThere)
        try await eventually("not admitted") { other.counts.admitted == 1 ? () : nil }
        here.transport.admit(Self.id)
    }

    func end() async {
        await here.transport.drain(within: .zero)
        await there.transport.drain(within: .zero)
    }
}

@Suite(
    "A link over circuits", .enabled(if: Fixtures.hasOpenSSL, "needs the OpenSSL program"), .serialized)
struct CircuitTests {
    @Test("is TLS between the two ends, and both know who carries it")
    func facts() async throws {
        let carried = try await Carried()
        let (here, there) = (try await carried.here.secured(), try await carried.there.secured())
        #expect(here.peerCertificate == Fixtures.bob.certificate)
        #expect(there.peerCertificate == Fixtures.alice.certificate)
        #expect(here.relay == Carried.relay && there.relay == Carried.relay)
        #expect(here.role == .dialler && there.role == .listener)
        #expect(here.remote == Endpoint(host: Carried.relay.description, port: 0))
        await carried.end()
    }

    @Test("carries streams whole, megabytes of them, and holds up who is faster than the way")
    func streams() async throws {
        let carried = try await Carried { stream, _ in EchoEnd(stream) }
        let ends = (0..<8).map { _ in CallEnd() }
        let size = 3_000_000
        for (number, end) in ends.enumerated() {
            let bytes = [UInt8](repeating: UInt8(number), count: size)
            let stream = try #require(
                carried.here.transport.openStream(
                    on: Carried.id, head: ByteBuffer(string: "call"), observer: end))
            end.stream.withLock { $0 = stream }
            stream.write(ByteBuffer(bytes: bytes))
            stream.end()
        }
        for (number, end) in ends.enumerated() {
            try await eventually("stream \(number) does not come back") {
                end.received.withLock { $0.end == nil ? nil : () }
            }
            let body = end.received.withLock { $0.body }
            #expect(body.count == size && body.allSatisfy { $0 == UInt8(number) })
        }
        let (ways, loop) = (carried.ways, carried.loop)
        let seen = try await loop.submit { (ways.0.passed, ways.1.passed, max(ways.0.most, ways.1.most)) }
            .get()
        #expect(seen.0 > 8 * size && seen.1 > 8 * size)
        #expect(seen.2 < 1_000_000, "what waits on the way is bounded")
        await carried.end()
    }

    @Test("ends at both ends when either closes it, and when the way breaks")
    func ends() async throws {
        for how in 0..<3 {
            let carried = try await Carried()
            let (ways, loop) = (carried.ways, carried.loop)
            switch how {
            case 0: carried.here.transport.close(Carried.id, "enough")
            case 1: carried.there.transport.close(carried.idThere, "enough")
            default: try await loop.submit { ways.0.mine?.close() }.get()
            }
            _ = try await carried.here.closed(Carried.id)
            _ = try await carried.there.closed(carried.idThere)
            try await eventually("the ways are not told") {
                let told = Mutex(false)
                loop.execute { told.withLock { $0 = ways.0.isFinished && ways.1.isFinished } }
                usleep(2_000)
                return told.withLock { $0 } ? () : nil
            }
            await carried.end()
        }
    }

    @Test("takes bytes as soon as it is made, no more than a link would have waiting, and none once closed")
    func room() async throws {
        let node = try TestNode(Fixtures.alice)
        let loop = Fixtures.group.next()
        let way = Way(on: loop)
        let transport = node.transport
        let taken = try await loop.submit { () -> (Int, Bool) in
            let circuit = transport.accept(from: Carried.relay, of: Carried.relay, over: way, on: loop)
            way.mine = circuit
            var pieces = 0
            // In one tick, so that the link reads nothing meanwhile.
            while pieces < 1_000, circuit?.take(ByteBuffer(repeating: 22, count: 16 * 1_024)) == true {
                pieces += 1
            }
            circuit?.close()
            return (pieces, circuit?.take(ByteBuffer(repeating: 22, count: 1)) ?? true)
        }.get()
        #expect((1..<100).contains(taken.0) && !taken.1)
        #expect(try await loop.submit { way.isFinished }.get())
        await node.transport.drain(within: .zero)
    }

    @Test("noise in place of TLS ends it, and its observer hears of a stranger turned away")
    func noise() async throws {
        let node = try TestNode(Fixtures.alice)
        let loop = Fixtures.group.next()
        let way = Way(on: loop)
        let transport = node.transport
        try await loop.submit {
            way.mine = transport.accept(from: Carried.relay, of: Carried.relay, over: way, on: loop)
            _ = way.mine?.take(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
        }.get()
        if case .tlsFailed = try await node.firstTurnedAway() {} else { Issue.record("no failure of TLS") }
        await node.transport.drain(within: .zero)
    }
}
