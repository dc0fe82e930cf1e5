import Glibc
import MeshBase
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

extension LinkTransport {
    /// Listens on an address or name; port 0 takes any. `::` listens for IPv4 too.
    /// - Returns: where it listens, with the port.
    public func listen(on endpoint: Endpoint) async throws(LinkError) -> Endpoint {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: writeWaterMark)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: Self.reads)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.accept(channel) }
            }
        do {
            let channel = try await bootstrap.bind(host: endpoint.host, port: Int(endpoint.port)).get()
            state.withLock { $0.listeners.append(channel) }
            return Endpoint(
                host: endpoint.host, port: UInt16(channel.localAddress?.port ?? Int(endpoint.port)))
        } catch {
            let number = (error as? IOError)?.errnoCode
            let cause = number.map { String(cString: strerror($0)).lowercased() }
            throw .cannotListen(endpoint, cause: cause ?? String(describing: error))
        }
    }

    /// Connects to an address (a link-local one with `%interface`) or a name. `.secured` or `.closed`
    /// follows.
    public func dial(_ endpoint: Endpoint, as id: ConnectionID, for protocol: LinkProtocol) {
        let isDraining = state.withLock { state in
            if !state.isDraining { state.seats[id] = .dialling }
            return state.isDraining
        }
        guard !isDraining else { return observer.connection(id, did: .closed(.drained)) }
        let loop = group.next()
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(times.connect))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.writeBufferWaterMark, value: writeWaterMark)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: Self.reads)
        let dialled =
            if let address = NameLookup.address(endpoint) {
                bootstrap.connect(to: address)
            } else {
                bootstrap.resolver(DialledName(endpoint, names, on: loop))
                    .connect(host: endpoint.host, port: Int(endpoint.port))
            }
        // Handlers are added to the one channel that won: a name may have several addresses, each tried on a
        // channel of its own.
        dialled.flatMap { channel in
            channel.eventLoop.submit { try self.connected(channel, id, endpoint, `protocol`) }
                .flatMapError { error in channel.close().flatMapThrowing { throw error } }
        }
        .whenFailure { error in self.dialFailed(id, error) }
    }

    /// Bytes that are read of one link before the other links of its loop have their turn: some forty calls,
    /// or one record of TLS. So however much a peer sends, another one's call waits for that much of it.
    static let readMost = 16 * 1_024

    static var reads: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: 4_096, maximum: readMost)
    }

    var writeWaterMark: ChannelOptions.Types.WriteBufferWaterMark {
        .init(low: 64 * 1024, high: LinkConnection.flushBudget)
    }

    func connected(
        _ channel: any Channel, _ id: ConnectionID, _ endpoint: Endpoint, _ protocol: LinkProtocol,
        by relay: NodeID? = nil
    ) throws {
        let contexts = state.withLock { $0.contexts }
        let presented = PresentedCertificate()
        let connection = LinkConnection(
            id, role: .dialler, remote: Endpoint(channel.remoteAddress) ?? endpoint, transport: self,
            ownCertificate: contexts.certificate, presented: presented, times: times, relay: relay)
        let handler = try contexts.clientHandler(`protocol`, presented: presented)
        try channel.pipeline.syncOperations.addHandler(connection)
        // First, so that whatever it reports from its first step on meets the connection.
        try channel.pipeline.syncOperations.addHandler(handler, position: .first)
    }

    func dialFailed(_ id: ConnectionID, _ error: any Error) {
        let wasDialling = state.withLock { state in
            guard case .dialling? = state.seats[id] else { return false }
            state.seats[id] = nil
            return true
        }
        guard wasDialling else { return }
        observer.connection(id, did: .closed(.unreachable(cause: String(describing: error))))
        resumeIfDrained()
    }

    private func accept(_ channel: any Channel) throws {
        guard let remote = Endpoint(channel.remoteAddress) else { throw ChannelError.ioOnClosedChannel }
        try accept(channel, from: remote, counted: remote.host, by: nil)
    }

    /// - Parameter address: for what it counts while its handshake is unfinished.
    func accept(
        _ channel: any Channel, from remote: Endpoint, counted address: String, by relay: NodeID?
    ) throws {
        let id = observer.nameAcceptedConnection()
        let (verdict, contexts) = state.withLock { state in
            state.counts.accepted += 1
            let verdict =
                state.isDraining
                ? .refused(Refusal(.draining)) : state.admission.arrived(id, from: address)
            if case .admitted = verdict { state.seats[id] = .dialling }
            return (verdict, state.contexts)
        }
        switch verdict {
        case .admitted(let yielding):
            let crowded = Refusal(.handshakeLimit, [Fact("gave way to", "a newer one")])
            if let yielding { on(yielding) { $0.end(.refused(crowded)) } }
        case .refused(let refusal):
            ended(id, .listener, remote, .refused(refusal), wasSecured: false, worstWait: 0)
            throw ChannelError.ioOnClosedChannel
        }
        let presented = PresentedCertificate()
        let connection = LinkConnection(
            id, role: .listener, remote: remote, transport: self, ownCertificate: contexts.certificate,
            presented: presented, times: times, relay: relay)
        do {
            try channel.pipeline.syncOperations.addHandler(connection)
            try channel.pipeline.syncOperations.addHandler(
                contexts.serverHandler(presented: presented), position: .first)
        } catch {
            connection.end(.lost(cause: String(describing: error)))
            throw error
        }
    }
}
