import MeshBase
import MeshRouting
import NIOCore
import Testing

@testable import MeshGateway

/// Bodies of `/mesh` that pass on as they come.
@Suite struct GatewayStreamTests {
    private let head = "PUT /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n"
    private let silent: @Sendable (GatewayRequest, GatewayReply) -> Void = { _, _ in }
    private let willing: @Sendable (GatewayRequest, GatewayReply) -> Void = { _, reply in reply.resumeBody() }

    @Test func collectsADeclaredBodyAtTheLimitAndStreamsOneByteMore() async throws {
        let observer = RecordingObserver(willing)
        try await Application.run(observer, adjust: { $0.collectedBody = 4 }) { application async throws in
            let socket = try application.socket()
            socket.send(head + "Content-Length: 4\r\n\r\nab")
            try await Task.sleep(for: .milliseconds(30))
            #expect(observer.requests.isEmpty)
            socket.send("cd")
            #expect(try await observer.wait { $0.requests.count == 1 })
            #expect(
                observer.requests[0].delivery == .whole && String(buffer: observer.requests[0].body) == "abcd"
            )
            observer.answerAll()
            #expect(socket.answer().status == 204)
            socket.send(head + "Content-Length: 5\r\n\r\nab")
            #expect(try await observer.wait { $0.chunks == ["ab"] })
            #expect(observer.requests[1].delivery == .continued && observer.requests[1].bodyLength == 5)
            socket.send("cde")
            #expect(try await observer.wait { $0.chunks.joined() == "abcde" && $0.ended == 1 })
            observer.answerAll()
            #expect(socket.answer().status == 204)
        }
    }

    @Test func handsOverWhatHasComeWhenTheSenderPauses() async throws {
        let observer = RecordingObserver(willing)
        try await Application.run(observer) { application async throws in
            let socket = try application.socket()
            socket.send(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            #expect(try await observer.wait { $0.requests.count == 1 })
            #expect(observer.requests[0].delivery == .continued && observer.requests[0].bodyLength == nil)
            #expect(String(buffer: observer.requests[0].body) == "abc")
            socket.send("2\r\nde\r\n0\r\nX-Sum: 5\r\nContent-Type: a\r\nComity-Caller: me\r\n\r\n")
            #expect(try await observer.wait { $0.chunks == ["de"] && $0.ended == 1 })
            #expect(observer.told.withLock { $0.trailers } == [HeaderField("x-sum", "5")])
        }
    }

    @Test func handsOverWholeWhatComesInOneReadWithItsTrailers() async throws {
        let observer = RecordingObserver(silent)
        try await Application.run(observer) { application async throws in
            let socket = try application.socket()
            socket.send(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n")
            #expect(try await observer.wait { $0.requests.count == 1 })
            let request = observer.requests[0]
            #expect(request.delivery == .whole && request.trailers == [HeaderField("x-sum", "3")])
        }
    }

    @Test func readsNothingUntilItIsAskedTo() async throws {
        let observer = RecordingObserver(silent)
        try await Application.run(observer) { application async throws in
            let socket = try application.socket()
            let size = 64 << 20
            socket.send(head + "Content-Length: \(size)\r\n\r\n")
            #expect(try await observer.wait { $0.requests.count == 1 })
            let sending = Task.detached { socket.send([UInt8](repeating: 1, count: size)) }
            try await Task.sleep(for: .milliseconds(100))
            // What the read of the head brought with it may have come, and no more.
            #expect(observer.told.withLock { $0.received } <= 64 * 1024)
            let reply = observer.told.withLock { $0.replies[0] }
            reply.resumeBody()
            #expect(try await observer.wait { $0.received > 1 << 20 })
            reply.holdBody()
            try await Task.sleep(for: .milliseconds(50))
            let held = observer.told.withLock { $0.received }
            try await Task.sleep(for: .milliseconds(100))
            #expect(observer.told.withLock { $0.received } == held)
            reply.resumeBody()
            #expect(try await observer.wait { $0.received == size && $0.ended == 1 })
            await sending.value
        }
    }

    @Test func invitesABodyOnceItIsWanted() async throws {
        let observer = RecordingObserver(silent)
        try await Application.run(observer) { application async throws in
            let socket = try application.socket()
            socket.send(head + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(try await observer.wait { $0.requests.count == 1 })
            observer.told.withLock { $0.replies[0] }.resumeBody()
            #expect(socket.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            socket.send("ab")
            #expect(try await observer.wait { $0.received == 2 && $0.ended == 1 })
            observer.answerAll()
            #expect(socket.answer().status == 204)
        }
    }

    @Test func refusesWithoutInvitingWhatNobodyWants() async throws {
        let observer = RecordingObserver { _, reply in
            reply.refuse([Refusal(.agreementMissing)], correlation: nil)
        }
        try await Application.run(observer) { application async throws in
            let socket = try application.socket()
            socket.send(head + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(socket.answer().status == 403)
            #expect(socket.receiveAll().isEmpty)
        }
    }

    @Test func readsAndDropsALittleOfABodyThatWasAnsweredEarlyAndGoesOn() async throws {
        let observer = RecordingObserver { _, reply in
            reply.answer(status: 200, headers: [], body: ByteBuffer(string: "early"), correlation: nil)
        }
        try await Application.run(observer, adjust: { $0.bodyLimit = 1_000 }) { application async throws in
            let socket = try application.socket()
            let length = Limits.repeatableBody + 1
            socket.send(head + "Content-Length: \(length)\r\n\r\n")
            #expect(socket.answer().body == "early")
            socket.send([UInt8](repeating: 1, count: length))
            #expect(socket.receiveAll().isEmpty)
        }
        try await Application.run(observer) { application async throws in
            let socket = try application.socket()
            socket.send(head + "Content-Length: 100000\r\n\r\n")
            #expect(socket.answer().body == "early")
            socket.send([UInt8](repeating: 1, count: 100_000))
            socket.send("GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(socket.answer().body == "early")
        }
    }

    @Test func doesNotWaitForASenderThatIsHeld() async throws {
        let observer = RecordingObserver(silent)
        try await Application.run(observer, adjust: { $0.idleTime = .milliseconds(200) }) {
            application async throws in
            let socket = try application.socket()
            socket.send(head + "Content-Length: 100000\r\n\r\nabc")
            #expect(try await observer.wait { $0.requests.count == 1 })
            try await Task.sleep(for: .milliseconds(500))
            #expect(observer.told.withLock { $0.cancelled }.isEmpty)
            observer.told.withLock { $0.replies[0] }.resumeBody()
            // Now it is the sender who is silent.
            #expect(socket.answer().status == 408)
            #expect(observer.told.withLock { $0.cancelled }.count == 1)
        }
    }

    @Test func refusesABodyThatIsMostlyPadding() async throws {
        let observer = RecordingObserver(willing)
        try await Application.run(observer) { application async throws in
            let socket = try application.socket()
            socket.send(head + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            #expect(try await observer.wait { $0.requests.count == 1 })
            let padding = "1;" + String(repeating: "x", count: 20_000) + "\r\na\r\n"
            for _ in 0..<40 { socket.send(padding) }
            #expect(socket.answer().status == 400)
        }
    }

    @Test func beginsNoRequestWhileAnswersAreNotRead() async throws {
        let observer = RecordingObserver { _, reply in
            reply.answer(
                status: 200, headers: [], body: ByteBuffer(repeating: 1, count: 60_000), correlation: nil)
        }
        try await Application.run(observer) { application async throws in
            let socket = try application.socket()
            let asked = 3_000
            let sending = Task.detached {
                for _ in 0..<asked { socket.send("GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n") }
            }
            try await Task.sleep(for: .milliseconds(700))
            let begun = observer.requests.count
            // What the sockets of both sides hold, and then nothing.
            #expect(begun < 300)
            try await Task.sleep(for: .milliseconds(300))
            #expect(observer.requests.count == begun)
            let reading = Task.detached { while !socket.receive(max: 1 << 20).isEmpty {} }
            #expect(try await observer.wait { $0.requests.count == asked })
            await sending.value
            reading.cancel()
        }
    }

    @Test func takesOneRequestAfterTheOtherFromOneReadWhateverTheirBodies() async throws {
        let observer = RecordingObserver { request, reply in
            reply.resumeBody()
            reply.answer(
                status: 200, headers: [], body: ByteBuffer(string: "\(request.body.readableBytes)"),
                correlation: nil)
        }
        try await Application.run(observer) { application async throws in
            let socket = try application.socket()
            let chunked = head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            socket.send(chunked + head + "Content-Length: 2\r\n\r\nab" + chunked + head + "\r\n")
            #expect((0..<4).map { _ in socket.answer().body } == ["3", "2", "3", "0"])
        }
    }
}

extension RecordingObserver {
    /// Answers what has not been answered.
    func answerAll() {
        for reply in told.withLock({ $0.replies }) {
            reply.answer(status: 204, headers: [], body: ByteBuffer(), correlation: nil)
        }
    }
}

extension RecordingObserver.Told {
    /// Bytes of bodies that came, in all.
    fileprivate var received: Int {
        chunks.reduce(0) { $0 + $1.utf8.count } + requests.reduce(0) { $0 + $1.body.readableBytes }
    }
}
