import AsyncHTTPClient
import Foundation
import MeshBase
import NIOCore
import NIOHTTP1

/// An application on some node's machine, which knows nothing but its own agent's gateway.
struct Application: Sendable {
    /// How the addresses begin that lead to it.
    let base: String

    init(gateway: Endpoint) { base = "http://\(gateway)" }

    /// By the socket in the home of the agent, which may be on another network than this process.
    init(home: String) {
        let socket = home + "/gateway.sock"
        base = "http+unix://" + (socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
    }

    /// What came back.
    struct Answer: Sendable {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        var correlation: CorrelationID? { headers["comity-correlation-id"].flatMap { CorrelationID($0) } }
        /// Why the mesh refused; nil when a resource answered.
        var code: RefusalCode? { headers["comity-refusal"].flatMap { RefusalCode(rawValue: $0) } }
    }

    /// `POST /invoke/...`
    func invoke(_ target: String, _ body: String = "{}", headers: [String: String] = [:]) async throws
        -> Answer
    {
        try await send(
            .POST, "/invoke/\(target)", Array(body.utf8),
            headers: headers.merging(["content-type": "application/json"]) { mine, _ in mine })
    }

    /// Any request at all.
    func send(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8] = [], headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        // With a socket's path for a host the client names none, and a gateway wants one.
        if base.hasPrefix("http+unix") { request.headers.add(name: "host", value: "localhost") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if !body.isEmpty { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let content = try await response.body.collect(upTo: 8 << 20)
        let fields = response.headers.map { ($0.name.lowercased(), $0.value) }
        return Answer(
            status: Int(response.status.code), headers: Dictionary(fields) { $1 },
            body: Array(content.readableBytesView))
    }
}

extension RunningAgent {
    /// Somebody on this agent's machine.
    var application: Application { Application(gateway: gateway) }
}
