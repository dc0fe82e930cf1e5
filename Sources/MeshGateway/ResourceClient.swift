import MeshBase
import MeshRouting
import NIOCore
import NIOHTTP1
import NIOPosix

/// How the client treats resources. The defaults serve resources on this host or beside it.
public struct ResourceClientConfiguration: Sendable {
    /// How long connecting may take.
    public var connectTime: Duration = Limits.connectTime
    /// How long an unused connection is kept. Longer than the resource keeps it gains nothing.
    public var idleTime: Duration = .seconds(30)
    /// Unused connections kept for one resource on one event loop.
    public var idleLimit = 64
    /// Connections to one resource on one event loop; further requests wait until one is free.
    public var connectionLimit = 256
    /// Requests that wait so; further ones fail at once.
    public var waitingLimit = 4_096
    /// Connections to one gRPC server on one event loop, each of which carries many calls: together they
    /// carry more than a node serves at once. Further calls fail at once.
    public var grpcConnectionLimit = 64

    public init() {}
}

/// The client of this node's resources, by HTTP/1.1, and by HTTP/2 where they are gRPC servers: one pool of
/// connections for each event loop, so that a request never leaves the loop that it came on. It never
/// retries, never redirects, and says whether a failed request may have had its effect.
public final class ResourceClient: Sendable {
    private let pools: [ObjectIdentifier: NIOLoopBoundBox<Pools>]

    private struct Pools {
        let http: ResourcePool
        let grpc: GRPCPool
    }

    /// - Parameter group: every event loop that `perform` will be called on.
    public init(_ configuration: ResourceClientConfiguration, on group: any EventLoopGroup) {
        var pools: [ObjectIdentifier: NIOLoopBoundBox<Pools>] = [:]
        for loop in group.makeIterator() {
            pools[ObjectIdentifier(loop)] = .makeBoxSendingValue(
                Pools(http: ResourcePool(configuration, loop), grpc: GRPCPool(configuration, loop)),
                eventLoop: loop)
        }
        self.pools = pools
    }

    /// Sends `request`. The observer may be told before this returns.
    /// - Precondition: runs on `loop`, which is one of the group's.
    @discardableResult
    public func perform(
        _ request: ResourceRequest, on loop: any EventLoop, observer: any ResourceObserver
    ) -> ResourceExchange {
        guard let pool = pools[ObjectIdentifier(loop)] else {
            preconditionFailure(
                "a request to \(request.url) on a loop that the client was not made for: \(loop)")
        }
        do throws(ResourceFailure) {
            guard request.url.isGRPC else {
                let exchange = ResourceExchange(request, head: try request.head(), observer: observer)
                pool.value.http.carry(exchange, to: request.url)
                return exchange
            }
            let head = try GRPCRequestHead.fields(of: request)
            let exchange = ResourceExchange(request, head: ByteBuffer(), observer: observer)
            pool.value.grpc.carry(exchange, head, to: request.url)
            return exchange
        } catch {
            let exchange = ResourceExchange(request, head: ByteBuffer(), observer: observer)
            exchange.conclude { $0.answerFailed(error) }
            return exchange
        }
    }

    /// A turn of `loop` took so long: what is under way at resources is fitted to that (`TurnFit`).
    public func turnTook(_ time: Duration, on loop: any EventLoop) {
        pools[ObjectIdentifier(loop)]?.value.http.turnTook(time)
    }

    /// Closes all unused connections, and every other one as soon as its exchange is over. Later requests
    /// still work, on connections that are not kept.
    public func close() async {
        for pool in pools.values {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                pool.eventLoop.execute {
                    pool.value.http.close()
                    pool.value.grpc.close()
                    continuation.resume()
                }
            }
        }
    }
}

/// The connections of one event loop.
final class ResourcePool {
    private let configuration: ResourceClientConfiguration
    private let loop: any EventLoop
    /// The most recently used is last, and is used next: the others grow old and go.
    private var idle: [ResourceAddress: [ResourceConnection]] = [:]
    /// Connections, and attempts at one.
    private var counts: [ResourceAddress: Int] = [:]
    /// Requests for which no connection is free, by who calls; nil: this node's own applications.
    private var waiting: [ResourceAddress: TurnQueue<NodeID?, Waiting>] = [:]
    private var isSweepDue = false
    private var isClosed = false
    /// How many may be under way at each resource of which not all may; whoever is not here is free.
    private var fits: [ResourceAddress: TurnFit] = [:]
    /// Exchanges that began or ended in this turn.
    private var steps: [ResourceAddress: Int] = [:]
    private var callers = RecentCallers()

    init(_ configuration: ResourceClientConfiguration, _ loop: any EventLoop) {
        self.configuration = configuration
        self.loop = loop
    }

    private func limit(at address: ResourceAddress) -> Int {
        fits.isEmpty ? configuration.connectionLimit : fits[address]?.limit ?? configuration.connectionLimit
    }

    /// Exchanges under way at a resource, and attempts at a connection for one.
    private func active(at address: ResourceAddress) -> Int {
        (counts[address] ?? 0) - (idle[address]?.count ?? 0)
    }

    /// Carries the exchange over a connection that is alive, or over a new one; behind others when as many
    /// are under way as may be.
    func carry(_ exchange: ResourceExchange, to url: ResourceURL) {
        callers.note(exchange.caller, at: .now())
        steps[url.address, default: 0] += 1
        guard active(at: url.address) < limit(at: url.address) else { return queue(exchange, url) }
        start(exchange, url)
    }

    private func start(_ exchange: ResourceExchange, _ url: ResourceURL) {
        while let connection = idle[url.address]?.popLast() {
            guard connection.isAlive else {
                connection.close()
                continue
            }
            return connection.start(exchange)
        }
        dial(exchange, url)
    }

    /// A turn of the loop took so long: more may be under way now, or fewer.
    func turnTook(_ time: Duration) {
        defer { steps.removeAll(keepingCapacity: true) }
        // Every turn but those of a flood.
        guard time > TurnFit.long || !fits.isEmpty else { return }
        let callers = callers.count(at: .now())
        for address in Set(steps.keys).union(fits.keys) {
            let steps = steps[address] ?? 0
            // What is free and took little is left as it is.
            guard fits[address] != nil || (time > TurnFit.long && steps >= TurnFit.least) else { continue }
            var fit = fits[address] ?? TurnFit(most: configuration.connectionLimit)
            fit.turnTook(time, steps: steps, among: callers)
            fits[address] = fit.isOpen ? nil : fit
            while active(at: address) < limit(at: address), let next = nextWaiting(for: address) {
                start(next.exchange, next.url)
            }
        }
    }

    /// Takes a connection back, and gives it to whoever waits for one.
    func park(_ connection: ResourceConnection) {
        steps[connection.address, default: 0] += 1
        if !isClosed, waiting[connection.address] != nil {
            // One that has ended, or holds bytes that nobody asked for, is nobody's: `forget` dials.
            guard connection.isAlive else { return connection.close() }
            if active(at: connection.address) <= limit(at: connection.address),
                let next = nextWaiting(for: connection.address)
            {
                return connection.start(next.exchange)
            }
        }
        guard !isClosed, (idle[connection.address]?.count ?? 0) < configuration.idleLimit else {
            return connection.close()
        }
        idle[connection.address, default: []].append(connection)
        sweepLater()
    }

    /// The connection carries no more requests: another one may take its place.
    func release(_ connection: ResourceConnection) {
        connection.isCounted = false
        settleCount(connection.address)
    }

    /// The connection is gone.
    func forget(_ connection: ResourceConnection) {
        let address = connection.address
        idle[address]?.removeAll { $0 === connection }
        if idle[address]?.isEmpty == true { idle[address] = nil }
        if connection.isCounted { settleCount(address) }
    }

    private struct Waiting {
        let exchange: ResourceExchange
        let url: ResourceURL
        let alarm: Scheduled<Void>
    }

    /// Puts it behind those of its caller that wait already, until a connection is free, but no longer than
    /// connecting would take: what has not left yet is told as such. True when there was room.
    private func wait(_ exchange: ResourceExchange, _ url: ResourceURL) -> Bool {
        let address = url.address
        guard (waiting[address]?.count ?? 0) < configuration.waitingLimit else { return false }
        let bound = NIOLoopBound(exchange, eventLoop: loop)
        let patience = NIODeadline.now() + TimeAmount(configuration.connectTime)
        let alarm = loop.scheduleTask(deadline: min(exchange.deadline, patience)) {
            bound.value.conclude { [isLate = bound.value.deadline <= patience] observer in
                observer.answerFailed(isLate ? .timedOut(.none) : .exhausted(address))
            }
        }
        exchange.whenOver = { [weak self, unowned exchange] in self?.leave(exchange, address) }
        waiting[address, default: TurnQueue()].append(
            Waiting(exchange: exchange, url: url, alarm: alarm), of: exchange.caller)
        return true
    }

    /// One that waits is over: its body need not be kept, and its place is free.
    private func leave(_ exchange: ResourceExchange, _ address: ResourceAddress) {
        waiting[address]?.remove(of: exchange.caller) { $0.exchange === exchange }?.alarm.cancel()
        if waiting[address]?.isEmpty == true { waiting[address] = nil }
    }

    /// The next that still waits, and has time left: the oldest of the caller whose turn it is.
    private func nextWaiting(for address: ResourceAddress) -> Waiting? {
        while let next = waiting[address]?.popFirst() {
            if waiting[address]?.isEmpty == true { waiting[address] = nil }
            next.alarm.cancel()
            next.exchange.whenOver = nil
            guard next.exchange.deadline <= .now() else { return next }
            next.exchange.conclude { $0.answerFailed(.timedOut(.none)) }
        }
        return nil
    }

    func close() {
        isClosed = true
        for connection in idle.values.flatMap(\.self) { connection.close() }
    }

    private func settleCount(_ address: ResourceAddress) {
        let left = (counts[address] ?? 0) - 1
        counts[address] = left > 0 ? left : nil
        if active(at: address) < limit(at: address), let next = nextWaiting(for: address) {
            start(next.exchange, next.url)
        }
    }

    private func queue(_ exchange: ResourceExchange, _ url: ResourceURL) {
        if !wait(exchange, url) { exchange.conclude { $0.answerFailed(.exhausted(url.address)) } }
    }

    private func dial(_ exchange: ResourceExchange, _ url: ResourceURL) {
        let address = url.address
        guard counts[address, default: 0] < configuration.connectionLimit else {
            return queue(exchange, url)
        }
        counts[address, default: 0] += 1
        let bound = NIOLoopBound((self, exchange), eventLoop: loop)
        let alarm = loop.scheduleTask(deadline: exchange.deadline) {
            bound.value.1.conclude { $0.answerFailed(.timedOut(.none)) }
        }
        var bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(configuration.connectTime))
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: 4_096, maximum: 65_536)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try ResourcePool.prepare(channel, address, bound.value.0)
                }
            }
        let connected: EventLoopFuture<any Channel>
        switch (address, url.socketAddress) {
        case (.socket(let path), _): connected = bootstrap.connect(unixDomainSocketPath: path)
        case (.host(let host), let numeric):
            bootstrap = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
            connected =
                numeric.map { bootstrap.connect(to: $0) }
                ?? bootstrap.connect(host: host.host, port: Int(host.port))
        }
        connected.whenComplete { result in
            alarm.cancel()
            bound.value.0.dialled(result, bound.value.1, address)
        }
    }

    private func dialled(
        _ result: Result<any Channel, any Error>, _ exchange: ResourceExchange, _ address: ResourceAddress
    ) {
        do {
            let channel = try result.get()
            let connection = try channel.pipeline.syncOperations.handler(type: ResourceConnection.self)
            connection.isCounted = true
            if exchange.isDone { park(connection) } else { connection.start(exchange) }
        } catch {
            exchange.conclude { $0.answerFailed(.unreachable(address, reason: "\(error)")) }
            // Where dialling fails at once, each that waits would dial within the failure of the one before.
            let bound = NIOLoopBound(self, eventLoop: loop)
            loop.execute { bound.value.settleCount(address) }
        }
    }

    private static func prepare(
        _ channel: any Channel, _ address: ResourceAddress, _ pool: ResourcePool
    ) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = Limits.invocationHead
        limits.maxHeaderListSize = Limits.invocationHead
        let decoder = HTTPResponseDecoder(
            leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .drop,
            limitConfiguration: limits)
        let wire = ResourceWire()
        let connection = ResourceConnection(
            address, decoder: decoder, wire: wire, pool: pool)
        wire.connection = connection
        try channel.pipeline.syncOperations.addHandlers([wire, ByteToMessageHandler(decoder), connection])
    }

    private func sweepLater() {
        guard !isSweepDue else { return }
        isSweepDue = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: TimeAmount(configuration.idleTime)) { bound.value.sweep() }
    }

    private func sweep() {
        isSweepDue = false
        let oldest = NIODeadline.now() - TimeAmount(configuration.idleTime)
        for connection in idle.values.flatMap(\.self) where connection.idleSince <= oldest {
            connection.close()
        }
        if !idle.isEmpty { sweepLater() }
    }
}
