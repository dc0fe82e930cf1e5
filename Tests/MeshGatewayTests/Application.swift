import Foundation
import MeshBase
import MeshRouting
import NIOCore
import NIOPosix
import Synchronization

@testable import MeshGateway

/// Stands where the wiring will: remembers what it was told, and answers as it was asked to.
final class RecordingObserver: GatewayObserver {
    struct Told {
        var requests: [GatewayRequest] = []
        var replies: [GatewayReply] = []
        var chunks: [String] = []
        var ended = 0
        var trailers: [HeaderField] = []
        var cancelled: [GatewayRequestID] = []
        var flows: [AnswerFlow] = []
    }

    let told = Mutex(Told())
    private let respond: @Sendable (GatewayRequest, GatewayReply) -> Void

    init(_ respond: @escaping @Sendable (GatewayRequest, GatewayReply) -> Void = RecordingObserver.echo) {
        self.respond = respond
    }

    /// Answers with what was asked.
    static let echo: @Sendable (GatewayRequest, GatewayReply) -> Void = { request, reply in
        reply.answer(
            status: 200, headers: [HeaderField("content-type", "text/plain")],
            body: ByteBuffer(string: "\(request.peer)/\(request.resource) \(String(buffer: request.body))"),
            correlation: nil)
    }

    func requestArrived(_ request: GatewayRequest, reply: GatewayReply) {
        told.withLock {
            $0.requests.append(request)
            $0.replies.append(reply)
        }
        respond(request, reply)
    }

    func bodyArrived(_ chunk: ByteBuffer, of id: GatewayRequestID) {
        told.withLock { $0.chunks.append(String(buffer: chunk)) }
    }
    func bodyEnded(of id: GatewayRequestID, trailers: [HeaderField]) {
        told.withLock {
            $0.ended += 1
            $0.trailers = trailers
        }
    }
    func answerFlowChanged(_ flow: AnswerFlow, of id: GatewayRequestID) {
        told.withLock { $0.flows.append(flow) }
    }
    func cancelled(_ id: GatewayRequestID) { told.withLock { $0.cancelled.append(id) } }

    var requests: [GatewayRequest] { told.withLock { $0.requests } }

    /// Waits until what was told fulfils `condition`.
    func wait(until condition: (borrowing Told) -> Bool) async throws -> Bool {
        for _ in 0..<500 {
            if told.withLock({ condition($0) }) { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }
}

/// A gateway on a free port (and a Unix socket), its observer, and ways to speak to it.
struct Application {
    let server: GatewayServer
    let observer: RecordingObserver
    let port: UInt16
    let socketPath: String

    static func run(
        _ observer: RecordingObserver = RecordingObserver(), access: GatewayAccess = .open,
        adjust: (inout GatewayConfiguration) -> Void = { _ in },
        _ body: @Sendable (Application) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "gw-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("gateway.sock").path
        var configuration = GatewayConfiguration(
            endpoint: Endpoint(host: "127.0.0.1", port: 0), socketPath: path, access: access)
        configuration.lingerTime = .milliseconds(300)
        adjust(&configuration)
        let server = try await GatewayServer.start(
            configuration, on: MultiThreadedEventLoopGroup.singleton, observer: observer)
        let application = Application(
            server: server, observer: observer, port: server.endpoint!.port, socketPath: path)
        do {
            try await withTaskExecutorPreference(ThreadExecutor()) { try await body(application) }
        } catch {
            await server.close(grace: .milliseconds(100))
            throw error
        }
        await server.close(grace: .milliseconds(100))
    }

    func socket() throws -> RawSocket { try RawSocket(port: port) }

    /// Sends `request` on a connection of its own, and reads one answer.
    func ask(_ request: String) throws -> RawAnswer {
        let socket = try socket()
        socket.send(request)
        return socket.answer()
    }

    /// A GET of `target` with these further lines of head.
    func get(_ target: String, _ lines: String...) throws -> RawAnswer {
        try ask("GET \(target) HTTP/1.1\r\nHost: localhost\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n")
    }
}

/// A thread for each job: tests block in system calls, which would starve the few threads that tasks share.
final class ThreadExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
