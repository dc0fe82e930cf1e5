import MeshBase
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import MeshLink

/// What a link that floods leaves to the others on its event loop.
@Suite(.enabled(if: Fixtures.hasOpenSSL, "needs the OpenSSL program to make certificates"))
struct LinkShareTests {
    /// Counts the bytes of documents that came within one turn of the loop.
    private final class Turns: LinkObserver {
        private struct Count {
            var now = 0
            var most = 0
            var all = 0
            var isTurnOpen = false
            var id: ConnectionID?
        }

        private let count = Mutex(Count())
        /// Does something with a document's connection where it comes, by what came so far.
        let came = Mutex<(@Sendable (ConnectionID, Int) -> Void)?>(nil)

        var most: Int { count.withLock { $0.most } }
        var all: Int { count.withLock { $0.all } }
        var secured: ConnectionID? { count.withLock { $0.id } }

        func nameAcceptedConnection() -> ConnectionID { ConnectionID(1) }

        func connection(_ id: ConnectionID, did event: LinkEvent) {
            switch event {
            case .secured: count.withLock { $0.id = id }
            case .document(let bytes):
                let isFirst = count.withLock { count in
                    count.now += bytes.count
                    count.all += bytes.count
                    count.most = max(count.most, count.now)
                    defer { count.isTurnOpen = true }
                    return !count.isTurnOpen
                }
                came.withLock { $0 }?(id, all)
                guard isFirst else { return }
                // Behind all that is read in this turn.
                MultiThreadedEventLoopGroup.currentEventLoop?.execute {
                    self.count.withLock { ($0.now, $0.isTurnOpen) = (0, false) }
                }
            case .handshakeMessage, .heard, .pinged, .pong, .goingAway, .closed: break
            }
        }

        func connection(_ id: ConnectionID, opened stream: LinkStream, head: ByteBuffer) -> (
            any LinkStreamObserver
        )? { nil }

        func turnedAway(_ remote: Endpoint, because end: LinkEnd) {}
    }

    /// A listener, whoever dials it, and how the listener names the connection.
    private func pair(heardBy turns: Turns) async throws -> (LinkTransport, TestNode, ConnectionID) {
        let listener = try LinkTransport(
            group: Fixtures.group, credentials: Fixtures.bob.credentials, observer: turns)
        let endpoint = try await listener.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        let flooder = try TestNode(Fixtures.alice)
        flooder.transport.dial(endpoint, as: ConnectionID(2), for: .peer)
        _ = try await flooder.secured()
        let id = try await eventually("not secured") { turns.secured }
        listener.admit(id)
        try await eventually("not admitted") { listener.counts.admitted == 1 ? () : nil }
        flooder.transport.admit(ConnectionID(2))
        return (listener, flooder, id)
    }

    @Test func `reads nothing of a link that is held back, and all of it once it is read on`() async throws {
        let turns = Turns()
        let (listener, flooder, id) = try await pair(heardBy: turns)
        turns.came.withLock {
            $0 = { connection, bytes in
                if bytes == 100_000 || bytes == 1_500_000 { listener.holdBack(connection) }
            }
        }
        let document = [UInt8](repeating: 7, count: 1_000)
        for _ in 0..<2_000 { flooder.transport.sendDocument(document, on: ConnectionID(2)) }
        for held in [100_000, 1_500_000] {
            try await eventually("\(held) bytes did not come") { turns.all >= held ? () : nil }
            try await Task.sleep(for: .milliseconds(200))
            #expect(turns.all == held)
            // Nor is more taken out of the socket than one read brought.
            let pending = Mutex<Int?>(nil)
            listener.on(id) { connection in
                pending.withLock { $0 = connection.reader.pendingBytes }
            }
            let read = try await eventually("the link has ended") { pending.withLock { $0 } }
            #expect(read <= LinkConnection.heldMost, "\(read) bytes were read")
            listener.readOn(id)
        }
        try await eventually("not all came") { turns.all == 2_000_000 ? () : nil }
        await flooder.transport.drain(within: .zero)
        await listener.drain(within: .zero)
    }

    @Test func `takes no more than one read of a link before the others' turn, however much has come`()
        async throws
    {
        let turns = Turns()
        let (listener, flooder, _) = try await pair(heardBy: turns)
        let document = [UInt8](repeating: 7, count: 1_000)
        for _ in 0..<2_000 { flooder.transport.sendDocument(document, on: ConnectionID(2)) }
        try await eventually("not all came") { turns.all == 2_000_000 ? () : nil }
        // What of an unfinished record or frame was kept comes on top.
        #expect(turns.most <= 3 * LinkTransport.readMost, "\(turns.most) bytes in one turn")
        await flooder.transport.drain(within: .zero)
        await listener.drain(within: .zero)
    }

    @Test func `takes up no more than 32 streams that a peer opens before the others' turn`() async throws {
        struct Seen {
            var opened = 0
            var atTurn: [Int] = []
        }
        let seen = Mutex(Seen())
        let linked = try await Linked { stream, _ in
            let isFirst = seen.withLock { seen in
                seen.opened += 1
                return seen.opened % 16 == 1
            }
            // Behind all that is done in this turn.
            if isFirst {
                stream.eventLoop.execute { seen.withLock { $0.atTurn.append($0.opened) } }
            }
            return EchoEnd(stream)
        }
        let transport = linked.here.transport
        let ends = try await #require(transport.eventLoop(of: linked.idHere)).submit {
            (0..<1_000).map { _ in
                let end = CallEnd()
                transport.openStream(
                    on: linked.idHere, head: ByteBuffer(string: "call"), observer: end)?.end()
                return end
            }
        }.get()
        for end in ends {
            try await eventually("not all are answered") {
                end.received.withLock { $0.end == nil ? nil : () }
            }
        }
        let turns = seen.withLock { $0.atTurn }
        #expect(seen.withLock { $0.opened } == 1_000)
        let steps = zip(turns, turns.dropFirst()).map { $1 - $0 }
        #expect(steps.allSatisfy { $0 <= 2 * LinkConnection.opensPerTurn }, "\(steps.max() ?? 0) in one turn")
        await linked.end()
    }
}
