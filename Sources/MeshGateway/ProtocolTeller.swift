import NIOCore
import NIOHTTP1
import NIOHTTP2

/// Stands first on a new connection until its first bytes tell which protocol it speaks, and goes then: it
/// costs no request anything.
///
///     waiting --no preface--> HTTP/1.1, whose handlers are there
///     waiting --part of a preface--> waiting, for no longer than a head may take --time--> closed
///     waiting --preface--> HTTP/2, whose handlers take the place of the others
final class ProtocolTeller: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let meter: ByteMeter
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private let connection: GatewayConnection
    private let gate: RequestGate
    private let registry: ConnectionRegistry
    private var said = ByteBuffer()
    private var alarm: Scheduled<Void>?

    init(
        _ meter: ByteMeter, _ decoder: ByteToMessageHandler<HTTPRequestDecoder>,
        _ connection: GatewayConnection, gate: RequestGate, registry: ConnectionRegistry
    ) {
        self.meter = meter
        self.decoder = decoder
        self.connection = connection
        self.gate = gate
        self.registry = registry
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if said.readableBytes > 0 {
            said.writeBuffer(&bytes)
            bytes = said
        }
        switch ConnectionPreface.read(bytes.readableBytesView) {
        case .undecided:
            said = bytes
            watch(context)
        case .http1: goOn(context, with: bytes)
        case .http2:
            do {
                try switchOver(context)
                goOn(context, with: bytes)
            } catch {
                context.close(promise: nil)
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        alarm?.cancel()
        context.fireChannelInactive()
    }

    private func goOn(_ context: ChannelHandlerContext, with bytes: ByteBuffer) {
        alarm?.cancel()
        said = ByteBuffer()
        context.fireChannelRead(wrapInboundOut(bytes))
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    /// A part of the preface is nothing that could be answered in either protocol.
    private func watch(_ context: ChannelHandlerContext) {
        guard alarm == nil else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        alarm = context.eventLoop.scheduleTask(in: TimeAmount(connection.configuration.headTime)) {
            bound.value.close(promise: nil)
        }
    }

    private func switchOver(_ context: ChannelHandlerContext) throws {
        connection.cede()
        let pipeline = context.pipeline.syncOperations
        for handler in [meter, decoder, connection] as [any RemovableChannelHandler] {
            pipeline.removeHandler(handler, promise: nil)
        }
        registry.spoke(connection.number)
        let door = GRPCDoor(
            number: connection.number, gate: gate, configuration: connection.configuration,
            observer: connection.observer, registry: registry, on: context.eventLoop)
        // Before what may take a turn of the loop to go: it gets nothing more to read.
        try pipeline.addHandlers([door.handler(), door], position: .after(self))
    }
}
