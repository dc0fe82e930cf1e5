import FoundationEssentials
import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import MeshBase
import NIOCore

/// The agent's end of the control API: HTTP/1.1 on a Unix socket that only its owner can open.
///
/// It knows no operation; `on` gives it one answerer for each. Whoever can open the socket may do everything,
/// so the socket is made in a folder of mode 0700 and gets mode 0600. What is running when `run` is cancelled
/// is cancelled too.
public struct ControlServer: Sendable {
    /// Names no answer: an operation that nobody answers is `operation-unknown`.
    private typealias Answerer = @Sendable (ByteBuffer) async -> Answer

    private struct Answer: Sendable {
        let status: HTTPResponse.Status
        let body: ByteBuffer
    }

    private let place: ControlSocketPath
    private var answerers: [String: Answerer] = [:]

    /// - Parameter place: where the socket is; its folder exists or can be made.
    public init(at place: ControlSocketPath) { self.place = place }

    /// The same server, answering one more operation.
    public func on<Operation: ControlOperation>(
        _ operation: Operation.Type,
        answer: @escaping @Sendable (Operation.Request) async throws(ControlFailure) -> Operation.Response
    ) -> ControlServer {
        precondition(answerers[Operation.path] == nil, "two answerers for \(Operation.path)")
        var server = self
        server.answerers[Operation.path] = { body in
            do throws(ControlFailure) {
                let request = try ControlCoding.decode(Operation.Request.self, from: body)
                return Answer(status: .ok, body: try ControlCoding.encode(try await answer(request)))
            } catch {
                return ControlServer.failed(error)
            }
        }
        return server
    }

    /// Listens and answers until the task is cancelled; then takes the socket away.
    /// - Parameter listening: called once the socket can be opened.
    /// - Throws: `ControlServerFailure` when the socket cannot be made; nothing is left behind then.
    public func run(listening: @escaping @Sendable () async -> Void = {}) async throws(ControlServerFailure) {
        do throws(ControlSocketPathFailure) {
            try place.prepare()
        } catch {
            throw .cannotListen(path: place.inHome, cause: error.description)
        }
        defer { place.remove() }
        let path = place.socket
        let server = self
        let silent = SilentConnections()
        let ending = ListenerEnding()
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in
                await server.respond(to: request)
            },
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [QuestionWatch(silent)],
                    idleTimeout: TimeAmount(ControlLimits.silence))),
            configuration: .init(
                address: .unixDomainSocket(path: path), serverName: "comity",
                availableConnectionsDelegate: ControlPlaces(ending)),
            onServerRunning: { listener in
                ending.listens(listener)
                if chmod(path, 0o600) == 0 { await listening() }
            },
            logger: ControlServer.silent)
        do {
            try await ending.run { try await application.run() }
        } catch {
            if Task.isCancelled || error is CancellationError { return }
            throw .cannotListen(path: path, cause: String(describing: error))
        }
    }

    private func respond(to request: Request) async -> Response {
        let answer = await answer(to: request)
        return Response(
            status: answer.status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: answer.body))
    }

    private func answer(to request: Request) async -> Answer {
        let prefix = "/v1/"
        let path = request.uri.path
        guard path.hasPrefix(prefix), let answerer = answerers[String(path.dropFirst(prefix.count))] else {
            return ControlServer.failed(
                ControlFailure(
                    .notFound, code: "operation-unknown", message: "this agent has no such operation",
                    facts: [Fact("path", String(path.prefix(256)))]))
        }
        guard request.method == .post else {
            return ControlServer.failed(
                ControlFailure(
                    .usage, code: "request-malformed", message: "every operation is a POST",
                    facts: [Fact("method", String(request.method.rawValue.prefix(32)))]))
        }
        do {
            return await answerer(try await collect(request.body))
        } catch is NIOTooManyBytesError {
            return ControlServer.failed(
                ControlFailure(
                    .refused, code: "body-too-large",
                    message: "the request is longer than the control API takes",
                    facts: [Fact("limit", "\(ControlLimits.request) bytes")]))
        } catch {
            return ControlServer.failed(
                ControlFailure(
                    .usage, code: "request-malformed", message: "the request ended before its body",
                    facts: [Fact("cause", String(describing: error))]))
        }
    }

    /// The whole body, if it comes in time.
    private func collect(_ body: RequestBody) async throws -> ByteBuffer {
        try await withThrowingTaskGroup(of: ByteBuffer?.self) { tasks in
            tasks.addTask { try await body.collect(upTo: ControlLimits.request) }
            tasks.addTask {
                try await Task.sleep(for: ControlLimits.questionTime)
                return nil
            }
            defer { tasks.cancelAll() }
            guard let first = try await tasks.next(), let whole = first else { throw QuestionLate() }
            return whole
        }
    }

    private static func failed(_ failure: ControlFailure) -> Answer {
        let status = HTTPResponse.Status(code: failure.httpStatus)
        do throws(ControlFailure) {
            return Answer(status: status, body: try ControlCoding.encode(failure))
        } catch {
            return Answer(status: status, body: ByteBuffer())
        }
    }

    /// The agent logs what it does itself; a line for each start of a server is noise to the person at the
    /// terminal.
    private static let silent: Logger = {
        var logger = Logger(label: "comity.control")
        logger.logLevel = .critical
        return logger
    }()
}

/// A question whose body did not come in time.
private struct QuestionLate: Error, CustomStringConvertible {
    var description: String { "it was not complete within \(ControlLimits.questionTime)" }
}

/// Why the control API cannot be served.
public enum ControlServerFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The socket cannot be made at this path.
    case cannotListen(path: String, cause: String)

    public var description: String {
        switch self {
        case .cannotListen(let path, let cause): "the control socket cannot be made at \(path): \(cause)"
        }
    }
}
