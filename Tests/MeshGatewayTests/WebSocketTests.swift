import Glibc
import MeshBase
import MeshRouting
import NIOCore
import Synchronization
import Testing

@testable import MeshGateway

/// WebSockets through the gateway: bytes that are no HTTP, both ways, once both ends want that.
@Suite struct GatewayWebSocketTests {
    private static let asking =
        "GET /mesh/B/chat/room?x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n"
        + "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        + "Sec-WebSocket-Version: 13\r\n\r\n"

    /// Opens what is asked for, and says what it hears.
    private static let opening: @Sendable (GatewayRequest, GatewayReply) -> Void = { request, reply in
        reply.resumeBody()
        reply.head(
            status: 101,
            headers: [
                HeaderField("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                HeaderField("content-length", "3"),
            ], correlation: nil)
        reply.body(ByteBuffer(string: "hello"))
    }

    @Test func passesBytesBothWaysAsTheyAre() async throws {
        try await Application.run(RecordingObserver(Self.opening)) { application async throws in
            let socket = try application.socket()
            socket.send(Self.asking)
            let head = socket.receive(until: "\r\n\r\n")
            #expect(
                head == "HTTP/1.1 101 Switching Protocols\r\n"
                    + "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
            )
            #expect(socket.receive(until: "hello") == "hello")
            // What would be a request, a chunk or the end of a body to HTTP is none.
            for said in ["GET /health HTTP/1.1\r\n\r\n", "0\r\n\r\n", "\u{0}\u{81}"] {
                socket.send(said)
                #expect(try await application.observer.wait { $0.chunks.joined().hasSuffix(said) })
            }
            let request = try #require(application.observer.requests.first)
            #expect(request.form == .mesh(method: "WEBSOCKET", path: "/room", query: "x=1"))
            #expect(request.delivery == .continued && request.bodyLength == nil)
            #expect(request.headers.map(\.name) == ["sec-websocket-key", "sec-websocket-version"])
            let reply = application.observer.told.withLock { $0.replies[0] }
            reply.body(ByteBuffer(string: "bye"))
            reply.end()
            #expect(socket.receiveAll() == "bye")
            #expect(application.observer.told.withLock { $0.ended == 0 && $0.cancelled.isEmpty })
        }
    }

    @Test func readsNothingBeforeSomebodyListens() async throws {
        let asked = RecordingObserver { _, _ in }
        try await Application.run(asked) { application async throws in
            let socket = try application.socket()
            // Behind the head in one go, and once more: neither is for whoever may refuse.
            socket.send(Self.asking + "early")
            #expect(try await asked.wait { !$0.requests.isEmpty })
            socket.send("GET /mesh/B/secret HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await Task.sleep(for: .milliseconds(100))
            #expect(asked.told.withLock { $0.chunks.isEmpty && $0.requests.count == 1 })
            let reply = asked.told.withLock { $0.replies[0] }
            reply.answer(status: 403, headers: [], body: ByteBuffer(string: "no"), correlation: nil)
            let answer = socket.answer()
            #expect(answer.status == 403 && answer.body == "no" && answer.fields["connection"] == "close")
            #expect(socket.receiveAll().isEmpty)
            #expect(asked.requests.count == 1)
        }
    }

    @Test func tellsThatTheApplicationLeft() async throws {
        try await Application.run(RecordingObserver(Self.opening)) { application async throws in
            do {
                let socket = try application.socket()
                socket.send(Self.asking)
                _ = socket.receive(until: "hello")
            }
            #expect(try await application.observer.wait { $0.cancelled.count == 1 })
        }
    }

    @Test(arguments: [
        "POST /mesh/B/chat HTTP/1.1\r\nContent-Length: 0\r\n",
        "GET /mesh/B/chat HTTP/1.1\r\nContent-Length: 2\r\n",
        "GET /mesh/B/chat HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
        "GET /mesh/B/chat HTTP/1.1\r\nIdempotency-Key: a\r\n",
        "GET /mesh/*/chat HTTP/1.1\r\n",
    ])
    func refusesWhatIsNoHandshake(line: String) async throws {
        try await Application.run(RecordingObserver(Self.opening)) { application async throws in
            let socket = try application.socket()
            socket.send(line + "Host: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
            if line.contains("Length: 2") { socket.send("ab") }
            if line.contains("chunked") { socket.send("0\r\n\r\n") }
            let answer = socket.answer()
            #expect(answer.status == 400 && answer.refusal == "request-malformed")
            #expect(application.observer.requests.isEmpty)
        }
    }

    @Test(arguments: [
        "GET /mesh/B/chat HTTP/1.0\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET /mesh/B/chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n",
        "GET /mesh/B/chat HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    ])
    func isAskedForInNoOtherWay(request: String) async throws {
        try await Application.run { application async throws in
            #expect(try application.ask(request).status == 200)
            let form = application.observer.requests.first?.form
            #expect(form == .mesh(method: "GET", path: "/", query: nil))
        }
    }

    @Test func isNothingThatWhoAsksForAPageIsGiven() async throws {
        let observer = RecordingObserver { request, reply in
            reply.head(status: 101, headers: [], correlation: nil)
        }
        try await Application.run(observer) { application async throws in
            #expect(try application.get("/mesh/B/o").refusal == "resource-misbehaved")
        }
    }
}

/// WebSockets of a resource.
@Suite struct ResourceWebSocketTests {
    private static let accepting =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"
        + "Sec-WebSocket-Accept: x\r\n\r\n"

    private final class Speaker: @unchecked Sendable {
        var exchange: ResourceExchange?
    }

    /// Asks for a WebSocket; `whenOpen` speaks on the event loop.
    private func ask(
        _ backend: Backend, whenOpen: @escaping @Sendable (ResourceExchange) -> Void
    ) async throws -> Answer {
        let url = ResourceURL("http://127.0.0.1:\(backend.port)/base")!
        let (collected, speaker) = (Collected(), Speaker())
        let (client, loop) = (backend.client, backend.loop)
        try await loop.submit {
            var request = Backend.request(url)
            request.method = WebSocketUpgrade.method
            request.headers = [
                HeaderField("sec-websocket-key", "k"), HeaderField("upgrade", "h2c"),
                HeaderField("connection", "x"),
            ]
            request.body = .streamed(length: nil)
            collected.onBodyWanted = { if let exchange = speaker.exchange { whenOpen(exchange) } }
            speaker.exchange = client.perform(request, on: loop, observer: collected)
        }.get()
        return await collected.whole()
    }

    @Test func asksByGetAndSpeaksAsItIsSpokenTo() async throws {
        let heard = Mutex("")
        let backend = try Backend { socket in
            let head = socket.receive(until: "\r\n\r\n")
            // What comes in one read with the head is said, too.
            socket.send(Self.accepting + "first ")
            let said = socket.receive(until: "END")
            heard.withLock { $0 = head + said }
            socket.send("HTTP/1.1 200 OK\r\n\r\n")
        }
        let answer = try await ask(backend) { exchange in
            #expect(exchange.send(ByteBuffer(string: "0\r\n\r\n")))
            #expect(exchange.send(ByteBuffer(string: "END")))
        }
        #expect(
            heard.withLock { $0 } == "GET /base HTTP/1.1\r\nhost: 127.0.0.1:\(backend.port)\r\n"
                + "sec-websocket-key: k\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n0\r\n\r\nEND")
        #expect(answer.status == 101 && answer.body == "first HTTP/1.1 200 OK\r\n\r\n")
        #expect(answer.headers == [HeaderField("sec-websocket-accept", "x")] && answer.failure == nil)
    }

    @Test func saysNothingToAResourceThatDoesNotWant() async throws {
        let rest = Mutex<String?>(nil)
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
            let more = socket.receiveAll()
            rest.withLock { $0 = more }
        }
        let answer = try await ask(backend) { exchange in
            Issue.record("a body was wanted")
            _ = exchange.send(ByteBuffer(string: "GET /secret HTTP/1.1\r\n\r\n"))
        }
        #expect(answer.status == 403 && answer.body == "no")
        for _ in 0..<200 where rest.withLock({ $0 == nil }) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(rest.withLock { $0 } == "")
    }

    @Test func tellsWhatWasSaidBeforeTheResourceHungUp() async throws {
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send(Self.accepting + "go")
            socket.send("ne")
        }
        for _ in 0..<30 {
            let answer = try await ask(backend) { _ in }
            #expect(answer.body == "gone" && answer.failure == nil)
        }
    }

    @Test func saysThatItSaysNoMore() async throws {
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send(Self.accepting)
            let all = socket.receiveAll()
            socket.send("heard \(all)")
        }
        let answer = try await ask(backend) { exchange in
            #expect(exchange.send(ByteBuffer(string: "abc")))
            exchange.finish(trailers: [])
        }
        #expect(answer.body == "heard abc" && answer.failure == nil)
    }

    @Test(arguments: [
        "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket, x\r\n\r\n",
        "HTTP/1.1 101 S\r\n\r\n", "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n",
    ])
    func takesNoOtherProtocol(answer: String) async throws {
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send(answer)
            _ = socket.receive()
        }
        let found = try await ask(backend) { _ in Issue.record("a body was wanted") }
        guard case .misbehaved = found.failure else {
            Issue.record("\(found)")
            return
        }
    }

    @Test func keepsNoPlaceFromRequests() async throws {
        let backend = try Backend { socket in
            let head = socket.receive(until: "\r\n\r\n")
            if head.contains("websocket") {
                socket.send(Self.accepting)
                _ = socket.receiveAll()
            } else {
                socket.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            }
        }
        var configuration = ResourceClientConfiguration()
        configuration.connectionLimit = 1
        let loop = backend.loop
        let client = ResourceClient(configuration, on: loop)
        let url = ResourceURL("http://127.0.0.1:\(backend.port)/base")!
        let (collected, speaker) = (Collected(), Speaker())
        let isOpen = Atomic(false)
        try await loop.submit {
            var request = Backend.request(url)
            request.method = WebSocketUpgrade.method
            request.body = .streamed(length: nil)
            collected.onBodyWanted = { isOpen.store(true, ordering: .releasing) }
            speaker.exchange = client.perform(request, on: loop, observer: collected)
        }.get()
        for _ in 0..<500 where !isOpen.load(ordering: .acquiring) {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(await backend.ask(client).body == "ok")
        try await loop.submit { _ = speaker.exchange?.cancel() }.get()
    }
}
