import MeshBase
import MeshRouting
import NIOCore
import NIOHPACK
import Testing

@testable import MeshGateway

/// The gateway as a gRPC server of applications.
@Suite struct GRPCDoorTests {
    private typealias Frames = GRPCDialogue

    private let silent: @Sendable (GatewayRequest, GatewayReply) -> Void = { _, _ in }
    /// Answers with the body, and a status behind it.
    private let echo: @Sendable (GatewayRequest, GatewayReply) -> Void = { request, reply in
        reply.head(
            status: 200, headers: [HeaderField("content-type", "application/grpc")], correlation: nil)
        reply.body(request.body)
        reply.end(trailers: [HeaderField("grpc-status", "0"), HeaderField("comity-caller", "me")])
    }

    @Test func answersACallWithHeadPiecesAndTrailers() async throws {
        let observer = RecordingObserver(echo)
        try await Application.run(observer) { application async throws in
            let wire = Frames(to: try application.socket())
            wire.together {
                $0.head(1)
                $0.data(1, "abc", end: true)
            }
            let head = try #require(wire.fields())
            #expect(head.fields.first(name: ":status") == "200" && !head.isLast)
            #expect(wire.frame(Frames.data)?.payload == Array("abc".utf8))
            let last = try #require(wire.fields())
            #expect(last.isLast && last.fields.map(\.name) == ["grpc-status"])
        }
    }

    @Test func tellsItsProtocolHoweverThePrefaceComes() async throws {
        let observer = RecordingObserver(echo)
        try await Application.run(observer) { application async throws in
            let socket = try application.socket()
            for byte in ConnectionPreface.bytes {
                socket.send([byte])
                try await Task.sleep(for: .milliseconds(1))
            }
            let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
            socket.send(settings)
            #expect(!socket.receive().isEmpty)
            let older = try application.socket()
            older.send("P")
            try await Task.sleep(for: .milliseconds(5))
            older.send("UT /mesh/B/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx")
            #expect(older.answer().status == 200)
        }
    }

    @Test func closesAConnectionThatSaysPartOfThePrefaceAndNoMore() async throws {
        try await Application.run(RecordingObserver(silent), adjust: { $0.headTime = .milliseconds(50) }) {
            application async throws in
            let socket = try application.socket()
            let began = ContinuousClock.now
            socket.send("PRI * HTTP/2.0\r\n")
            #expect(socket.receive().isEmpty)
            // And not because nothing was said for as long as the socket here waits, which is 5 s.
            #expect(ContinuousClock.now - began < .seconds(4))
        }
    }

    @Test func aRefusalIsAStatusWithItsReason() async throws {
        let observer = RecordingObserver { _, reply in
            reply.refuse([Refusal(.agreementMissing, [Fact("peer", "B")])], correlation: nil)
        }
        try await Application.run(observer, adjust: { $0.cause = { _ in "nobody agreed" } }) {
            application async throws in
            let wire = Frames(to: try application.socket())
            wire.together {
                $0.head(1)
                $0.data(1, "abc", end: true)
            }
            let (fields, isLast) = try #require(wire.fields())
            #expect(isLast && fields.first(name: ":status") == "200")
            #expect(fields.first(name: "grpc-status") == "7")
            #expect(fields.first(name: "comity-refusal") == "agreement-missing")
            #expect(
                fields.first(name: "grpc-message")
                    == "agreement-missing: nobody agreed (peer = B). Next: comity explain agreement-missing")
            wire.head(3, Frames.head(to: "evil.example"))
            #expect(wire.fields()?.fields.first(name: "grpc-status") == "7")
            // What of it has not come is not wanted.
            #expect(wire.frame(Frames.reset)?.code == 0)
            #expect(observer.requests.count == 1)
        }
    }

    @Test func anAnswerThatBreaksOffEndsWithAStatus() async throws {
        let observer = RecordingObserver { _, reply in
            reply.head(status: 200, headers: [], correlation: nil)
            reply.body(ByteBuffer(string: "half"))
            reply.refuse([Refusal(.outcomeUnknown)], correlation: nil)
        }
        try await Application.run(observer) { application async throws in
            let wire = Frames(to: try application.socket())
            wire.head(1, end: true)
            _ = wire.fields()
            #expect(wire.frame(Frames.data)?.payload == Array("half".utf8))
            let (fields, isLast) = try #require(wire.fields())
            #expect(isLast && fields.first(name: "grpc-status") == "2")
        }
    }

    @Test func aStatusInTheHeadIsTrailersAlone() async throws {
        let observer = RecordingObserver { _, reply in
            reply.head(status: 200, headers: [HeaderField("grpc-status", "5")], correlation: nil)
            reply.end(trailers: [])
        }
        try await Application.run(observer) { application async throws in
            let wire = Frames(to: try application.socket())
            wire.head(1, end: true)
            let (fields, isLast) = try #require(wire.fields())
            #expect(isLast && fields.first(name: "grpc-status") == "5")
        }
    }

    @Test func whatIsNoGRPCIsAnsweredAsHTTP() async throws {
        try await Application.run(RecordingObserver(silent)) { application async throws in
            let wire = Frames(to: try application.socket())
            wire.head(
                1, [":method": "GET", ":scheme": "http", ":path": "/health", ":authority": "localhost"],
                end: true)
            let (fields, isLast) = try #require(wire.fields())
            #expect(fields.first(name: ":status") == "415" && !isLast)
            let body = try #require(wire.frame(Frames.data))
            #expect(
                String(decoding: body.payload, as: UTF8.self).contains("request-malformed") && body.isLast)
        }
    }

    @Test func aBodyThatStreamsIsReadAsFastAsItIsTaken() async throws {
        let observer = RecordingObserver(silent)
        try await Application.run(observer) { application async throws in
            let wire = Frames(to: try application.socket())
            wire.together {
                $0.head(1)
                $0.data(1, "first")
            }
            #expect(try await observer.wait { $0.requests.count == 1 })
            let request = observer.requests[0]
            #expect(request.delivery == .continued && String(buffer: request.body) == "first")
            let piece = String(repeating: "x", count: 10_000)
            for _ in 0..<6 { wire.data(1, piece) }
            observer.told.withLock { $0.replies[0] }.resumeBody()
            #expect(try await observer.wait { $0.chunks.joined().utf8.count == 60_000 })
            wire.head(1, ["x-sum": "5", "content-length": "1"], end: true)
            #expect(try await observer.wait { $0.ended == 1 })
            #expect(observer.told.withLock { $0.trailers } == [HeaderField("x-sum", "5")])
            // And was given room again for what was taken.
            var update = wire.frame(Frames.windowUpdate)
            while update?.stream == 0 { update = wire.frame(Frames.windowUpdate) }
            #expect(update?.stream == 1)
        }
    }

    @Test func aCallBeyondItsWindowIsReset() async throws {
        try await Application.run(RecordingObserver(silent)) { application async throws in
            let wire = Frames(to: try application.socket())
            wire.head(1)
            let piece = String(repeating: "x", count: 16_384)
            for _ in 0..<5 { wire.data(1, piece) }
            #expect(wire.frame(Frames.reset).map { [$0.stream, $0.code ?? 0] } == [1, 3])
        }
    }

    @Test func aCallThatIsGivenUpIsCancelledAndNothingMoreIsSaidOfIt() async throws {
        let observer = RecordingObserver(silent)
        try await Application.run(observer) { application async throws in
            let wire = Frames(to: try application.socket())
            wire.head(1)
            #expect(try await observer.wait { $0.requests.count == 1 })
            wire.reset(1, 8)
            #expect(try await observer.wait { $0.cancelled.count == 1 })
            observer.answerAll()
            wire.head(3, end: true)
            #expect(try await observer.wait { $0.requests.count == 2 })
        }
    }

    @Test func whoReadsNoMoreHoldsTheAnswer() async throws {
        let observer = RecordingObserver { _, reply in
            reply.head(status: 200, headers: [], correlation: nil)
            for _ in 0..<20 { reply.body(ByteBuffer(repeating: 1, count: 10_000)) }
        }
        try await Application.run(observer) { application async throws in
            let wire = Frames(to: try application.socket())
            wire.head(1, end: true)
            #expect(try await observer.wait { $0.flows == [.held] })
            wire.send(Frames.windowUpdate, 0, 1, Frames.bytes(1_000_000))
            wire.send(Frames.windowUpdate, 0, 0, Frames.bytes(1_000_000))
            #expect(try await observer.wait { $0.flows == [.held, .open] })
        }
    }

    // MARK: Bounds

    @Test func takesCallsUpToTheNumberAndEndsTheConnectionForOneMore() async throws {
        let refusal: @Sendable (GatewayRequest, GatewayReply) -> Void = { request, reply in
            if case .whole = request.delivery { reply.refuse([Refusal(.draining)], correlation: nil) }
        }
        let observer = RecordingObserver(refusal)
        try await Application.run(observer) { application async throws in
            let wire = Frames(to: try application.socket())
            // Its settings hold from when it has read that they were taken, which is before this answer.
            wire.head(1, end: true)
            _ = wire.fields()
            let most = HTTP2Bounds.streamsMax
            for call in 1...most { wire.head(UInt32(2 * call + 1)) }
            #expect(try await observer.wait { $0.requests.count == most + 1 })
            wire.head(UInt32(2 * most + 3))
            #expect(wire.frame(Frames.goAway)?.code == 1)
            #expect(try await observer.wait { $0.cancelled.count == most })
        }
    }

    @Test func endsAConnectionThatGivesUpCallAfterCall() async throws {
        try await Application.run(RecordingObserver(silent)) { application async throws in
            let wire = Frames(to: try application.socket())
            for call in 0...HTTP2Bounds.resetsPerSecond {
                wire.head(UInt32(2 * call + 1))
                wire.reset(UInt32(2 * call + 1), 8)
            }
            #expect(wire.frame(Frames.goAway)?.code == Frames.enhanceYourCalm)
            #expect(wire.frame(Frames.goAway) == nil)
        }
    }

    @Test(arguments: [GRPCDialogue.ping, GRPCDialogue.settings])
    func endsAConnectionThatSaysNothingOfACallTooOften(type: UInt8) async throws {
        try await Application.run(RecordingObserver(silent)) { application async throws in
            let wire = Frames(to: try application.socket())
            for _ in 0...HTTP2Bounds.controlFramesPerSecond {
                wire.send(type, 0, 0, type == Frames.ping ? Array(repeating: 0, count: 8) : [])
            }
            #expect(wire.frame(Frames.goAway)?.code == Frames.enhanceYourCalm)
        }
    }

    @Test func endsAConnectionWhoseHeadGoesOnInTooManyFrames() async throws {
        try await Application.run(RecordingObserver(silent)) { application async throws in
            let wire = Frames(to: try application.socket())
            wire.send(Frames.headers, 0, 1, Frames.block(Frames.head()))
            for _ in 0...HTTP2Bounds.continuationsMax {
                wire.send(Frames.continuation, 0, 1, Frames.block(["x": "y"]))
            }
            #expect(wire.frame(Frames.goAway)?.code == Frames.enhanceYourCalm)
        }
    }

    @Test func takesAHeadUpToItsLengthAndEndsTheConnectionForALongerOne() async throws {
        let observer = RecordingObserver(echo)
        try await Application.run(observer) { application async throws in
            for (length, isTaken) in [(9_000, true), (9_600, false)] {
                let wire = Frames(to: try application.socket())
                // Its settings hold from when it has read that they were taken.
                wire.head(1, end: true)
                _ = wire.fields()
                var head = Frames.head()
                for number in 0..<(isTaken ? 3 : 4) {
                    head.add(name: "x-\(number)", value: String(repeating: "x", count: length))
                }
                let block = Frames.block(head)
                wire.send(Frames.headers, 1, 3, Array(block.prefix(16_000)))
                wire.send(Frames.continuation, 0, 3, Array(block.dropFirst(16_000).prefix(16_000)))
                wire.send(Frames.continuation, 4, 3, Array(block.dropFirst(32_000)))
                if isTaken {
                    #expect(try await observer.wait { $0.requests.count == 2 })
                } else {
                    #expect(wire.frame(Frames.goAway) != nil)
                }
            }
        }
    }

    @Test func endsAConnectionThatAsksForNothing() async throws {
        try await Application.run(RecordingObserver(echo), adjust: { $0.idleTime = .milliseconds(100) }) {
            application async throws in
            let wire = Frames(to: try application.socket())
            wire.head(1, end: true)
            _ = wire.fields()
            #expect(wire.frame(Frames.goAway)?.code == 0)
            #expect(wire.frame() == nil)
        }
    }

    @Test func letsACallFinishWhenItEndsAndTakesNoOther() async throws {
        let observer = RecordingObserver(silent)
        try await Application.run(observer) { application async throws in
            let wire = Frames(to: try application.socket())
            wire.head(1, end: true)
            #expect(try await observer.wait { $0.requests.count == 1 })
            async let closed: Void = application.server.close(grace: .seconds(5))
            #expect(wire.frame(Frames.goAway)?.code == 0)
            observer.answerAll()
            #expect(wire.fields() != nil)
            await closed
        }
    }
}
