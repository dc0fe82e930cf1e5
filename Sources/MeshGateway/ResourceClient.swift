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
    /// Of each resource that is in use.
    private var places: [ResourceAddress: ResourcePlace] = [:]
    /// Those at which something began or ended in this turn.
    private var touched: [ResourcePlace] = []
    /// How many are fitted.
    private var fitted = 0
    private var isSweepDue = false
    private var isClosed = false
    private var callers = RecentCallers()

    init(_ configuration: ResourceClientConfiguration, _ loop: any EventLoop) {
        self.configuration = configuration
        self.loop = loop
    }

    private func limit(at place: ResourcePlace) -> Int { place.fit?.limit ?? configuration.connectionLimit }

    private func place(_ address: ResourceAddress) -> ResourcePlace {
        if let place = places[address] { return place }
        let place = ResourcePlace(address)
        places[address] = place
        return place
    }

    /// Forgets what says nothing.
    private func settle(_ place: ResourcePlace) {
        if place.isUnused, places[place.address] === place { places[place.address] = nil }
    }

    private func countStep(at place: ResourcePlace) {
        if place.steps == 0 { touched.append(place) }
        place.steps += 1
    }

    /// Carries the exchange over a connection that is alive, or over a new one; behind others when as many
    /// are under way as may be.
    func carry(_ exchange: ResourceExchange, to url: ResourceURL) {
        callers.note(exchange.caller, at: .now())
        let place = place(url.address)
        countStep(at: place)
        guard place.active < limit(at: place) else { return queue(exchange, url, at: place) }
        start(exchange, url, at: place)
    }

    private func start(_ exchange: ResourceExchange, _ url: ResourceURL, at place: ResourcePlace) {
        while let connection = place.idle.popLast() {
            guard connection.isAlive else {
                connection.close()
                continue
            }
            return connection.start(exchange)
        }
        dial(exchange, url, at: place)
    }

    /// A turn of the loop took so long: more may be under way now, or fewer.
    func turnTook(_ time: Duration) {
        defer {
            for place in touched {
                place.steps = 0
                settle(place)
            }
            touched.removeAll(keepingCapacity: true)
        }
        // Every turn but those of a flood.
        guard time > TurnFit.long || fitted > 0 else { return }
        let callers = callers.count(at: .now())
        for place in Array(places.values) where place.steps > 0 || place.fit != nil {
            let (steps, wasFitted) = (place.steps, place.fit != nil)
            // What is free and took little is left as it is.
            guard wasFitted || (time > TurnFit.long && steps >= TurnFit.least) else { continue }
            var fit = place.fit ?? TurnFit(most: configuration.connectionLimit)
            fit.turnTook(time, steps: steps, among: callers)
            place.fit = fit.isOpen ? nil : fit
            fitted += (place.fit != nil ? 1 : 0) - (wasFitted ? 1 : 0)
            while place.active < limit(at: place), let next = place.nextWaiting() {
                start(next.exchange, next.url, at: place)
            }
            settle(place)
        }
    }

    /// Takes a connection back, and gives it to whoever waits for one.
    func park(_ connection: ResourceConnection) {
        let place = connection.place
        countStep(at: place)
        if !isClosed, place.waiting != nil {
            // One that has ended, or holds bytes that nobody asked for, is nobody's: `forget` dials.
            guard connection.isAlive else { return connection.close() }
            if place.active <= limit(at: place), let next = place.nextWaiting() {
                return connection.start(next.exchange)
            }
        }
        guard !isClosed, place.idle.count < configuration.idleLimit else { return connection.close() }
        place.idle.append(connection)
        sweepLater()
    }

    /// The connection carries no more requests: another one may take its place.
    func release(_ connection: ResourceConnection) {
        connection.isCounted = false
        settleCount(connection.place)
    }

    /// The connection is gone.
    func forget(_ connection: ResourceConnection) {
        connection.place.idle.removeAll { $0 === connection }
        if connection.isCounted { settleCount(connection.place) }
    }

    /// Puts it behind those of its caller that wait already, until a connection is free, but no longer than
    /// connecting would take: what has not left yet is told as such. True when there was room.
    private func wait(_ exchange: ResourceExchange, _ url: ResourceURL, at place: ResourcePlace) -> Bool {
        guard (place.waiting?.count ?? 0) < configuration.waitingLimit else { return false }
        let bound = NIOLoopBound(exchange, eventLoop: loop)
        let patience = NIODeadline.now() + TimeAmount(configuration.connectTime)
        let alarm = loop.scheduleTask(deadline: min(exchange.deadline, patience)) {
            [address = place.address] in
            bound.value.conclude { [isLate = bound.value.deadline <= patience] observer in
                observer.answerFailed(isLate ? .timedOut(.none) : .exhausted(address))
            }
        }
        exchange.whenOver = { [weak place, unowned exchange] in place?.leave(exchange) }
        place.waiting = place.waiting ?? TurnQueue()
        place.waiting?.append(
            ResourcePlace.Waiting(exchange: exchange, url: url, alarm: alarm), of: exchange.caller)
        return true
    }

    func close() {
        isClosed = true
        for connection in places.values.flatMap(\.idle) { connection.close() }
    }

    private func settleCount(_ place: ResourcePlace) {
        place.count = max(0, place.count - 1)
        if place.active < limit(at: place), let next = place.nextWaiting() {
            start(next.exchange, next.url, at: place)
        }
        settle(place)
    }

    private func queue(_ exchange: ResourceExchange, _ url: ResourceURL, at place: ResourcePlace) {
        if !wait(exchange, url, at: place) { exchange.conclude { $0.answerFailed(.exhausted(url.address)) } }
    }

    private func dial(_ exchange: ResourceExchange, _ url: ResourceURL, at place: ResourcePlace) {
        guard place.count < configuration.connectionLimit else { return queue(exchange, url, at: place) }
        place.count += 1
        let bound = NIOLoopBound((self, exchange, place), eventLoop: loop)
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
                    try ResourcePool.prepare(channel, bound.value.2, bound.value.0)
                }
            }
        let connected: EventLoopFuture<any Channel>
        switch (place.address, url.socketAddress) {
        case (.socket(let path), _): connected = bootstrap.connect(unixDomainSocketPath: path)
        case (.host(let host), let numeric):
            bootstrap = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
            connected =
                numeric.map { bootstrap.connect(to: $0) }
                ?? bootstrap.connect(host: host.host, port: Int(host.port))
        }
        connected.whenComplete { result in
            alarm.cancel()
            bound.value.0.dialled(result, bound.value.1, at: bound.value.2)
        }
    }

    private func dialled(
        _ result: Result<any Channel, any Error>, _ exchange: ResourceExchange, at place: ResourcePlace
    ) {
        do {
            let channel = try result.get()
            let connection = try channel.pipeline.syncOperations.handler(type: ResourceConnection.self)
            connection.isCounted = true
            if exchange.isDone { park(connection) } else { connection.start(exchange) }
        } catch {
            exchange.conclude { $0.answerFailed(.unreachable(place.address, reason: "\(error)")) }
            // Where dialling fails at once, each that waits would dial within the failure of the one before.
            let bound = NIOLoopBound((self, place), eventLoop: loop)
            loop.execute { bound.value.0.settleCount(bound.value.1) }
        }
    }

    private static func prepare(
        _ channel: any Channel, _ place: ResourcePlace, _ pool: ResourcePool
    ) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = Limits.invocationHead
        limits.maxHeaderListSize = Limits.invocationHead
        let decoder = HTTPResponseDecoder(
            leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .drop,
            limitConfiguration: limits)
        let wire = ResourceWire()
        let connection = ResourceConnection(
            at: place, decoder: decoder, wire: wire, pool: pool)
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
        let idle = places.values.flatMap(\.idle)
        for connection in idle where connection.idleSince <= oldest { connection.close() }
        if places.values.contains(where: { !$0.idle.isEmpty }) { sweepLater() }
    }
}
