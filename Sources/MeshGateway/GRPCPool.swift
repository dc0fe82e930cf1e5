import MeshBase
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix

/// The connections to gRPC servers of one event loop. Each carries many calls at once, of whichever callers:
/// `HTTP2Bounds.streamsMax`, or fewer where the server says so. Further ones are dialled as they are needed.
final class GRPCPool {
    private let configuration: ResourceClientConfiguration
    private let loop: any EventLoop
    private var lines: [ResourceAddress: [GRPCLine]] = [:]
    private var isClosed = false

    init(_ configuration: ResourceClientConfiguration, _ loop: any EventLoop) {
        self.configuration = configuration
        self.loop = loop
    }

    /// Carries the exchange over the first connection with room, or over a new one.
    func carry(_ exchange: ResourceExchange, _ head: HPACKHeaders, to url: ResourceURL) {
        let stream = GRPCStream(exchange, head, on: loop)
        if let line = lines[url.address]?.first(where: \.hasRoom) { return line.take(stream) }
        guard (lines[url.address]?.count ?? 0) < configuration.grpcConnectionLimit else {
            return exchange.conclude { $0.answerFailed(.exhausted(url.address)) }
        }
        let line = GRPCLine(url.address, idleTime: configuration.idleTime, of: self, on: loop)
        lines[url.address, default: []].append(line)
        line.take(stream)
        dial(line, url)
    }

    /// The connection takes no more calls.
    func forget(_ line: GRPCLine) {
        lines[line.address]?.removeAll { $0 === line }
        if lines[line.address]?.isEmpty == true { lines[line.address] = nil }
    }

    /// Closes each connection once its calls are over; a later one is not kept.
    func close() {
        isClosed = true
        for line in lines.values.flatMap(\.self) { line.retire() }
    }

    private func dial(_ line: GRPCLine, _ url: ResourceURL) {
        let bound = NIOLoopBound(line, eventLoop: loop)
        var bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(configuration.connectTime))
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try GRPCPool.prepare(channel, bound.value) }
            }
        let connected: EventLoopFuture<any Channel>
        switch (url.address, url.socketAddress) {
        case (.socket(let path), _): connected = bootstrap.connect(unixDomainSocketPath: path)
        case (.host(let host), let numeric):
            bootstrap = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
            connected =
                numeric.map { bootstrap.connect(to: $0) }
                ?? bootstrap.connect(host: host.host, port: Int(host.port))
        }
        let isKept = !isClosed
        connected.whenComplete { result in bound.value.dialled(result, isKept: isKept) }
    }

    private static func prepare(_ channel: any Channel, _ line: GRPCLine) throws {
        let handler = NIOHTTP2Handler(
            mode: .client, eventLoop: channel.eventLoop,
            connectionConfiguration: HTTP2Bounds.connection(isServer: false),
            streamConfiguration: HTTP2Bounds.stream
        ) { pushed in
            // Pushes are switched off: one would be an error of the connection before it came here.
            pushed.close()
        }
        try channel.pipeline.syncOperations.addHandlers([handler, GRPCLineEnd(line)])
    }
}
