import MeshBase
import MeshRouting
import NIOCore
import Synchronization
import Testing

@testable import MeshGateway

@Suite struct GatewayLimitsTests {
    /// A request whose head is exactly so long.
    private func request(headOf length: Int) -> String {
        let start = "GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nX-Pad: "
        return start + String(repeating: "p", count: length - start.utf8.count - 4) + "\r\n\r\n"
    }

    @Test func readsAHeadAtTheLimitAndRefusesOneBytePast() async throws {
        try await Application.run { application async throws in
            let limit = Limits.invocationHead
            #expect(try application.ask(request(headOf: limit)).status == 200)
            for length in [limit + 1, limit + 100, 200_000] {
                let answer = try application.ask(request(headOf: length))
                #expect(answer.status == 431 && answer.refusal == "head-too-large")
            }
        }
    }

    @Test func readsABodyAtTheLimitAndRefusesOneBytePast() async throws {
        let count = RecordingObserver { request, reply in
            reply.answer(
                status: 200, headers: [], body: ByteBuffer(string: "\(request.body.readableBytes)"),
                correlation: nil)
        }
        try await Application.run(count) { application async throws in
            let head = "POST /invoke/B/o HTTP/1.1\r\nHost: localhost\r\n"
            let limit = Limits.callBody
            let body = String(repeating: "b", count: limit)
            #expect(try application.ask(head + "Content-Length: \(limit)\r\n\r\n" + body).body == "\(limit)")
            #expect(
                try application.ask(head + "Content-Length: \(limit + 1)\r\n\r\n").refusal == "body-too-large"
            )
            let chunked =
                head + "Transfer-Encoding: chunked\r\n\r\n\(String(limit, radix: 16))\r\n" + body + "\r\n"
            #expect(try application.ask(chunked + "0\r\n\r\n").body == "\(limit)")
            let answer = try application.ask(chunked + "1\r\nb\r\n0\r\n\r\n")
            #expect(answer.status == 413 && answer.refusal == "body-too-large")
        }
    }

    @Test func invitesABodyThatItWillTakeAndNoOther() async throws {
        try await Application.run { application async throws in
            let socket = try application.socket()
            let head = "POST /invoke/B/o HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            socket.send(head + "Content-Length: 2\r\n\r\n")
            #expect(socket.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            socket.send("ab")
            #expect(socket.answer().body == "B/o ab")
            #expect(try application.ask(head + "Content-Length: 1048577\r\n\r\n").status == 413)
            let refused = try application.ask(
                "POST /x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(refused.status == 404)
            #expect(try application.get("/mesh/B/o", "Expect: magic").status == 417)
        }
    }

    @Test func cutsOffASlowHead() async throws {
        try await Application.run(adjust: { $0.headTime = .milliseconds(200) }) { application async throws in
            let socket = try application.socket()
            socket.send("GET /mesh/B/o HTTP/1.1\r\nHo")
            let answer = socket.answer()
            #expect(answer.status == 408 && answer.refusal == "request-malformed")
            #expect(socket.receiveAll().isEmpty)
        }
    }

    @Test func doesNotMistakeASecondRequestForASlowHead() async throws {
        try await Application.run(adjust: { $0.headTime = .milliseconds(800) }) { application async throws in
            let socket = try application.socket()
            for _ in 0..<3 {
                socket.send("GET /mesh/B/o HTTP/1.1\r\nHo")
                try await Task.sleep(for: .milliseconds(350))
                socket.send("st: localhost\r\n\r\n")
                #expect(socket.answer().status == 200)
            }
        }
    }

    @Test func closesAnIdleConnectionAndAStalledBody() async throws {
        try await Application.run(adjust: { $0.idleTime = .milliseconds(200) }) { application async throws in
            #expect(try application.socket().receiveAll().isEmpty)
            let socket = try application.socket()
            socket.send("POST /invoke/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
            #expect(socket.answer().status == 408)
        }
    }

    @Test func leavesAConnectionAloneWhileItsAnswerIsOwed() async throws {
        let late = RecordingObserver { request, reply in
            Task {
                try await Task.sleep(for: .milliseconds(1_200))
                RecordingObserver.echo(request, reply)
            }
        }
        try await Application.run(late, adjust: { $0.idleTime = .milliseconds(400) }) {
            application async throws in
            #expect(try application.get("/mesh/B/o").status == 200)
        }
    }

    @Test func closesConnectionsBeyondItsLimit() async throws {
        try await Application.run(adjust: { $0.connectionLimit = 1 }) { application async throws in
            let first = try application.socket()
            first.send("GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(first.answer().status == 200)
            #expect(try application.socket().receiveAll().isEmpty)
        }
    }

    @Test func letsTheLongestSilentConnectionYieldToANewcomer() async throws {
        try await Application.run(adjust: { $0.connectionLimit = 3 }) { application async throws in
            let speaker = try application.socket()
            speaker.send("GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(speaker.answer().status == 200)
            let silent = [try application.socket(), try application.socket()]
            #expect(try application.get("/mesh/B/o").status == 200)
            // Connections come to several event loops, so that either may have been first.
            var statuses: [Int] = []
            for socket in [speaker] + silent {
                socket.send("GET /mesh/B/o HTTP/1.1\r\nHost: localhost\r\n\r\n")
                statuses.append(socket.answer().status)
            }
            #expect(statuses[0] == 200)
            #expect(statuses[1...].sorted() == [0, 200])
        }
    }
}
