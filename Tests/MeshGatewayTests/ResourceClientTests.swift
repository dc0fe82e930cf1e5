import Glibc
import MeshBase
import MeshRouting
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import MeshGateway

@Suite struct ResourceClientTests {
    @Test func asksTheResourceInTheCallersNameAndNothingElse() async throws {
        let backend = try Backend { socket in
            let head = socket.receive(until: "\r\n\r\n")
            socket.send("HTTP/1.1 200 OK\r\ncontent-length: \(head.utf8.count)\r\n\r\n" + head)
        }
        let answer = await backend.ask {
            $0.method = "PUT"
            $0.path = "/list"
            $0.query = "x=1"
            $0.headers = [
                HeaderField("x-ours", "1"), HeaderField("comity-caller", "forged"),
                HeaderField("host", "evil"),
                HeaderField("connection", "x-theirs"), HeaderField("x-theirs", "1"),
                HeaderField("content-length", "77"),
                HeaderField("traceparent", "theirs"), HeaderField("transfer-encoding", "chunked"),
            ]
            $0.added = [HeaderField("comity-caller", "nabc"), HeaderField("traceparent", "ours")]
        }
        #expect(
            answer.body == "PUT /base/list?x=1 HTTP/1.1\r\nhost: 127.0.0.1:\(backend.port)\r\nx-ours: 1\r\n"
                + "comity-caller: nabc\r\ntraceparent: ours\r\ncontent-length: 0\r\n\r\n")
    }

    @Test func streamsAnAnswerWithoutWhatConcernsTheConnection() async throws {
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send(
                "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n"
                    + "Comity-Refusal: forged\r\nConnection: x-b\r\nX-B: 2\r\n\r\n3\r\nabc\r\n")
            socket.send("2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n")
            _ = socket.receive()
        }
        let answer = await backend.ask()
        #expect(answer.status == 201 && answer.body == "abcde" && answer.failure == nil)
        #expect(answer.headers == [HeaderField("x-a", "1")] && answer.trailers == [HeaderField("x-sum", "5")])
    }

    @Test func usesAConnectionAgain() async throws {
        let backend = try Backend { socket in
            while case let head = socket.receive(until: "\r\n\r\n"), !head.isEmpty {
                let isHead = head.hasPrefix("HEAD")
                socket.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + (isHead ? "" : "ok"))
            }
        }
        for method in ["GET", "HEAD", "GET", "DELETE"] {
            #expect(await backend.ask { $0.method = method }.status == 200)
        }
        #expect(backend.connections == 1)
    }

    @Test func doesNotUseAConnectionThatTheResourceClosed() async throws {
        let mayClose = Atomic(false)
        let hasClosed = Atomic(false)
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            while !mayClose.load(ordering: .acquiring) { usleep(1_000) }
            shutdown(socket.descriptor, Int32(SHUT_RDWR))
            hasClosed.store(true, ordering: .releasing)
        }
        let (loop, url) = (backend.loop, ResourceURL("http://127.0.0.1:\(backend.port)")!)
        let client = ResourceClient(ResourceClientConfiguration(), on: loop)
        #expect(await backend.ask(client).body == "ok")
        // The loop is kept from hearing of it: only the kernel knows.
        let second = Collected()
        loop.execute {
            mayClose.store(true, ordering: .releasing)
            while !hasClosed.load(ordering: .acquiring) { usleep(1_000) }
            client.perform(Backend.request(url), on: loop, observer: second)
        }
        let answer = await second.whole()
        #expect(
            answer == Answer(status: 200, headers: [HeaderField("content-length", "2")], body: "ok", count: 2)
        )
        #expect(backend.connections == 2)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokH",
    ])
    func takesNothingThatFollowsAnAnswerForTheNext(answer: String) async throws {
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send(answer)
            _ = socket.receive(until: "\r\n\r\n")
            socket.send(" OK\r\ncontent-length: 4\r\n\r\nevil")
        }
        for _ in 0..<3 { #expect(await backend.ask().body == "ok") }
        #expect(backend.connections == 3)
    }

    @Test(arguments: [
        "rubbish\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 999 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: " + String(repeating: "y", count: 33_000) + "\r\n\r\n", "\u{16}\u{3}\u{1}",
    ])
    func passesNoRubbishOn(rubbish: String) async throws {
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send(rubbish)
            _ = socket.receive()
        }
        let answer = await backend.ask()
        guard case .misbehaved = answer.failure else {
            Issue.record("\(answer)")
            return
        }
        #expect(answer.failure?.effect == .possible && answer.status == nil)
    }

    @Test func failsWhenTheAnswerBreaksOff() async throws {
        let short = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
        }
        let broken = await short.ask()
        #expect(broken.failure == .lost(.possible) && broken.body == "abc")
    }

    @Test func givesUpWhenTheTimeIsOver() async throws {
        let silent = try Backend { socket in _ = socket.receiveAll() }
        let answer = await silent.ask { $0.timeout = .milliseconds(700) }
        #expect(answer.failure == .timedOut(.possible))
        // The same alarm, moved to a nearer and then to a further time.
        let slow = try Backend { socket in
            while !socket.receive(until: "\r\n\r\n").isEmpty {
                socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            }
        }
        for time in [5_000, 1_000, 5_000] {
            #expect(await slow.ask { $0.timeout = .milliseconds(time) }.status == 200)
        }
    }

    @Test func knowsThatNothingHappenedWhenNothingWasWritten() async throws {
        var backend: Backend? = try Backend { _ in }
        let url = ResourceURL("http://127.0.0.1:\(backend!.port)")!
        backend = nil
        let answer = await Backend.ask(url: url)
        #expect(answer.failure?.effect == PossibleEffect.none)
        guard case .unreachable = answer.failure else {
            Issue.record("\(answer)")
            return
        }
    }

    @Test(arguments: [
        HeaderField("x-a", "1\r\nx-b: 2"), HeaderField("x a", "1"), HeaderField("", "1"),
        HeaderField("x-a", "\0"),
    ])
    func writesNoFieldThatWouldEndItsLine(field: HeaderField) async throws {
        let backend = try Backend { _ in }
        #expect(await backend.ask { $0.headers = [field] }.failure == .requestInvalid("header field"))
        #expect(await backend.ask { $0.method = "GET /x HTTP/1.1\r\n" }.failure == .requestInvalid("method"))
        #expect(await backend.ask { $0.path = "/../x" }.failure == .requestInvalid("path"))
        #expect(await backend.ask { $0.query = "a b" }.failure == .requestInvalid("query"))
        #expect(backend.connections == 0)
    }

    @Test func boundsItsConnections() async throws {
        let silent = try Backend { socket in _ = socket.receiveAll() }
        var configuration = ResourceClientConfiguration()
        configuration.connectionLimit = 1
        configuration.waitingLimit = 0
        let client = ResourceClient(configuration, on: silent.loop)
        async let first = silent.ask(client) { $0.timeout = .milliseconds(1_000) }
        while silent.connections == 0 { try await Task.sleep(for: .milliseconds(5)) }
        let second = await silent.ask(client)
        #expect(second.failure == .exhausted(.host(Endpoint(host: "127.0.0.1", port: silent.port))))
        #expect(await first.failure == .timedOut(.possible))
    }

    @Test func closesUnusedConnectionsInTime() async throws {
        let closed = Atomic(0)
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            if socket.receive().isEmpty { closed.add(1, ordering: .relaxed) }
        }
        var configuration = ResourceClientConfiguration()
        configuration.idleTime = .milliseconds(50)
        let client = ResourceClient(configuration, on: backend.loop)
        #expect(await backend.ask(client).status == 200)
        for _ in 0..<200 where closed.load(ordering: .relaxed) == 0 {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(closed.load(ordering: .relaxed) == 1)
    }

    @Test func tellsNothingAfterACancellation() async throws {
        let asked = Atomic(false)
        let gone = Atomic(false)
        let silent = try Backend { socket in
            asked.store(!socket.receive(until: "\r\n\r\n").isEmpty, ordering: .relaxed)
            gone.store(socket.receiveAll().isEmpty, ordering: .relaxed)
        }
        let url = ResourceURL("http://127.0.0.1:\(silent.port)")!
        let client = ResourceClient(ResourceClientConfiguration(), on: silent.loop)
        let loop = silent.loop
        let answer = Collected()
        let exchange = try await loop.submit {
            NIOLoopBound(client.perform(Backend.request(url), on: loop, observer: answer), eventLoop: loop)
        }.get()
        while !asked.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await loop.submit { exchange.value.cancel() }.get() == .possible)
        for _ in 0..<200 where !gone.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(gone.load(ordering: .relaxed) && answer.told.withLock { $0 } == Answer())
    }

    @Test func readsNoMoreThanItIsAskedTo() async throws {
        let sent = Atomic(0)
        let flood = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send("HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n")
            for _ in 0..<500 {
                socket.send([UInt8](repeating: 1, count: 100_000))
                sent.add(1, ordering: .relaxed)
            }
        }
        let client = ResourceClient(ResourceClientConfiguration(), on: flood.loop)
        let loop = flood.loop
        let url = ResourceURL("http://127.0.0.1:\(flood.port)")!
        let answer = Collected()
        let exchange = try await loop.submit {
            let exchange = client.perform(Backend.request(url), on: loop, observer: answer)
            answer.onHead = { exchange.hold() }
            return NIOLoopBound(exchange, eventLoop: loop)
        }.get()
        try await Task.sleep(for: .milliseconds(300))
        #expect(sent.load(ordering: .relaxed) < 400)
        try await loop.submit { exchange.value.resume() }.get()
        #expect(await answer.whole().count == 50_000_000)
    }

    @Test func alwaysEndsWhateverTheResourceSays() async throws {
        let seeds = Atomic<UInt64>(1)
        let words = [
            "HTTP/1.1 200 OK\r\n", "HTTP/1.1 ", "100 Continue\r\n\r\n", "content-length: ", "5", "\r\n",
            "\r\n\r\n", "abc",
            "transfer-encoding: chunked\r\n", "0\r\n\r\n", "ffffffffffffffff\r\n", ": ", "\0",
            "connection: close\r\n",
        ].map { Array($0.utf8) }
        let backend = try Backend { socket in
            var generator = SeededGenerator(seed: seeds.add(1, ordering: .relaxed).newValue)
            _ = socket.receive(until: "\r\n\r\n")
            for _ in 0..<8 {
                let word = words[Int(generator.number(below: UInt64(words.count)))]
                socket.send(generator.number(below: 4) > 0 ? word : generator.bytes(9))
            }
        }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(1)
        while clock.now < end {
            let answer = await backend.ask { $0.timeout = .seconds(2) }
            #expect(answer.failure != nil || answer.status != nil)
        }
    }
}

@Suite struct ResourceURLTests {
    @Test(arguments: [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/"), ("http://localhost", "http://localhost/"),
        ("http://[::1]:80/a/", "http://[::1]/a/"), ("http://[::1]", "http://[::1]/"),
        ("http://h:1/%7ea", "http://h:1/~a"),
        ("http://unix:/run/a.sock", "http://unix:/run/a.sock"),
        ("http://unix:/run/a.sock:/", "http://unix:/run/a.sock"),
        ("http://unix:/run/a.sock:/v1/%7ea/", "http://unix:/run/a.sock:/v1/~a/"),
    ])
    func readsAURL(text: String, normal: String) { #expect(ResourceURL(text)?.description == normal) }

    @Test(arguments: [
        "", "http://", "https://h", "HTTP://h", "http://u@h/", "http://u:p@h/", "http://h/?q", "http://h/#f",
        "http://h:/",
        "http://h:0/", "http://h:65536/", "http://h:+1/", "http://::1/", "http://[h]/", "http://[::1",
        "http://[::1]x/",
        "http://unix:", "http://unix:a.sock", "http://unix:/", "http://unix:/run/", "http://unix:/a:b",
        "http://unix:/a:", "http://unix:/a:/../b", "http://unix:/a b", "http://unix:/a?q",
        "http://unix:/\u{e9}",
        "http://unix:/" + String(repeating: "a", count: 107),
        "http://h/../x", "http://h/a//b", "http://h /", "http://[fe80::1%25eth0]/", "http://h\r\nx/",
    ])
    func refusesAllElse(text: String) { #expect(ResourceURL(text) == nil) }

    @Test func readsOnlyWhatItWouldWriteTheSameWay() {
        var generator = SeededGenerator(seed: 7)
        let pieces = [
            "http://", "h", "[::1]", ":80", ":", "/", "..", "%2e", "%2f", "?", "#", "@", "a", "127.0.0.1",
            "\u{e9}", "unix:", "/s",
        ]
        for _ in 0..<20_000 {
            let count = generator.number(below: 7)
            let text = (0..<count).map { _ in pieces[Int(generator.number(below: UInt64(pieces.count)))] }
                .joined()
            guard let url = ResourceURL("http://" + text) else { continue }
            #expect(ResourceURL(url.description) == url)
        }
    }

    @Test func joinsPathsBeneathItself() {
        #expect(ResourceURL("http://h/a")?.target("/", query: nil) == "/a")
        #expect(ResourceURL("http://h/a/")?.target("/b", query: "q") == "/a/b?q")
        #expect(ResourceURL("http://h")?.target("/b/", query: nil) == "/b/")
        #expect(ResourceURL("http://unix:/s:/a")?.target("/b", query: "q") == "/a/b?q")
    }
}
