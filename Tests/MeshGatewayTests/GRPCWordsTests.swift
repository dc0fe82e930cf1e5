import MeshBase
import NIOCore
import NIOHPACK
import Testing

@testable import MeshGateway

/// What gRPC writes its own way: times, names of servers, statuses; and how a connection begins.
@Suite struct GRPCWordsTests {
    @Test(
        arguments: [
            ("1n", Duration.nanoseconds(1)), ("20u", .microseconds(20)), ("1500m", .milliseconds(1_500)),
            ("7S", .seconds(7)), ("2M", .seconds(120)), ("99999999H", .seconds(99_999_999 * 3_600)),
            ("0S", .zero), ("00000001S", .seconds(1)),
        ])
    func readsATime(text: String, time: Duration) { #expect(GRPCTimeout.read(text) == time) }

    @Test(arguments: ["", "S", "1", "1s", "1 S", "-1S", "+1S", "1.5S", "123456789S", "1SS", "S1", "１S"])
    func refusesWhatIsNoTime(text: String) { #expect(GRPCTimeout.read(text) == nil) }

    @Test func writesATimeInMillisecondsOneAtLeast() {
        #expect(GRPCTimeout.text(.milliseconds(1_999)) == "1999m")
        #expect(GRPCTimeout.text(.seconds(600)) == "600000m")
        #expect(GRPCTimeout.text(.microseconds(1_999)) == "1m")
        #expect(GRPCTimeout.text(.seconds(-3)) == "1m")
        #expect(GRPCTimeout.text(.seconds(1_000_000_000)) == "99999999m")
    }

    @Test(
        arguments: [
            ("orders.A.mesh", "A", "orders"), ("or-d_1.any.mesh:7411", "any", "or-d_1"),
        ])
    func readsWhomAnAuthorityNames(text: String, peer: String, resource: String) throws {
        let target = try GRPCTarget(authority: text)
        #expect((target.peer, target.resource) == (peer, resource))
        #expect(GRPCTarget.isNamed(by: text))
        #expect(try GRPCTarget(field: "\(peer)/\(resource)") == target)
    }

    @Test(
        arguments: [
            "mesh", ".mesh", "a.mesh", "a.b.c.mesh", "a..mesh", ".b.mesh", "a.b.mesh.", "a.b.mesh:",
            "a.b.mesh:x",
            "a.b.mesh:123456", "u@a.b.mesh", "a.*.mesh", "A.b.mesh", "a.b.mesh/", "a.b.MESH",
        ])
    func refusesAnAuthorityThatCouldBeReadInTwoWays(text: String) {
        #expect(throws: RequestRefusal.self) { try GRPCTarget(authority: text) }
    }

    @Test(arguments: ["", "a", "a/", "/b", "a/b/c", "*/b", "a/B", "a b/c"])
    func refusesATargetThatIsNoPeerAndResource(text: String) {
        #expect(throws: RequestRefusal.self) { try GRPCTarget(field: text) }
    }

    @Test func tellsHTTP2ByItsWholePrefaceAndNothingShorter() {
        let preface = ConnectionPreface.bytes
        for count in 1..<preface.count {
            #expect(ConnectionPreface.read(preface.prefix(count)) == .undecided)
            for other in [UInt8(ascii: "x"), preface[count] ^ 0x20] {
                #expect(ConnectionPreface.read(preface.prefix(count) + [other]) == .http1)
            }
        }
        #expect(ConnectionPreface.read(preface) == .http2)
        #expect(ConnectionPreface.read(preface + [0, 1]) == .http2)
        #expect(ConnectionPreface.read(Array("POST / HTTP/1.1".utf8)) == .http1)
    }

    @Test func everyCodeHasAStatusAndOnlyWhatHadNoEffectInvitesToRepeat() {
        for code in RefusalCode.allCases {
            let (status, http) = (GRPCStatus(code), HTTPStatusTable.status(for: code))
            if status == .unavailable { #expect(http >= 502, "\(code)") }
            if http == 403 { #expect(status == .permissionDenied, "\(code)") }
        }
        let named: [(RefusalCode, GRPCStatus)] = [
            (.agreementMissing, .permissionDenied), (.capabilityUnknown, .unimplemented),
            (.peerNotFound, .notFound), (.outcomeUnknown, .unknown), (.resourceUnreachable, .unavailable),
            (.breakerOpen, .unavailable), (.overloaded, .unavailable), (.deadlineExceeded, .deadlineExceeded),
            (.resourceTimeout, .deadlineExceeded), (.rateExceeded, .resourceExhausted),
            (.tooManyCalls, .resourceExhausted),
            (.resourceMisbehaved, .internal), (.requestMalformed, .invalidArgument), (.cancelled, .cancelled),
            (.handshakeTimeout, .unavailable), (.correlationReused, .failedPrecondition),
        ]
        for (code, status) in named { #expect(GRPCStatus(code) == status, "\(code)") }
        #expect(GRPCStatus(.principalRefused, http: 401) == .unauthenticated)
    }

    @Test func aMessageSaysWhyAndWhatNextWithinItsLength() {
        let refusal = Refusal(.agreementMissing, [Fact("peer", "A"), Fact("note", "ü%")])
        let text = GRPCMessage.text(of: [refusal], cause: "nobody agreed", correlation: nil)
        #expect(
            text
                == "agreement-missing: nobody agreed (peer = A; note = ü%)."
                + " Next: comity explain agreement-missing"
        )
        #expect(GRPCMessage.escaped(text).contains("note = %C3%BC%25)"))
        let long = Refusal(.agreementMissing, [Fact("note", String(repeating: "ü", count: 5_000))])
        let cut = GRPCMessage.text(of: [long], cause: "", correlation: nil)
        #expect(cut.utf8.count <= GRPCMessage.lengthMax + 2)
        #expect(cut.hasSuffix("…. Next: comity explain agreement-missing"))
    }

    @Test(
        arguments: [
            ("grpc://h:1", "grpc://h:1"), ("grpc://127.0.0.1:80", "grpc://127.0.0.1:80"),
            ("grpc://[::1]:50051", "grpc://[::1]:50051"),
            ("grpc://unix:/run/a.sock", "grpc://unix:/run/a.sock"),
        ])
    func readsAURL(text: String, normal: String) throws {
        let url = try #require(ResourceURL(text))
        #expect(url.description == normal && url.isGRPC && url.path == "/")
        #expect(url != ResourceURL("http" + text.dropFirst(4)))
    }

    @Test(
        arguments: [
            "grpc://h", "grpc://h:1/", "grpc://h:1/a", "grpc://unix:/a:/", "grpc://unix:/a:/b",
            "grpc://u@h:1",
            "grpc://h:0", "grpcs://h:1", "GRPC://h:1", "grpc:h:1",
        ])
    func refusesAllElse(text: String) { #expect(ResourceURL(text) == nil) }
}

/// Heads of calls, one change away from one that is taken.
@Suite struct GRPCHeadTests {
    private let gate = RequestGate(transport: .port, access: .open, port: 7_411)

    private func admit(
        _ gate: RequestGate? = nil, _ adjust: (inout HPACKHeaders) -> Void = { _ in }
    ) throws(RequestRefusal) -> GatewayRequest {
        var head = GRPCDialogue.head()
        adjust(&head)
        return try (gate ?? self.gate).admit(
            head, id: GatewayRequestID(connection: 1, sequence: 1), at: .now())
    }

    private func refusal(_ adjust: (inout HPACKHeaders) -> Void) -> RequestRefusal? {
        do throws(RequestRefusal) {
            _ = try admit(nil, adjust)
            return nil
        } catch {
            return error
        }
    }

    @Test func takesACallAndWhatItSays() throws {
        let request = try admit { head in
            head.add(name: "grpc-timeout", value: "1500m")
            head.add(name: "x-meta", value: "1")
            head.add(name: "x-meta", value: "2")
            head.add(name: "some-bin", value: "AP+A")
            head.add(name: "comity-principal", value: "me")
            head.add(name: "comity-caller", value: "another")
            head.add(name: "idempotency-key", value: "k")
            head.add(name: "content-length", value: "5")
        }
        #expect((request.peer, request.resource) == ("B", "o"))
        #expect(request.form == .mesh(method: "POST", path: "/s.S/M", query: nil))
        #expect(request.deadline == .milliseconds(1_500) && request.idempotencyKey == nil)
        #expect(request.claimedPrincipal?.description == "me")
        #expect(
            request.headers.map { "\($0.name)=\($0.value)" } == [
                "content-type=application/grpc", "x-meta=1", "x-meta=2", "some-bin=AP+A", "idempotency-key=k",
            ])
    }

    @Test func takesTheShorterOfTwoTimesAndTenMinutesAtMost() throws {
        func deadline(_ grpc: String, _ own: String?) throws -> Duration? {
            try admit { head in
                head.add(name: "grpc-timeout", value: grpc)
                if let own { head.add(name: "comity-deadline", value: own) }
            }.deadline
        }
        #expect(try deadline("5S", "2s") == .seconds(2))
        #expect(try deadline("1S", "2s") == .seconds(1))
        #expect(try deadline("99H", nil) == Limits.callDeadlineMax)
        #expect(try deadline("0n", nil) == .nanoseconds(1))
    }

    @Test func namesPeerAndResourceInMetadataUnderItsOwnHostAlone() throws {
        for host in ["127.0.0.1:7411", "localhost", "[::1]:7411"] {
            let request = try admit { head in
                head.replaceOrAdd(name: ":authority", value: host)
                head.add(name: "comity-target", value: "my.node/my.orders")
            }
            #expect((request.peer, request.resource) == ("my.node", "my.orders"))
        }
        let foreign = refusal { head in
            head.replaceOrAdd(name: ":authority", value: "evil.example")
            head.add(name: "comity-target", value: "B/o")
        }
        #expect(foreign?.refusal.code == .hostRefused)
        #expect(
            refusal { $0.replaceOrAdd(name: ":authority", value: "localhost") }?.refusal.code == .hostRefused)
        #expect(refusal { $0.add(name: "comity-target", value: "B/o") }?.refusal.code == .requestMalformed)
    }

    @Test(
        arguments: [
            (":path", "/s.S/M?x=1", RefusalCode.pathRefused), (":path", "/s.S", .pathRefused),
            (":path", "/s.S/../M", .pathRefused), (":path", "/s.S%2fM/a", .pathRefused),
            (":path", "s.S/M", .pathRefused), (":path", "http://h/s.S/M", .pathRefused),
            (":path", "/health", .pathRefused), (":method", "GET", .requestMalformed),
            (":method", "CONNECT", .requestMalformed), (":scheme", "ftp", .requestMalformed),
            (":authority", "a.b.c.mesh", .requestMalformed), (":authority", "o.B.mesh.evil", .hostRefused),
            ("te", "gzip", .requestMalformed),
        ])
    func refusesWhatCouldBeReadInTwoWays(name: String, value: String, code: RefusalCode) {
        #expect(refusal { $0.replaceOrAdd(name: name, value: value) }?.refusal.code == code)
    }

    @Test(
        arguments: [
            ("grpc-timeout", "soon", RefusalCode.requestMalformed),
            ("connection", "close", .requestMalformed),
            ("transfer-encoding", "chunked", .requestMalformed), ("upgrade", "x", .requestMalformed),
            ("keep-alive", "1", .requestMalformed), ("proxy-connection", "x", .requestMalformed),
            (":protocol", "websocket", .requestMalformed), (":path", "/s.S/N", .requestMalformed),
            (":authority", "o.C.mesh", .requestMalformed),
            ("content-type", "application/grpc", .requestMalformed),
            ("host", "o.C.mesh", .requestMalformed), ("X-Upper\r\n", "x", .requestMalformed),
            ("x-line", "a\r\nb: c", .requestMalformed), ("x-nul", "a\0", .requestMalformed),
            ("origin", "http://evil.example", .originRefused),
            ("sec-fetch-site", "cross-site", .originRefused),
            ("x-long", String(repeating: "x", count: 33_000), .headTooLarge),
        ])
    func refusesAFieldThatMayNotStandThere(name: String, value: String, code: RefusalCode) {
        #expect(refusal { $0.add(name: name, value: value) }?.refusal.code == code)
    }

    @Test func isForGRPCAlone() throws {
        for type in ["application/json", "application/grpc-web", "application/grpcx", ""] {
            #expect(refusal { $0.replaceOrAdd(name: "content-type", value: type) }?.status == 415, "\(type)")
        }
        #expect(refusal { $0.remove(name: "content-type") }?.status == 415)
        for type in ["application/grpc+proto", "application/grpc;a=b", "Application/gRPC"] {
            _ = try admit { $0.replaceOrAdd(name: "content-type", value: type) }
        }
    }

    @Test func asksForTheTokenWhereThePortDoes() throws {
        let access = GatewayAccess.token(digest: Digest(Array(repeating: 7, count: 32))!) { bytes in
            Digest(Array(repeating: bytes == Array("right".utf8) ? 7 : 8, count: 32))!
        }
        let gate = RequestGate(transport: .port, access: access, port: 7_411)
        #expect(throws: RequestRefusal.self) { try admit(gate) }
        let request = try admit(gate) { $0.add(name: "authorization", value: "Bearer right") }
        #expect(!request.headers.contains { $0.name == "authorization" })
    }
}
