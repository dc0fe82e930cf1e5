import Foundation
import MeshBase
import MeshLink
import NIOCore
import NIOPosix
import Testing

@Suite("Who speaks no TLS on the link port", .timeLimit(.minutes(1)))
struct NoiseTests {
    @Test("gets nothing by sending garbage, and is gone at once")
    func garbage() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let victim = Victim(alice)
            for seed in 0..<16 as Range<UInt64> {
                var generator = SeededGenerator(seed: seed)
                let socket = try await RawSocket.connect(to: alice.link)
                try await socket.send(generator.bytes(1 + Int(generator.next() % 4_096)))
                try await socket.closed(within: .seconds(8))
            }
            victim.stayedShut()
            #expect(await alice.link(with: bob.node) != nil)
        }
    }

    @Test("gets nothing by silence, and is gone after the time that a message may take")
    func silence() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let victim = Victim(alice)
            let sockets = try await [RawSocket.connect(to: alice.link), RawSocket.connect(to: alice.link)]
            for socket in sockets {
                try await socket.closed(within: Limits.handshakeMessageTime + .seconds(3))
            }
            victim.stayedShut()
            #expect(alice.transport.counts.turnedAway >= 2)
            #expect(await alice.link(with: bob.node) != nil)
        }
    }

    @Test("gets nothing by silence after TLS, and the operator finds out why")
    func silenceAfterTLS() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let bob = try Persona("bob")
            try await bob.join(alice)
            let attacker = try mesh.attacker(bob.credentials)
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            let denial = try await line.denial()
            #expect(try await alice.refusal(under: denial.reference)?.code == .handshakeTimeout)
            victim.stayedShut()
            #expect(await alice.link(with: bob.node) == nil)
        }
    }
}

/// A plain TCP connection.
struct RawSocket {
    private let channel: any Channel

    static func connect(to endpoint: Endpoint) async throws -> RawSocket {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        return RawSocket(
            channel: try await bootstrap.connect(host: endpoint.host, port: Int(endpoint.port)).get())
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Waits until the other side has closed it.
    func closed(within patience: Duration) async throws {
        try await until("the connection is closed", within: patience) { !channel.isActive }
    }
}
