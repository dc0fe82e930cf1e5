import MeshBase
import NIOCore
import NIOHTTP2

/// One connection to a gRPC server.
///
///     dialling --connected--> open --go-away, a late call in silence--> retired --last call over--> gone
///     dialling --failed--> gone          open --unused for long, the server closes--> gone
///
/// What it is given while it is dialled waits; all of it is on one event loop.
final class GRPCLine {
    private enum State {
        case dialling([GRPCStream])
        case open(any Channel)
        case retired(any Channel)
        case gone
    }

    let address: ResourceAddress
    private var state = State.dialling([])
    private let idleTime: Duration
    private weak var pool: GRPCPool?
    private let loop: any EventLoop
    /// Calls that it carries.
    private var count = 0
    /// Streams that the server allows at once, as it said last.
    private var allowed = HTTP2Bounds.streamsMax
    /// When anything came from the server.
    private var lastHeard = NIODeadline.uptimeNanoseconds(0)
    /// The last stream that the server looks at, once it has said so.
    private var lastTaken: HTTP2StreamID?
    private var idleAlarm: Scheduled<Void>?
    /// Calls whose streams are being made: of the connection's end nobody else would tell them.
    private var opening: [ObjectIdentifier: GRPCStream] = [:]

    init(_ address: ResourceAddress, idleTime: Duration, of pool: GRPCPool, on loop: any EventLoop) {
        self.address = address
        self.idleTime = idleTime
        self.pool = pool
        self.loop = loop
    }

    /// Whether it takes one more call.
    var hasRoom: Bool {
        switch state {
        case .dialling, .open: count < min(allowed, HTTP2Bounds.streamsMax)
        case .retired, .gone: false
        }
    }

    /// Carries a call.
    func take(_ stream: GRPCStream) {
        count += 1
        idleAlarm?.cancel()
        idleAlarm = nil
        stream.begin(on: self)
        switch state {
        case .dialling(let waiting): state = .dialling(waiting + [stream])
        case .open(let channel): open(stream, on: channel)
        case .retired, .gone: preconditionFailure("a call was given to a connection without room")
        }
    }

    /// A call is over, and its stream with it.
    func leave(_ stream: GRPCStream) {
        opening[ObjectIdentifier(stream)] = nil
        count -= 1
        guard count == 0 else { return }
        switch state {
        case .dialling, .gone: break
        case .open:
            let bound = NIOLoopBound(self, eventLoop: loop)
            idleAlarm = loop.scheduleTask(in: TimeAmount(idleTime)) { bound.value.retire() }
        case .retired(let channel): channel.close(promise: nil)
        }
    }

    /// A call was given up for time. Where the server has said nothing since it began, it may have gone
    /// without a word, and no further call is to wait for it.
    func suspect(since began: NIODeadline) {
        if case .open = state, lastHeard < began { retire() }
    }

    /// Takes no more calls, and ends once it carries none.
    func retire() {
        idleAlarm?.cancel()
        pool?.forget(self)
        guard case .open(let channel) = state else { return }
        state = .retired(channel)
        if count == 0 { channel.close(promise: nil) }
    }

    /// Dialling is over.
    func dialled(_ result: Result<any Channel, any Error>, isKept: Bool) {
        guard case .dialling(let waiting) = state else { return }
        do {
            let channel = try result.get()
            state = .open(channel)
            for stream in waiting { open(stream, on: channel) }
            if count == 0 || !isKept { retire() }
        } catch {
            state = .gone
            pool?.forget(self)
            for stream in waiting { stream.fail(.unreachable(address, reason: "\(error)")) }
        }
    }

    /// The server said something.
    func heard() { lastHeard = .now() }

    /// The server says how many calls it takes at once.
    func allow(_ streams: Int) { allowed = streams }

    /// The server takes no more calls, and looked at none above `last` (RFC 9113 section 6.8).
    func takesNone(above last: HTTP2StreamID) {
        lastTaken = last
        retire()
    }

    /// Whether the server said that it never looked at this stream.
    func wasLeftOut(_ stream: HTTP2StreamID) -> Bool { lastTaken.map { stream > $0 } ?? false }

    /// The connection ended; each of its streams hears of that by itself.
    func ended() {
        state = .gone
        idleAlarm?.cancel()
        pool?.forget(self)
        for stream in Array(opening.values) { stream.fail(.lost(.none)) }
    }

    /// The stream of a call is there.
    func opened(_ stream: GRPCStream) { opening[ObjectIdentifier(stream)] = nil }

    private func open(_ stream: GRPCStream, on channel: any Channel) {
        guard !stream.isOver else { return }
        opening[ObjectIdentifier(stream)] = stream
        let bound = NIOLoopBound(stream, eventLoop: loop)
        do {
            let multiplexer = try channel.pipeline.syncOperations.handler(type: NIOHTTP2Handler.self)
                .syncMultiplexer()
            let made = multiplexer.createStreamChannel { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
            made.whenFailure { _ in bound.value.fail(.lost(.none)) }
        } catch {
            stream.fail(.lost(.none))
        }
    }
}

/// What of a connection to a gRPC server is about no single call. The last of its channel's handlers.
final class GRPCLineEnd: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let line: GRPCLine

    init(_ line: GRPCLine) { self.line = line }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        case .goAway(let last, _, _): line.takesNone(above: last)
        case .settings(.settings(let settings)):
            for setting in settings where setting.parameter == .maxConcurrentStreams {
                line.allow(setting.value)
            }
        case .settings, .data, .headers, .priority, .rstStream, .pushPromise, .ping, .windowUpdate,
            .alternativeService, .origin:
            break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        line.heard()
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !HTTP2Bounds.isOfOneStream(error) { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        line.ended()
        context.fireChannelInactive()
    }
}
