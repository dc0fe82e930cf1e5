import MeshBase
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small HTTP service on loopback, as somebody has it behind an agent: it says back what it was asked.
///
///     any path     200, the request's body; what was asked stands in `x-saw`
///     /status/N    N
///     /bytes/N     200 with N bytes
final class Backend: Sendable {
    /// One request as it came.
    struct Seen: Sendable {
        let method: String
        let uri: String
        let headers: [(name: String, value: String)]
        let length: Int

        func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
    }

    let channel: any Channel
    private let log: Log

    /// What it has seen.
    final class Log: Sendable {
        fileprivate let seen = Mutex<[Seen]>([])
        /// How long each answer is held back.
        fileprivate let pause = Mutex(TimeAmount.zero)
    }

    /// - Parameter path: of the Unix socket at which it listens; nil: at a port of loopback.
    static func start(
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, at path: String? = nil
    ) async throws -> Backend {
        let log = Log()
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandlers(WholeRequests(), Server(log))
                }
            }
        let bound = path.map { bootstrap.bind(unixDomainSocketPath: $0) }
        let channel = try await (bound ?? bootstrap.bind(host: "127.0.0.1", port: 0)).get()
        return Backend(channel: channel, log: log)
    }

    private init(channel: any Channel, log: Log) {
        self.channel = channel
        self.log = log
    }

    var url: String {
        if let path = channel.localAddress?.pathname { return "http://unix:\(path)" }
        return "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
    }
    var seen: [Seen] { log.seen.withLock { $0 } }

    /// From now on every answer comes so much later.
    func hesitate(_ pause: TimeAmount) { log.pause.withLock { $0 = pause } }

    func stop() async {
        guard channel.isActive else { return }
        do {
            try await channel.close()
        } catch {
            print("a backend did not end cleanly: \(error)")
        }
    }

    /// One connection.
    private final class Server: ChannelInboundHandler {
        typealias InboundIn = WholeRequest
        typealias OutboundOut = HTTPServerResponsePart

        private let log: Log
        private var body = ByteBuffer()

        init(_ log: Log) { self.log = log }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let request = unwrapInboundIn(data)
            body = request.body
            answer(request.head, context)
        }

        private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
            let seen = Seen(
                method: head.method.rawValue, uri: head.uri, headers: head.headers.map { $0 },
                length: body.readableBytes)
            log.seen.withLock { $0.append(seen) }
            let pause = log.pause.withLock { $0 }
            guard pause > .zero else { return send(head, context) }
            context.eventLoop.assumeIsolated().scheduleTask(in: pause) { self.send(head, context) }
        }

        private func send(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
            let (status, content) = content(for: head.uri)
            var headers: HTTPHeaders = ["x-saw": "\(head.method.rawValue) \(head.uri)"]
            headers.add(name: "content-length", value: "\(content.readableBytes)")
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
                promise: nil)
            if head.method != .HEAD {
                context.write(wrapOutboundOut(.body(.byteBuffer(content))), promise: nil)
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        private func content(for uri: String) -> (HTTPResponseStatus, ByteBuffer) {
            let parts = uri.split(separator: "?")[0].split(separator: "/")
            guard parts.count >= 2, let number = Int(parts[parts.count - 1]) else { return (.ok, body) }
            switch parts[parts.count - 2] {
            case "status": return (HTTPResponseStatus(statusCode: number), body)
            case "bytes": return (.ok, ByteBuffer(repeating: UInt8(ascii: "x"), count: number))
            default: return (.ok, body)
            }
        }
    }
}
