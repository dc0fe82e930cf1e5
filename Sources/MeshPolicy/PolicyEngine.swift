import AsyncHTTPClient
import Foundation
import MeshBase
import MeshNode
import MeshWire
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One policy engine that speaks Open Policy Agent's REST API: one question a call, one answer, bounded in
/// time and bytes (`POST /v1/data/RULE` with `{"input": ...}`; "Data API, Get a Document (with Input)").
///
/// Whatever is not a decision is a failure, and refuses the call: no result, another status, no time left, a
/// result that is neither true nor false nor an object with `allow`.
public struct PolicyEngine: Sendable {
    /// Bytes of an answer; a decision is small.
    static let answerMax = 64 * 1_024

    private let settings: PolicyEngineSettings
    private let http: HTTPClient

    /// - Throws: `PolicyEngineFailure` when the authorities are none.
    public init(_ settings: PolicyEngineSettings) throws(PolicyEngineFailure) {
        self.settings = settings
        var configuration = HTTPClient.Configuration()
        // What is asked of the engine is answered by it: nothing is followed elsewhere with the token, and
        // nothing small unfolds into something large.
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.timeout.connect = TimeAmount(Limits.connectTime)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        configuration.httpVersion = .http1Only
        if let authorities = settings.authorities {
            var tls = TLSConfiguration.makeClientConfiguration()
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authorities))
            } catch {
                throw PolicyEngineFailure(what: "the file of authorities holds no certificate in PEM")
            }
            configuration.tlsConfiguration = tls
        }
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Ends all connections.
    /// - Throws: `PolicyEngineFailure` when one does not close.
    public func close() async throws(PolicyEngineFailure) {
        do {
            try await http.shutdown()
        } catch {
            throw PolicyEngineFailure(what: "its connection did not close: \(error)")
        }
    }

    /// What the engine says of this call.
    /// - Parameters:
    ///   - correlation: the call's, so that the engine's own decision log can be joined with the audit.
    ///   - wall: this node's clock.
    ///   - patience: how long an answer is waited for.
    public func decide(
        _ question: ExternalQuestion, _ correlation: CorrelationID, at wall: WallTime,
        within patience: Duration
    ) async -> ExternalAnswer {
        var request = HTTPClientRequest(url: settings.url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        do throws(PolicyEngineFailure) {
            if let token = try settings.token() {
                request.headers.add(name: "Authorization", value: "Bearer \(token)")
            }
        } catch {
            return .failed(.unreachable)
        }
        do {
            let input = PolicyInput(question, correlation, at: wall)
            request.body = .bytes(try JSONEncoder().encode(["input": input]))
        } catch {
            return .failed(.unreachable)
        }
        return await answer(to: request, within: patience)
    }

    /// The client's own deadline ends with the answer's head: an engine that sends no more than that would
    /// keep its connection, and after 64 of them nobody could ask.
    private func answer(to request: HTTPClientRequest, within patience: Duration) async -> ExternalAnswer {
        await withTaskGroup(of: ExternalAnswer?.self) { race in
            race.addTask { await send(request) }
            race.addTask {
                do {
                    try await Task.sleep(for: patience)
                } catch {
                    return nil
                }
                return .failed(.late)
            }
            defer { race.cancelAll() }
            while let next = await race.next() {
                if let next { return next }
            }
            return .failed(.late)
        }
    }

    private func send(_ request: HTTPClientRequest) async -> ExternalAnswer {
        do {
            let response = try await http.execute(request, deadline: .distantFuture)
            guard response.status == .ok else { return .failed(.status(Int(response.status.code))) }
            let body = try await response.body.collect(upTo: Self.answerMax)
            return PolicyAnswer.read(Array(body.readableBytesView))
        } catch is NIOTooManyBytesError {
            return .failed(.malformed("longer than \(Self.answerMax) bytes"))
        } catch {
            return .failed(.unreachable)
        }
    }
}

/// Which engine is asked, and how.
public struct PolicyEngineSettings: Sendable {
    /// Where: `http://127.0.0.1:8181/v1/data/comity/allow`.
    public let url: String
    /// PEM of the authorities that may vouch for an `https://` engine; nil: those of the system.
    public let authorities: [UInt8]?
    /// The bearer token, read anew for each question, so that it may be changed under a running agent; nil:
    /// none.
    public let token: @Sendable () throws(PolicyEngineFailure) -> String?

    public init(
        url: String, authorities: [UInt8]? = nil,
        token: @escaping @Sendable () throws(PolicyEngineFailure) -> String? = {
            () throws(PolicyEngineFailure) in nil
        }
    ) {
        self.url = url
        self.authorities = authorities
        self.token = token
    }
}

/// Why an engine cannot be asked at all.
public struct PolicyEngineFailure: Error, Equatable, CustomStringConvertible {
    /// In words.
    public let what: String

    public init(what: String) { self.what = what }

    public var description: String { what }
}
