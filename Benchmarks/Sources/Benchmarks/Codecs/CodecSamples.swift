import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import MeshWire

/// What a small call of an application looks like on its way, with the headers that a browser-like client sends.
enum CodecSamples {
    static let headers = [
        HeaderField("accept", "application/json"), HeaderField("accept-encoding", "gzip, br"),
        HeaderField("accept-language", "en"), HeaderField("user-agent", "orders-client/4.2 (linux)"),
        HeaderField("x-request-id", "8d2f0c4e-1f61-4a54-9c0e-0d7d5c1f8a11"),
        HeaderField("cache-control", "no-cache"),
    ]

    static let invocation = Invocation(
        correlation: CorrelationID(high: 0x0190_1234_5678_7abc, low: 0x8def_0123_4567_89ab), attempt: 1,
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", agreement: digest(1),
        principal: .local, resource: CallWorld.resource("orders"), capability: CallWorld.resource("list"),
        method: "GET", path: "/list/2026/07", query: "page=2&size=50", headers: headers,
        remainingMilliseconds: 9_998, deadlineScope: .answerHead, idempotencyKey: nil, body: .none)

    static let answer = InvocationAnswer.answered(
        status: 200,
        headers: [
            HeaderField("content-type", "application/json"), HeaderField("content-length", "200"),
            HeaderField("cache-control", "no-store"),
            HeaderField("etag", "\"33a64df551425fcc55e4d42a148795d9\""),
        ])

    static let admitted = AuditRecord.admitted(
        AuditEvent(
            id: CorrelationID(high: 1, low: 2), time: WallTime(milliseconds: 1_800_000_000_000),
            type: .attempt,
            correlation: invocation.correlation, source: CallWorld.node(0), target: CallWorld.node(1),
            principal: .local, resource: invocation.resource, capability: invocation.capability,
            action: "invoke", success: false, agreement: digest(1), attempt: 1,
            traceparent: invocation.traceparent, metadata: [Fact("candidates", "peer-1 chosen")]))

    static let invite = Invite(
        inviter: CallWorld.node(1), endpoints: [Endpoint(host: "192.0.2.1", port: 7410)],
        secret: Octets([UInt8](repeating: 9, count: 16)), expires: WallTime(milliseconds: 1_800_000_000_000))

    static func agreement(resources: Int) -> Agreement {
        var generator = SeededGenerator(seed: 3)
        let start = WallTime(milliseconds: 1_800_000_000_000)
        let capabilities = ["buy", "list", "put"].map(CallWorld.resource)
        return Agreement(
            id: AgreementID(using: &generator), version: 3, source: CallWorld.node(0),
            target: CallWorld.node(1),
            grants: (0..<resources).map {
                Grant(resource: CallWorld.resource("orders-\(1_000 + $0)"), capabilities: capabilities)
            },
            validFrom: start, validUntil: start + .seconds(86_400), createdBy: CallWorld.node(0),
            created: start)
    }

    static func digest(_ seed: UInt64) -> Digest {
        var generator = SeededGenerator(seed: seed)
        guard let digest = Digest(generator.bytes(32)) else { preconditionFailure("32 bytes are a digest") }
        return digest
    }
}

/// What a head would be if a general coder wrote it: the same texts and numbers.
struct PlainHead: Codable, Sendable {
    struct Header: Codable, Sendable {
        let name: String
        let value: String
    }

    var correlation = "01901234-5678-7abc-8def-0123456789ab"
    var attempt = 1
    var traceparent: String? = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    var agreement: String? = String(repeating: "d", count: 43)
    var principal: String? = "local"
    var resource: String? = "orders"
    var capability: String? = "list"
    var method: String? = "GET"
    var path: String? = "/list/2026/07"
    var query: String? = "page=2&size=50"
    var status: Int?
    var headers: [Header] = CodecSamples.headers.map { Header(name: $0.name, value: $0.value) }
    var remaining: Int? = 9_998

    static let sample = PlainHead()
    static let answer = PlainHead(
        traceparent: nil, agreement: nil, principal: nil, resource: nil, capability: nil, method: nil,
        path: nil,
        query: nil, status: 200, headers: sample.headers.prefix(4).map { $0 }, remaining: nil)
}
