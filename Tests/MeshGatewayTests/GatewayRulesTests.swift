import Glibc
import MeshBase
import MeshRouting
import NIOCore
import Testing

@testable import MeshGateway

@Suite struct GatewayRulesTests {
    @Test func answersHealthWithoutAskingAnybody() async throws {
        try await Application.run { application async throws in
            let answer = try application.get("/health")
            #expect(answer.status == 200 && answer.body == "ok\n")
            #expect(application.observer.requests.isEmpty)
        }
    }

    @Test func handsOverAnInvocationWithItsBody() async throws {
        try await Application.run { application async throws in
            let answer = try application.ask(
                "POST /invoke/B/orders/list HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 8\r\n\r\n{\"hi\":1}"
            )
            #expect(answer.body == "B/orders {\"hi\":1}")
            let request = try #require(application.observer.requests.first)
            #expect(request.form == .invoke(capability: "list"))
            #expect(request.transport == .port && request.delivery == .whole && request.deadline == nil)
        }
    }

    @Test func handsOverAnyMethodWithItsPathAndQuery() async throws {
        try await Application.run { application async throws in
            #expect(try application.get("/mesh/any/orders/a/%7Eb/?x=1&y=%2F").status == 200)
            #expect(try application.get("/mesh/any/orders").status == 200)
            let forms = application.observer.requests.map(\.form)
            #expect(forms[0] == .mesh(method: "GET", path: "/a/~b/", query: "x=1&y=%2F"))
            #expect(forms[1] == .mesh(method: "GET", path: "/", query: nil))
        }
    }

    @Test(arguments: [
        "/", "/other", "/invoke/B/orders", "/mesh/B", "/health/x", "/invoke/B/orders/list/more",
    ])
    func knowsNoOtherPaths(target: String) async throws {
        try await Application.run { application async throws in
            let answer = try application.get(target)
            #expect(answer.status == 404 && answer.refusal != nil)
        }
    }

    @Test(arguments: [
        "/mesh/B/orders/../x", "/mesh/B/orders/%2e%2e/x", "/mesh/B/orders/a%2fb", "/mesh/B/orders//x",
    ])
    func refusesPathsThatTwoReadersReadDifferently(target: String) async throws {
        try await Application.run { application async throws in
            let answer = try application.get(target)
            #expect(answer.status == 400 && answer.refusal == "path-refused")
            #expect(application.observer.requests.isEmpty)
        }
    }

    @Test func servesItsOwnHostNamesOnly() async throws {
        try await Application.run { application async throws in
            func ask(_ host: String) throws -> RawAnswer {
                try application.ask("GET /health HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            }
            for host in ["127.0.0.1", "[::1]", "localhost", "LOCALHOST"] {
                #expect(try ask(host).status == 200, "\(host)")
                #expect(try ask("\(host):\(application.port)").status == 200, "\(host) with port")
            }
            for host in ["evil.example", "127.0.0.1.evil.example", "localhost:1", "127.0.0.2", ""] {
                let answer = try ask(host)
                #expect(answer.status == 403 && answer.refusal == "host-refused", "\(host)")
            }
            #expect(try application.ask("GET /health HTTP/1.1\r\n\r\n").refusal == "request-malformed")
        }
    }

    @Test func servesNoBrowser() async throws {
        try await Application.run { application async throws in
            #expect(try application.get("/health", "Origin: null").refusal == "origin-refused")
            #expect(try application.get("/health", "Origin: http://localhost").refusal == "origin-refused")
            #expect(try application.get("/health", "Sec-Fetch-Site: same-origin").refusal == "origin-refused")
            #expect(try application.get("/health", "Sec-Fetch-Site: none").status == 200)
        }
    }

    @Test func readsItsOwnFieldsAndPassesNoneOfThemOn() async throws {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        try await Application.run { application async throws in
            _ = try application.get(
                "/mesh/B/orders", "Comity-Principal: alice", "Comity-Deadline: 500ms",
                "Comity-Caller: forged", "Comity-Sticky: s1",
                "Idempotency-Key: k1", "traceparent: \(trace)", "Connection: X-Mine, keep-alive", "X-Mine: 1",
                "X-Ours: 2",
                "TE: trailers", "Proxy-Authorization: p", "Authorization: Bearer theirs")
            let request = try #require(application.observer.requests.first)
            #expect(request.claimedPrincipal == Principal("alice") && request.deadline == .milliseconds(500))
            #expect(request.idempotencyKey == "k1" && request.traceparent == trace)
            #expect(request.stickyKey == "s1")
            #expect(
                request.headers == [
                    HeaderField("idempotency-key", "k1"), HeaderField("x-ours", "2"),
                    HeaderField("authorization", "Bearer theirs"),
                ])
        }
    }

    @Test func dropsATraceContextThatIsNone() async throws {
        try await Application.run { application async throws in
            _ = try application.get("/mesh/B/orders", "traceparent: 00-XX", "tracestate: a=b")
            let request = try #require(application.observer.requests.first)
            #expect(request.traceparent == nil && request.headers.isEmpty)
        }
    }

    @Test(arguments: [
        "Comity-Deadline: soon", "Comity-Deadline: 0s", "Comity-Deadline: 601s", "Comity-Principal: ",
        "Comity-Principal: a\r\nComity-Principal: b",
        "Idempotency-Key: \(String(repeating: "k", count: 129))", "Comity-Sticky: ",
        "Comity-Sticky: a\r\nComity-Sticky: b",
    ])
    func refusesFieldsOfItsOwnThatItCannotRead(lines: String) async throws {
        try await Application.run { application async throws in
            let answer = try application.get("/mesh/B/orders", lines)
            #expect(answer.status == 400 && answer.refusal == "request-malformed")
        }
    }

    @Test func acceptsAnIdempotencyKeyAndADeadlineAtTheirLimits() async throws {
        try await Application.run { application async throws in
            let key = String(repeating: "k", count: 128)
            #expect(
                try application.get("/mesh/B/o", "Idempotency-Key: \(key)", "Comity-Deadline: 10m").status
                    == 200)
            #expect(application.observer.requests.first?.deadline == .seconds(600))
        }
    }

    @Test func takesAStickyKeyOfAtMost128Bytes() async throws {
        try await Application.run { application async throws in
            for (count, status) in [(128, 200), (129, 400)] {
                let key = String(repeating: "k", count: count)
                #expect(try application.get("/mesh/B/o", "Comity-Sticky: \(key)").status == status)
            }
            #expect(application.observer.requests.map { $0.stickyKey?.utf8.count } == [128])
        }
    }

    @Test func demandsTheTokenOnThePortAndPassesItToNobody() async throws {
        let secret = Digest([UInt8](repeating: 7, count: 32))!
        let access = GatewayAccess.token(digest: secret) { $0 == Array("right".utf8) ? secret : .zero }
        try await Application.run(access: access) { application async throws in
            #expect(try application.get("/mesh/B/o").status == 401)
            #expect(
                try application.get("/mesh/B/o", "Authorization: Bearer wrong").refusal == "principal-refused"
            )
            #expect(try application.get("/mesh/B/o", "Authorization: Bearer right").status == 200)
            #expect(application.observer.requests.first?.headers == [])
            #expect(try application.get("/health").status == 200)
        }
    }

    @Test func tellsTheUserOfItsUnixSocketWhichNobodyElseMayOpen() async throws {
        try await Application.run { application async throws in
            var status = stat()
            #expect(stat(application.socketPath, &status) == 0 && status.st_mode & 0o777 == 0o600)
            let socket = try RawSocket(path: application.socketPath)
            socket.send("GET /mesh/B/o HTTP/1.1\r\nHost: whatever.example\r\n\r\n")
            #expect(socket.answer().status == 200)
            #expect(application.observer.requests.first?.transport == .unixSocket(uid: getuid()))
        }
    }

    @Test func saysWhyItRefusedInAFormThatProgramsRead() async throws {
        let correlation = CorrelationID(high: 1, low: 2)
        let refuse = RecordingObserver { _, reply in
            reply.refuse(
                [Refusal(.agreementExpired, [Fact("until", "\"then\"\n")]), Refusal(.breakerOpen)],
                correlation: correlation)
        }
        try await Application.run(refuse) { application async throws in
            let answer = try application.get("/mesh/B/o")
            #expect(answer.status == 403 && answer.refusal == "agreement-expired")
            #expect(answer.fields["comity-correlation-id"] == correlation.description)
            #expect(
                answer.body == """
                    {"code":"agreement-expired","reasons":[{"code":"agreement-expired",\
                    "facts":[{"name":"until",\
                    "value":"\\"then\\"\\n"}]},{"code":"breaker-open","facts":[]}],\
                    "correlation":"\(correlation)","next":"comity explain \(correlation)"}\n
                    """)
        }
    }

    @Test func hasAStatusForEveryCode() {
        for code in RefusalCode.allCases { #expect((400...599).contains(HTTPStatusTable.status(for: code))) }
        #expect(HTTPStatusTable.status(for: .resourceUnknown) == 404)
        #expect(HTTPStatusTable.status(for: .capabilityNotAgreed) == 403)
        #expect(HTTPStatusTable.status(for: .deadlineExceeded) == 504)
        #expect(HTTPStatusTable.status(for: .breakerOpen) == 503)
        #expect(HTTPStatusTable.status(for: .outcomeUnknown) == 502)
    }
}
