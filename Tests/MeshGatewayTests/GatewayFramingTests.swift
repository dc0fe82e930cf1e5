import MeshBase
import NIOCore
import Testing

@testable import MeshGateway

@Suite struct GatewayFramingTests {
    @Test(arguments: [
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: +4\r\n\r\nabcd",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4, 4\r\n\r\nabcd",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        "GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n folded\r\n\r\n",
        "GET /mesh/B/o HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        "GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n: empty\r\n\r\n",
        "GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nX-A: a\0b\r\n\r\n",
        "GET http://localhost/mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /mesh/B/o HTTP/2.0\r\nHost: localhost\r\n\r\n", "GET /mesh/B/o\r\n\r\n", "hello\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}",
        // What has made two readers differ elsewhere: a name with a space, a value with more than a token,
        // sizes that overflow or have a sign or a prefix, line ends that are none, a chunk with another end.
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x4\r\n\r\nabcd",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4 4\r\n\r\nabcd",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: -4\r\n\r\nabcd",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\nabcd",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length:\r\n\r\nabcd",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcGE0\r\n\r\n",
        "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n +3\r\nabc\r\n0\r\n\r\n",
        "GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nX-A: a\rContent-Length: 4\r\n\r\n",
        "GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nX-A\tB: a\r\n\r\n",
        "GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nX\u{e9}: a\r\n\r\n",
        "GET /mesh/B/o HTTP/1.1 \r\nHost: localhost\r\n\r\n",
        "GET\t/mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /mesh/B/o HTTP/1.2\r\nHost: localhost\r\n\r\n",

    ])
    func refusesWhatTwoReadersCouldFrameDifferently(request: String) async throws {
        try await Application.run { application async throws in
            let socket = try application.socket()
            socket.send(request)
            let answer = socket.answer()
            #expect(answer.status == 400 && answer.refusal == "request-malformed")
            #expect(answer.fields["connection"] == "close")
            #expect(socket.receiveAll().isEmpty)
            #expect(application.observer.requests.isEmpty)
        }
    }

    @Test func takesARepeatedEqualLengthForOne() async throws {
        // The decoder refuses even this; what matters is that nobody is handed a doubtful body.
        try await Application.run { application async throws in
            let answer = try application.ask(
                "POST /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab"
            )
            #expect(answer.status == 400 || answer.body == "B/o ab")
        }
    }

    @Test func neverReadsASmuggledSecondRequest() async throws {
        try await Application.run { application async throws in
            let socket = try application.socket()
            socket.send(
                "POST /mesh/B/first HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "0\r\n\r\nGET /mesh/B/second HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(socket.answer().refusal == "request-malformed")
            #expect(socket.receiveAll().isEmpty)
            #expect(application.observer.requests.isEmpty)
        }
    }

    @Test func answersPipelinedRequestsInTheirOrder() async throws {
        // The first answers last: from another thread, after the others have been read.
        let slowFirst = RecordingObserver { request, reply in
            guard request.resource == "r0" else { return RecordingObserver.echo(request, reply) }
            Task {
                try await Task.sleep(for: .milliseconds(50))
                RecordingObserver.echo(request, reply)
            }
        }
        try await Application.run(slowFirst) { application async throws in
            let socket = try application.socket()
            socket.send(
                (0..<200).map { number in
                    "POST /invoke/B/r\(number) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx"
                }.joined())
            for number in 0..<200 { #expect(socket.answer().body == "B/r\(number) x") }
        }
    }

    @Test func answersWhatCameBeforeAFault() async throws {
        try await Application.run { application async throws in
            let socket = try application.socket()
            socket.send(
                "GET /mesh/B/a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /mesh/B/b HTTP/1.1\r\nHost: localhost\r\n\r\nrubbish\r\n\r\n"
            )
            #expect(socket.answer().body == "B/a ")
            #expect(socket.answer().body == "B/b ")
            #expect(socket.answer().refusal == "request-malformed")
            #expect(socket.receiveAll().isEmpty)
        }
    }

    @Test func keepsAConnectionThroughARefusalWithABody() async throws {
        try await Application.run { application async throws in
            let socket = try application.socket()
            socket.send("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
            #expect(socket.answer().status == 404)
            socket.send("GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(socket.answer().status == 200)
        }
    }

    @Test func closesWhenAskedAndAfterHTTP10() async throws {
        try await Application.run { application async throws in
            for request in [
                "GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "GET /mesh/B/o HTTP/1.0\r\nHost: localhost\r\n\r\n",
                "GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
                // It names no protocol, and the decoder is as deaf after it.
                "GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: ,\r\n\r\n",
            ] {
                let socket = try application.socket()
                socket.send(request)
                let answer = socket.answer()
                #expect(answer.status == 200 && answer.fields["connection"] == "close")
                #expect(socket.receiveAll().isEmpty)
            }
        }
    }

    @Test func survivesASecondOfRandomBytes() async throws {
        try await Application.run { application async throws in
            var generator = SeededGenerator(seed: 42)
            let words = [
                "GET ", "POST ", "/mesh/B/o", "/health", " HTTP/1.1\r\n", "Host: localhost\r\n", "\r\n",
                "Content-Length: ", "5",
                "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "ffffffffffffffff\r\n", ": ", "\0",
                "Expect: 100-continue\r\n",
            ].map { Array($0.utf8) }
            let clock = ContinuousClock()
            let end = clock.now + .seconds(1)
            while clock.now < end {
                let socket = try application.socket()
                for _ in 0..<8 {
                    let isWord = generator.number(below: 4) > 0
                    socket.send(
                        isWord
                            ? words[Int(generator.number(below: UInt64(words.count)))]
                            : generator.bytes(Int(generator.number(below: 40))))
                }
            }
            #expect(try application.get("/health").status == 200)
        }
    }
}
