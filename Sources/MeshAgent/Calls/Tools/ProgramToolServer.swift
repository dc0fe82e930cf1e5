import MeshBase
import MeshMCP
import MeshRouting
import NIOCore
import NIOPosix

/// A session with an MCP server that this agent runs (Model Context Protocol 2025-06-18, "stdio"): each
/// message is a line. What is sent when is the machine's to say (`ToolSession`). Confined to one event loop.
///
///     idle --an order--> running, when it may be started once more (`ToolPrograms`)
///     running --its output ended, a line too long, nothing but noise, no session in `openingTime`--> idle:
///         whoever waits is told
///     running --nobody waits for `idleTime`, end()--> idle
///
/// Bounds: a line of `lineMax` bytes either way, `unreadMax` bytes that it has not read, `noiseMax` lines
/// that are no message between two answers.
final class ProgramToolServer: ToolServer {
    /// One run of the program.
    private final class Run {
        let process: ServerProcess
        var channel: (any Channel)?
        /// What is to be written once the channel is there.
        var early: [ByteBuffer] = []
        /// Bytes that it has not read.
        var unread = 0
        var noise = 0
        /// Whether it has begun a session.
        var isOpen = false
        var lines = LineReader(lineMax: ProgramToolServer.lineMax)

        init(_ process: ServerProcess) { self.process = process }
    }

    /// Bytes of one message of a server.
    static let lineMax = Limits.callBody
    /// Bytes of what it was told and has not read.
    static let unreadMax = 2 * Limits.callBody
    /// Lines that are no message before it is given up: what careless programs print.
    static let noiseMax = 64
    /// How long it may take to begin a session.
    private static let openingTime = TimeAmount.seconds(30)
    private static let idleTime = TimeAmount.minutes(10)

    private let name: ResourceName
    private let caller: NodeID?
    private let programs: ToolPrograms
    private let loop: any EventLoop
    private let feed = ToolSessionFeed()
    private var orders: [ToolSession.OrderID: (ToolSession.Outcome) -> Void] = [:]
    private var run: Run?
    private var rest: Scheduled<Void>?

    /// - Parameter name: as the configuration names it.
    init(_ name: ResourceName, for caller: NodeID?, among programs: ToolPrograms, on loop: any EventLoop) {
        self.name = name
        self.caller = caller
        self.programs = programs
        self.loop = loop
    }

    var isAtRest: Bool { feed.isAtRest }

    func order(
        _ order: ToolSession.Order, of fields: [HeaderField], within share: ToolShare,
        then: @escaping (ToolSession.Outcome) -> Void
    ) -> ToolSession.OrderID {
        rest?.cancel()
        let id = feed.nextOrder()
        orders[id] = then
        take(.ordered(id, order))
        return id
    }

    func withdraw(_ id: ToolSession.OrderID) {
        guard orders.removeValue(forKey: id) != nil else { return }
        take(.withdrawn(id))
        restLater()
    }

    func end() {
        rest?.cancel()
        stop(.lost("the session is over"))
    }

    // MARK: What happened

    private func take(_ input: ToolSession.Input) { feed.take(input) { perform($0) } }

    private func heard(_ bytes: ByteBuffer, from run: Run) {
        guard self.run === run else { return }
        guard let lines = run.lines.take(bytes.readableBytesView) else {
            return stop(.misbehaved("a line of more than \(Self.lineMax) bytes"))
        }
        for line in lines where self.run === run {
            do throws(RPCFlaw) {
                take(.received(try RPCMessage(line)))
            } catch {
                run.noise += 1
                if run.noise > Self.noiseMax {
                    return stop(.misbehaved("\(run.noise) lines that are no message (\(error))"))
                }
            }
        }
    }

    private func ended(_ run: Run) {
        guard self.run === run else { return }
        stop(.lost("the program ended"))
    }

    /// Whoever waits is told; the next order starts it anew.
    private func stop(_ failure: ToolFailure) {
        if let run {
            self.run = nil
            run.channel?.close(promise: nil)
            run.process.end()
        }
        take(.closed(failure))
    }

    private func restLater() {
        guard isAtRest, run != nil else { return }
        rest?.cancel()
        let bound = NIOLoopBound(self, eventLoop: loop)
        rest = loop.scheduleTask(in: Self.idleTime) {
            if bound.value.isAtRest { bound.value.end() }
        }
    }

    // MARK: What is to be done

    private func perform(_ effect: ToolSession.Effect) {
        switch effect {
        case .send(let number, let order, let bytes):
            // Only what begins a session starts the program.
            if order == nil, let failure = begin() { return take(.failed(number: number, failure, .none)) }
            if let failure = tell(bytes) { take(.failed(number: number, failure, .none)) }
        case .confirm(let number, let bytes):
            run?.isOpen = true
            // Standard input keeps the order of what is written, so what follows comes behind it.
            take(tell(bytes).map { .failed(number: number, $0, .none) } ?? .confirmed(number: number))
        case .tell(let bytes): _ = tell(bytes)
        case .drop: break
        case .settle(let id, let outcome):
            run?.noise = 0
            orders.removeValue(forKey: id)?(outcome)
            restLater()
        }
    }

    /// Writes a line; what is wrong where that cannot be.
    private func tell(_ bytes: [UInt8]) -> ToolFailure? {
        guard let run else { return .lost("the program ended") }
        guard run.unread + bytes.count <= Self.unreadMax else { return .crowded }
        run.unread += bytes.count
        var line = ByteBuffer()
        line.reserveCapacity(bytes.count + 1)
        line.writeBytes(bytes)
        line.writeInteger(UInt8(ascii: "\n"))
        guard let channel = run.channel else {
            run.early.append(line)
            return nil
        }
        write(line, to: run, through: channel)
        return nil
    }

    private func write(_ line: ByteBuffer, to run: Run, through channel: any Channel) {
        let bound = NIOLoopBound(run, eventLoop: loop)
        let length = line.readableBytes - 1
        channel.writeAndFlush(line).assumeIsolated().whenComplete { _ in bound.value.unread -= length }
    }

    /// Starts the program, where it does not run; why it does not.
    private func begin() -> ToolFailure? {
        guard run == nil else { return nil }
        let run: Run
        do throws(ToolFailure) {
            run = Run(try programs.start(name, for: caller, on: loop))
        } catch {
            return error
        }
        self.run = run
        open(run)
        let bound = NIOLoopBound((self, run), eventLoop: loop)
        loop.scheduleTask(in: Self.openingTime) {
            let (server, run) = bound.value
            guard server.run === run, !run.isOpen else { return }
            server.stop(.lost("it began no session"))
        }
        return nil
    }

    private func open(_ run: Run) {
        let ear = NIOLoopBound(
            Ear(
                hearing: { [weak self, weak run] bytes in
                    if let self, let run { self.heard(bytes, from: run) }
                },
                ending: { [weak self, weak run] in if let self, let run { self.ended(run) } }),
            eventLoop: loop)
        NIOPipeBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ear.value)
                }
            }
            .takingOwnershipOfDescriptors(input: run.process.output, output: run.process.input)
            .assumeIsolated()
            .whenComplete { [weak self] result in
                switch result {
                case .success(let channel):
                    guard let self, self.run === run else { return channel.close(promise: nil) }
                    run.channel = channel
                    for line in run.early { self.write(line, to: run, through: channel) }
                    run.early = []
                case .failure:
                    run.process.closeFiles()
                    self?.ended(run)
                }
            }
    }

    /// Hears what the program says.
    private final class Ear: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let hear: (ByteBuffer) -> Void
        private let end: () -> Void

        init(hearing hear: @escaping (ByteBuffer) -> Void, ending end: @escaping () -> Void) {
            self.hear = hear
            self.end = end
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { hear(unwrapInboundIn(data)) }

        func channelInactive(context: ChannelHandlerContext) { end() }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
