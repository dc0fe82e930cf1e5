import Glibc
import MeshBase
import NIOCore
import NIOPosix

/// Who passes a circuit's bytes on, toward the relay. Called on the circuit's event loop.
public protocol CircuitWire: AnyObject {
    /// Passes bytes of this end's link on, in order.
    /// - Returns: whether to go on; when not, it says so (`Circuit.resume`) once it may.
    func pass(_ bytes: ByteBuffer) -> Bool
    /// This end's link is over: no more comes, and nothing more is taken.
    func finish()
}

/// This end of a link that a relay carries (decision 0043): a pair of connected sockets. TLS and frames run
/// over the one as over any connection; what they write is read from the other, and goes to the wire.
///
///     open --either channel ends, `close`--> closed
///
/// It is made on its event loop, where NIO opens sockets that are connected at once; it is confined to that
/// loop, and so are all of its verbs.
public final class Circuit {
    /// Nil once it is over: each holds the other until then.
    private var wire: (any CircuitWire)?
    private let loop: any EventLoop
    private var channel: (any Channel)?
    private var isClosed = false
    /// Whether the wire takes no more for now.
    private var isHeld = false

    init(_ wire: any CircuitWire, on loop: any EventLoop) {
        self.wire = wire
        self.loop = loop
    }

    /// Gives bytes to this end's link, in order.
    /// - Returns: whether to go on; when not, the wire waits for `room`.
    public func take(_ bytes: ByteBuffer) -> Bool {
        loop.preconditionInEventLoop()
        guard let channel else { return false }
        channel.writeAndFlush(bytes, promise: nil)
        return channel.isWritable
    }

    /// Told once more is taken after `take` said no.
    public var room: () -> Void = {}

    /// The wire takes no more until `resume`; what was read already still comes.
    public func hold() {
        isHeld = true
        setAutoRead(false)
    }

    /// The wire takes more again.
    public func resume() {
        isHeld = false
        setAutoRead(true)
    }

    /// Ends this end's link; the wire hears of it.
    public func close() {
        loop.preconditionInEventLoop()
        channel?.close(promise: nil)
        end()
    }

    func opened(_ channel: any Channel) {
        guard !isClosed else { return channel.close(promise: nil) }
        self.channel = channel
        if isHeld { setAutoRead(false) }
    }

    func end() {
        guard !isClosed else { return }
        isClosed = true
        channel = nil
        room = {}
        let told = wire
        wire = nil
        told?.finish()
    }

    fileprivate func pass(_ bytes: ByteBuffer) {
        guard let wire, !wire.pass(bytes) else { return }
        hold()
    }

    private func setAutoRead(_ isOn: Bool) {
        do {
            try channel?.syncOptions?.setOption(.autoRead, value: isOn)
        } catch {
            close()
        }
    }
}

/// The far one of a circuit's two sockets.
final class CircuitHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let circuit: Circuit

    init(_ circuit: Circuit) { self.circuit = circuit }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { circuit.pass(unwrapInboundIn(data)) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { circuit.room() }
    }

    func channelInactive(context: ChannelHandlerContext) { circuit.end() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { circuit.close() }
}

extension LinkTransport {
    /// Makes a link that a relay carries, over `wire`, and dials over it. `.secured` or `.closed` follows.
    /// - Returns: nil when nothing is dialled any more, or there is no socket: `.closed` was told.
    public func dial(
        through relay: NodeID, as id: ConnectionID, for protocol: LinkProtocol, over wire: any CircuitWire,
        on loop: any EventLoop
    ) -> Circuit? {
        let isDraining = state.withLock { state in
            if !state.isDraining { state.seats[id] = .dialling }
            return state.isDraining
        }
        guard !isDraining else {
            observer.connection(id, did: .closed(.drained))
            return nil
        }
        let remote = Endpoint(carriedBy: relay)
        return circuit(over: wire, on: loop) { channel in
            try self.connected(channel, id, remote, `protocol`, by: relay)
        } orElse: { error in
            self.dialFailed(id, error)
        }
    }

    /// Takes a link that `relay` brings over `wire`, as one that was accepted.
    /// - Parameter caller: who dials, as the relay says: one's unfinished handshakes are held against nobody
    ///   else that comes by the same relay.
    /// - Returns: nil when there is no socket.
    public func accept(
        from relay: NodeID, of caller: NodeID, over wire: any CircuitWire, on loop: any EventLoop
    ) -> Circuit? {
        let remote = Endpoint(carriedBy: relay)
        return circuit(over: wire, on: loop) { channel in
            try self.accept(channel, from: remote, counted: caller.description, by: relay)
        } orElse: { _ in
        }
    }

    /// A pair of sockets, with the link's handlers at one of them.
    private func circuit(
        over wire: any CircuitWire, on loop: any EventLoop,
        preparing prepare: @escaping @Sendable (any Channel) throws -> Void,
        orElse fail: @escaping @Sendable (any Error) -> Void
    ) -> Circuit? {
        loop.preconditionInEventLoop()
        let pair: (Int32, Int32)
        do throws(LinkError) {
            pair = try Self.socketPair()
        } catch {
            fail(error)
            return nil
        }
        let circuit = Circuit(wire, on: loop)
        let bound = NIOLoopBound(circuit, eventLoop: loop)
        let far = connected(pair.1, on: loop) { channel in
            try channel.pipeline.syncOperations.addHandler(CircuitHandler(bound.value))
        }
        far.whenSuccess { bound.value.opened($0) }
        let near = connected(pair.0, on: loop, prepare)
        near.and(far).whenFailure { error in
            fail(error)
            bound.value.close()
        }
        return circuit
    }

    /// A channel at one socket of a pair.
    private func connected(
        _ socket: Int32, on loop: any EventLoop,
        _ prepare: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .channelOption(.writeBufferWaterMark, value: writeWaterMark)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: Self.reads)
            .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try prepare(channel) } }
            .withConnectedSocket(socket)
    }

    private static func socketPair() throws(LinkError) -> (Int32, Int32) {
        var pair: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &pair) == 0 else {
            throw .noSocket(cause: String(cString: strerror(errno)).lowercased())
        }
        return (pair[0], pair[1])
    }
}

extension Endpoint {
    /// Where the far end of a link is that `relay` carries, as far as anybody knows.
    init(carriedBy relay: NodeID) { self.init(host: relay.description, port: 0) }
}
