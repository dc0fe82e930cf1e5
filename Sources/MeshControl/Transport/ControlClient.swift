import AsyncHTTPClient
import FoundationEssentials
import Glibc
import MeshBase
import NIOCore
import NIOHTTP1
import NIOPosix

/// A command's end of the control API.
public struct ControlClient: Sendable {
    /// The home whose agent is asked.
    public let home: String
    private let socket: String
    private let http: HTTPClient

    /// Opens a client for the agent of `home`, and closes it when `body` ends. Nothing is connected before
    /// the first question.
    /// - Parameter home: an absolute path.
    public static func with<Result: Sendable>(
        home: String, _ body: @Sendable (ControlClient) async throws(ControlFailure) -> Result
    ) async throws(ControlFailure) -> Result {
        let client = ControlClient(home: home)
        do throws(ControlFailure) {
            let result = try await body(client)
            try await client.close()
            return result
        } catch {
            try await client.close()
            throw error
        }
    }

    private init(home: String) {
        self.home = home
        socket = ControlSocketPath.existing(home: home, name: "control.sock")
        http = UnixHTTP.client()
    }

    /// Asks one thing.
    /// - Parameter waiting: how long the operation may wait by itself, on top of the usual patience.
    /// - Throws: what the agent answered, or `agent-not-running` when nobody listens.
    public func ask<Operation: ControlOperation>(
        _ operation: Operation.Type, _ request: Operation.Request, waiting: Duration = .zero
    ) async throws(ControlFailure) -> Operation.Response {
        let body = try ControlCoding.encode(request)
        let answer = try await send(body, to: Operation.path, within: ControlLimits.patience + waiting)
        guard answer.status == 200 else {
            throw try ControlCoding.decode(ControlFailure.self, from: answer.body)
        }
        return try ControlCoding.decode(Operation.Response.self, from: answer.body)
    }

    /// Asks what takes nothing.
    public func ask<Operation: ControlOperation>(
        _ operation: Operation.Type
    ) async throws(ControlFailure) -> Operation.Response where Operation.Request == Nothing {
        try await ask(operation, Nothing())
    }

    private func send(
        _ body: ByteBuffer, to path: String, within patience: Duration
    ) async throws(ControlFailure) -> (status: UInt, body: ByteBuffer) {
        guard socket.utf8.count <= ControlSocketPath.longest, access(socket, F_OK) == 0 else {
            throw .agentNotRunning(home: home, found: "none")
        }
        var request = HTTPClientRequest(url: UnixHTTP.url(socket: socket, path: "/v1/" + path))
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(body)
        do {
            let response = try await execute(request, within: patience)
            return (response.status.code, try await response.body.collect(upTo: ControlLimits.answer))
        } catch let error as IOError where error.errnoCode == ECONNREFUSED || error.errnoCode == ENOENT {
            throw .agentNotRunning(home: home, found: "left by an agent that ended")
        } catch let error as IOError where error.errnoCode == EACCES {
            throw ControlFailure(
                .refused, code: "control-refused", message: "the control socket belongs to another user",
                facts: [Fact("socket", socket), Fact("user", "\(getuid())")])
        } catch {
            throw ControlFailure(
                .fault, code: "agent-fault", message: "the agent did not answer as it should",
                facts: [Fact("operation", path), Fact("cause", String(describing: error))],
                next: "comity status --home \(home)")
        }
    }

    /// A Unix socket whose queue of connections is full says so at once, where a port would let one wait: it
    /// is tried again, since the agent empties the queue as fast as it can.
    private func execute(
        _ request: HTTPClientRequest, within patience: Duration
    ) async throws -> HTTPClientResponse {
        let end = ContinuousClock.now + UnixHTTP.queueTime
        while true {
            do {
                return try await http.execute(request, timeout: TimeAmount(patience))
            } catch let error as IOError where error.errnoCode == EAGAIN && .now < end {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func close() async throws(ControlFailure) {
        do {
            try await http.shutdown()
        } catch {
            throw ControlFailure(
                .fault, code: "agent-fault", message: "the connection to the agent did not close",
                facts: [Fact("cause", String(describing: error))])
        }
    }
}

/// HTTP over a Unix socket, as the client library writes it.
enum UnixHTTP {
    /// How long a place in the queue of connections is waited for.
    static let queueTime: Duration = .seconds(5)

    /// A client that fails at once where nobody listens, follows nothing, and is told no proxy.
    static func client() -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// `http+unix://SOCKET/PATH` with the socket's path percent-encoded; `path` begins with `/` and is
    /// encoded already.
    static func url(socket: String, path: String) -> String {
        let host = socket.utf8.map { byte -> String in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                String(UnicodeScalar(byte))
            default: "%" + Hexadecimal.encode([byte])
            }
        }
        return "http+unix://" + host.joined() + path
    }
}
