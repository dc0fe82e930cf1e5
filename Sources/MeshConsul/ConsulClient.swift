import AsyncHTTPClient
import MeshBase
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Asks one Consul server: one request, one answer, bounded in time and bytes.
struct ConsulClient: Sendable {
    /// What came back with status 200.
    struct Answer: Sendable {
        let body: [UInt8]
        /// `X-Consul-Index`; nil when there is none that is a number.
        let index: UInt64?
        /// The server says that ACLs kept something back.
        let isFiltered: Bool
    }

    /// Bytes of an answer that nobody reads but for its first words.
    private static let remarkMax = 1_024

    private let settings: ConsulSettings
    private let http: HTTPClient

    /// - Throws: `settings` when certificate or key are none.
    init(_ settings: ConsulSettings) throws(ConsulFailure) {
        self.settings = settings
        var configuration = HTTPClient.Configuration()
        // What is asked of Consul is answered by it, as it is: nothing is followed elsewhere with the token,
        // and nothing small unfolds into something large.
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.timeout.connect = TimeAmount(Limits.connectTime)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        if let tls = settings.tls { configuration.tlsConfiguration = try tls.configuration() }
        // Not on the agent's own loop: a witness that hangs is left behind when the agent ends, and a client
        // cannot be closed on a loop that is gone.
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Ends all connections.
    func close() async throws(ConsulFailure) {
        do {
            try await http.shutdown()
        } catch {
            throw .unreachable(cause: "its connection did not close: \(error)")
        }
    }

    /// What the server answers.
    /// - Throws: any `ConsulFailure`; `CancellationError` never: a cancelled task ends with `unreachable`.
    func ask(_ request: ConsulRequest, within patience: Duration) async throws(ConsulFailure) -> Answer {
        let prepared = try prepare(request)
        let result = await withTaskGroup(of: Result<Answer, ConsulFailure>?.self) { race in
            race.addTask { await send(prepared, expecting: request) }
            race.addTask {
                do {
                    try await Task.sleep(for: patience)
                } catch {
                    return nil
                }
                return .failure(.late(patience: patience))
            }
            defer { race.cancelAll() }
            while let next = await race.next() {
                if let next { return next }
            }
            return .failure(.unreachable(cause: "the question was given up"))
        }
        return try result.get()
    }

    private func prepare(_ request: ConsulRequest) throws(ConsulFailure) -> HTTPClientRequest {
        let scheme = settings.tls == nil ? "http" : "https"
        var prepared = HTTPClientRequest(
            url: "\(scheme)://\(settings.endpoint)\(request.target(settings))")
        prepared.method = request.isReading ? .GET : .PUT
        if let token = try settings.token() { prepared.headers.add(name: "X-Consul-Token", value: token) }
        if let body = try request.body(settings) {
            prepared.headers.add(name: "Content-Type", value: "application/json")
            prepared.body = .bytes(body)
        }
        return prepared
    }

    private func send(
        _ prepared: HTTPClientRequest, expecting request: ConsulRequest
    ) async -> Result<Answer, ConsulFailure> {
        do {
            let response = try await http.execute(prepared, deadline: .distantFuture)
            guard response.status == .ok else {
                return .failure(Self.failure(response.status, try await Self.remark(of: response.body)))
            }
            let limit = request.isReading ? ConsulListing.lengthInBytes : Self.remarkMax
            var body: [UInt8] = []
            for try await piece in response.body {
                guard body.count + piece.readableBytes <= limit else {
                    return .failure(.answerTooLong(limit: limit))
                }
                body += piece.readableBytesView
            }
            return .success(Answer(body: body, headers: response.headers))
        } catch {
            return .failure(.unreachable(cause: Self.cause(of: error)))
        }
    }

    private static func failure(_ status: HTTPResponseStatus, _ remark: String) -> ConsulFailure {
        switch status.code {
        case 403: .denied(what: remark)
        case 500...599: .unwell(status: status.code, says: remark)
        default: .unexpected(status: status.code, says: remark)
        }
    }

    /// The first words of a refusal, fit to be shown.
    private static func remark(of body: HTTPClientResponse.Body) async throws -> String {
        var bytes: [UInt8] = []
        for try await piece in body {
            bytes += piece.readableBytesView.prefix(remarkMax - bytes.count)
            if bytes.count >= remarkMax { break }
        }
        let shown = bytes.prefix(160).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: " ") }
        let text = String(decoding: shown, as: UTF8.self).split(separator: " ").joined(separator: " ")
        return text.isEmpty ? "nothing" : text
    }

    private static func cause(of error: any Error) -> String {
        let text = error is NIOConnectionError ? "the connection was refused or is impossible" : "\(error)"
        return String(text.prefix(160))
    }
}

extension ConsulClient.Answer {
    fileprivate init(body: [UInt8], headers: HTTPHeaders) {
        self.body = body
        let indices = headers["X-Consul-Index"]
        index = indices.count == 1 ? UInt64(indices[0]) : nil
        isFiltered = headers["X-Consul-Results-Filtered-By-ACLs"].contains("true")
    }
}

extension ConsulTLS {
    /// - Throws: `settings` when a PEM holds nothing of its kind.
    fileprivate func configuration() throws(ConsulFailure) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        do {
            if let authorities {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authorities))
            }
            if let identity {
                let chain = try NIOSSLCertificate.fromPEMBytes(identity.certificate)
                tls.certificateChain = chain.map { .certificate($0) }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: identity.key, format: .pem))
            }
            return tls
        } catch {
            throw .settings(what: "the files for TLS with Consul hold no PEM of their kind: \(error)")
        }
    }
}
