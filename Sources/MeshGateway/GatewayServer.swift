import Glibc
import MeshBase
import NIOCore
import NIOHTTP1
import NIOPosix

/// The gateway for applications on this host: HTTP/1.1, and HTTP/2 for gRPC, on a loopback port and on a Unix
/// socket.
///
/// It checks form, `Host` and origin (product page, "Applications use the local gateway"), and decides
/// nothing about calls: what it accepts goes to its observer, and what the observer answers goes back. Each
/// connection stays on one event loop, where its observer is called too.
public final class GatewayServer: Sendable {
    /// The port that was bound; nil when none was asked for.
    public let endpoint: Endpoint?
    private let listeners: [any Channel]
    private let socketPath: String?
    private let registry: ConnectionRegistry

    private init(
        endpoint: Endpoint?, listeners: [any Channel], socketPath: String?, registry: ConnectionRegistry
    ) {
        self.endpoint = endpoint
        self.listeners = listeners
        self.socketPath = socketPath
        self.registry = registry
    }

    /// Listens on all that `configuration` names, or on none and throws.
    public static func start(
        _ configuration: GatewayConfiguration, on group: any EventLoopGroup, observer: any GatewayObserver
    ) async throws(GatewayFailure) -> GatewayServer {
        let registry = ConnectionRegistry(limit: configuration.connectionLimit)
        let opening = GatewayOpening(configuration: configuration, observer: observer, registry: registry)
        var listeners: [any Channel] = []
        var bound: Endpoint?
        if let endpoint = configuration.endpoint {
            let channel = try await opening.listen(on: endpoint, group)
            bound = Endpoint(host: endpoint.host, port: UInt16(channel.localAddress?.port ?? 0))
            listeners.append(channel)
        }
        if let path = configuration.socketPath {
            do throws(GatewayFailure) {
                listeners.append(try await opening.listen(at: path, group))
            } catch {
                for channel in listeners { channel.close(promise: nil) }
                throw error
            }
        }
        return GatewayServer(
            endpoint: bound, listeners: listeners, socketPath: configuration.socketPath, registry: registry)
    }

    /// Listens no more, lets answers under way finish for at most `grace`, then cuts what is left. Returns
    /// when all are gone.
    public func close(grace: Duration) async {
        for listener in listeners { listener.close(promise: nil) }
        if let socketPath { SocketFile.remove(socketPath) }
        guard let loop = listeners.first?.eventLoop else { return }
        let drained = loop.makePromise(of: Void.self)
        registry.drain(drained)
        let alarm = loop.scheduleTask(in: TimeAmount(grace)) { [registry] in registry.cut() }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            drained.futureResult.whenComplete { _ in continuation.resume() }
        }
        alarm.cancel()
    }
}

/// How the gateway's listeners are made and their connections set up.
private struct GatewayOpening: Sendable {
    let configuration: GatewayConfiguration
    let observer: any GatewayObserver
    let registry: ConnectionRegistry

    func listen(on endpoint: Endpoint, _ group: any EventLoopGroup) async throws(GatewayFailure)
        -> any Channel
    {
        guard endpoint.isLoopback else { throw .notLoopback(endpoint) }
        do {
            return try await bootstrap(group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        // The port is known to the channel itself: 0 was perhaps asked for.
                        let port = UInt16(channel.localAddress?.port ?? 0)
                        let gate = RequestGate(transport: .port, access: configuration.access, port: port)
                        try prepare(channel, gate)
                    }
                }
                .bind(host: endpoint.host, port: Int(endpoint.port)).get()
        } catch {
            throw .portUnavailable(endpoint, reason: "\(error)")
        }
    }

    func listen(at path: String, _ group: any EventLoopGroup) async throws(GatewayFailure) -> any Channel {
        let descriptor = try SocketFile.listen(at: path)
        do {
            return try await bootstrap(group)
                .childChannelInitializer { channel in
                    credentials(of: channel).flatMapThrowing { credentials in
                        let transport = GatewayTransport.unixSocket(uid: credentials?.user)
                        try prepare(channel, RequestGate(transport: transport, access: .open, port: 0))
                    }
                }
                .withBoundSocket(descriptor).get()
        } catch {
            throw .socketUnavailable(path, reason: "\(error)")
        }
    }

    private func bootstrap(_ group: any EventLoopGroup) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            // One read a turn: a second one would nearly always find nothing, and cost a system call a
            // request.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: 4_096, maximum: 65_536))
    }

    private func prepare(_ channel: any Channel, _ gate: RequestGate) throws {
        guard let number = registry.admit(channel) else { return channel.close(promise: nil) }
        let connection = GatewayConnection(
            number: number, gate: gate, configuration: configuration, observer: observer, registry: registry)
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = Limits.invocationHead
        limits.maxHeaderListSize = Limits.invocationHead
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
        let (meter, decoding) = (ByteMeter(connection), ByteToMessageHandler(decoder))
        let teller = ProtocolTeller(meter, decoding, connection, gate: gate, registry: registry)
        try channel.pipeline.syncOperations.addHandlers([teller, meter, decoding, connection])
    }

    private func credentials(of channel: any Channel) -> EventLoopFuture<PeerCredentials?> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture(nil)
        }
        let asked: EventLoopFuture<PeerCredentials> = provider.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
        return asked.map { $0 }.recover { _ in nil }
    }
}
