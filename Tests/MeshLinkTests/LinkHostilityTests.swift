import Foundation
import MeshBase
import MeshWire
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import MeshLink

/// What people who mean no good, or do not know better, send to a link's port.
@Suite(.enabled(if: Fixtures.hasOpenSSL, "needs the OpenSSL program to make certificates"), .serialized)
struct LinkHostilityTests {
    private static let identity = [
        "-alpn", "comity/1", "-quiet", "-cert", Fixtures.alice.certificatePath, "-key",
        Fixtures.alice.keyPath,
    ]

    /// What becomes of a connection on which a stranger with a certificate sends `bytes` after the TLS
    /// handshake.
    private func outcome(of bytes: [UInt8], times: LinkTimes = LinkTimes()) async throws -> LinkEnd {
        let bob = try TestNode(Fixtures.bob, times: times)
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        async let client = stranger(endpoint, Self.identity, input: bytes, patience: 8)
        let end = try await bob.closed(bob.secured().id)
        _ = await client
        await bob.transport.drain(within: .zero)
        return end
    }

    private func header(_ length: UInt32, _ kind: UInt8, _ flags: UInt8 = 0, _ stream: UInt32 = 0) -> [UInt8]
    {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(length, kind, flags, stream)
        return Array(buffer.readableBytesView)
    }

    @Test func `ends a connection for anything but a message of the handshake`() async throws {
        #expect(try await outcome(of: header(3, 1, 0, 1) + [1, 2, 3]) == .violated(.beforeAdmission(.open)))
        #expect(
            try await outcome(of: header(8, 6) + [0, 0, 0, 0, 0, 0, 0, 0])
                == .violated(.beforeAdmission(.ping)))
    }

    @Test func `ends a connection for a length beyond a message's, whatever follows`() async throws {
        let limit = Limits.handshakeMessage
        let end = try await outcome(of: header(UInt32(limit + 1), 9))
        #expect(end == .violated(.malformed(.tooLong(bytes: limit + 1, limit: limit))))
        let huge = try await outcome(of: header(.max, 9))
        #expect(huge == .violated(.malformed(.tooLong(bytes: Int(UInt32.max), limit: limit))))
    }

    @Test func `ends a connection for bytes that are no frame`() async throws {
        guard case .violated = try await outcome(of: Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)) else {
            Issue.record("not a violation")
            return
        }
    }

    @Test func `waits for half a message no longer than for a whole one`() async throws {
        let times = LinkTimes(message: .milliseconds(300))
        let late = LinkEnd.refused(Refusal(.handshakeTimeout, [Fact("no message for", "300 ms")]))
        #expect(try await outcome(of: header(10, 9) + [1, 2], times: times) == late)
        #expect(try await outcome(of: [], times: times) == late)
    }

    @Test func `hands over one message at a time and bounds how many there are`() async throws {
        let bob = try TestNode(Fixtures.bob)
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        let messages = (1...6).flatMap { header(1, 9) + [UInt8($0)] }
        async let client = stranger(endpoint, Self.identity, input: messages, patience: 8)
        let id = try await bob.secured().id
        for number in 1...4 {
            try await bob.expectMessage([UInt8(number)])
            let received = bob.records.withLock {
                $0.events.count { if case .handshakeMessage = $0.1 { true } else { false } }
            }
            #expect(received == number)
            bob.transport.expectMessage(on: id)
        }
        #expect(try await bob.closed(id) == .violated(.tooManyHandshakeMessages))
        _ = await client
    }

    @Test
    func `gives a handshake the time of people where it waits for them, and no other message that time`()
        async throws
    {
        let times = LinkTimes(
            message: .milliseconds(200), handshake: .milliseconds(400), grace: .milliseconds(100))
        let (alice, bob) = (try TestNode(Fixtures.alice), try TestNode(Fixtures.bob, times: times))
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        alice.transport.dial(endpoint, as: ConnectionID(1), for: .peer)
        let (here, there) = (try await alice.secured().id, try await bob.secured().id)
        let start = ContinuousClock.now
        bob.transport.awaitPeople(on: there, for: .seconds(60))
        // Longer than the whole handshake had.
        try await Task.sleep(for: .milliseconds(900))
        alice.transport.sendHandshake([1], on: here)
        try await bob.expectMessage([1])
        #expect(ContinuousClock.now - start > .milliseconds(900))
        bob.transport.expectMessage(on: there)
        guard case .refused(let refusal) = try await bob.closed(there) else {
            return #expect(Bool(false), "it was not refused")
        }
        #expect(refusal.code == .handshakeTimeout)
    }

    @Test func `ends a handshake that is answered but never finished`() async throws {
        let times = LinkTimes(message: .milliseconds(400), handshake: .milliseconds(900))
        let (alice, bob) = (try TestNode(Fixtures.alice), try TestNode(Fixtures.bob, times: times))
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        alice.transport.dial(endpoint, as: ConnectionID(1), for: .peer)
        let id = try await bob.secured().id
        let start = ContinuousClock.now
        let extending = Task {
            while !Task.isCancelled {
                bob.transport.expectMessage(on: id)
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        #expect(
            try await bob.closed(id)
                == .refused(Refusal(.handshakeTimeout, [Fact("not finished in", "900 ms")])))
        extending.cancel()
        #expect(ContinuousClock.now - start > .milliseconds(500))
    }

    @Test(arguments: UInt64(1)...6) func `turns garbage away before TLS`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let bob = try TestNode(Fixtures.bob, times: LinkTimes(message: .milliseconds(500)))
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        let channel = try await ClientBootstrap(group: Fixtures.group)
            .connect(host: endpoint.host, port: Int(endpoint.port)).get()
        try await channel.writeAndFlush(
            ByteBuffer(bytes: generator.bytes(1 + Int(generator.number(below: 3_000)))))
        _ = try await bob.firstTurnedAway()
        #expect(bob.transport.counts.turnedAway == 1 && bob.transport.counts.secured == 0)
        channel.close(promise: nil)
    }

    @Test func `gives a silent address four places and frees them in time`() async throws {
        let bob = try TestNode(Fixtures.bob, times: LinkTimes(message: .milliseconds(800)))
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        var channels: [any Channel] = []
        for _ in 0..<7 {
            channels.append(
                try await ClientBootstrap(group: Fixtures.group).connect(
                    host: endpoint.host, port: Int(endpoint.port)
                ).get())
        }
        try await eventually("not all silent connections ended") {
            bob.transport.counts.turnedAway == 7 ? () : nil
        }
        let refused = bob.records.withLock { records in
            records.turnedAway.count {
                if case .refused(let refusal) = $0 { refusal.code == .handshakeLimit } else { false }
            }
        }
        #expect(refused == 3)
        for channel in channels { channel.close(promise: nil) }
        let alice = try TestNode(Fixtures.alice)
        alice.transport.dial(endpoint, as: ConnectionID(1), for: .peer)
        _ = try await bob.secured()
    }

    /// After trust the frames may be anything: the node either goes on or ends the connection, and lives.
    @Test(arguments: UInt64(1)...6) func `survives a trusted peer that sends anything`(seed: UInt64)
        async throws
    {
        var generator = SeededGenerator(seed: seed)
        let bob = try TestNode(Fixtures.bob, takesStream: { stream, _ in EchoEnd(stream) })
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        var bytes: [UInt8] = []
        for number in 0..<200 {
            let length = Int(generator.number(below: 300))
            let kind = UInt8(generator.number(below: 11))
            let isOfLink = kind >= 6
            bytes += header(
                UInt32(length), kind, kind > 9 ? 0x80 : 0, isOfLink ? 0 : UInt32(1 + number / 8 * 2))
            bytes += generator.bytes(length)
        }
        async let client = stranger(endpoint, Self.identity, input: bytes, patience: 1)
        let id = try await bob.secured().id
        bob.transport.admit(id)
        _ = try await bob.closed(id)
        _ = await client
        let alice = try TestNode(Fixtures.alice)
        alice.transport.dial(endpoint, as: ConnectionID(1), for: .peer)
        _ = try await bob.secured(not: [id])
    }
}
