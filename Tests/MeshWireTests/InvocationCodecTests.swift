import MeshBase
import MeshRouting
import Testing

@testable import MeshWire

@Suite("Heads of calls")
struct InvocationCodecTests {
    @Test("a call and an answer come back as they were written")
    func roundTrip() throws {
        var samples = Samples(seed: 1)
        for _ in 0..<500 {
            let call = samples.invocation()
            #expect(try InvocationCodec.invocation(from: InvocationCodec.encode(call)) == call)
            let answer = samples.answer()
            #expect(try InvocationCodec.answer(from: InvocationCodec.encode(answer)) == answer)
            let trailers = samples.headers()
            #expect(
                try ByteReader.over(
                    InvocationCodec.encode(trailers: trailers), InvocationCodec.trailers(from:)) == trailers)
        }
    }

    private func refused(_ change: (inout Invocation) -> Void) -> Bool {
        var samples = Samples(seed: 2)
        var call = samples.invocation()
        change(&call)
        do {
            _ = try InvocationCodec.encode(call)
            return false
        } catch {
            return true
        }
    }

    @Test("nothing leaves that could change the shape of an HTTP message")
    func refusesSmuggling() {
        #expect(!refused { _ in })
        for method in ["", "GE T", "GET\r", "GÉT", String(repeating: "A", count: 33)] {
            #expect(refused { $0.method = method })
        }
        for path in ["", "a", "http://a/", "/a b", "/a\r\nb", "/a?b", "/a#b", "/é", "/\0"] {
            #expect(refused { $0.path = path })
        }
        for query in ["a b", "a#b", "a\n", "é"] { #expect(refused { $0.query = query }) }
        for name in ["", "Upper", "a b", "a:", "é", "a\r\n"] {
            #expect(refused { $0.headers = [HeaderField(name, "v")] })
        }
        for value in ["a\r\nb", "a\nb", "a\0", "\u{7f}", " a", "a\t"] {
            #expect(refused { $0.headers = [HeaderField("n", value)] })
        }
        #expect(refused { $0.attempt = 0 })
        #expect(refused { $0.idempotencyKey = "" })
        #expect(refused { $0.idempotencyKey = String(repeating: "k", count: 129) })
        #expect(refused { $0.traceparent = "00-XY" })
        #expect(refused { $0.principal = Principal("e\u{301}")! })
        #expect(refused { $0.headers = [HeaderField](repeating: HeaderField("a", "b"), count: 129) })
        #expect(refused { $0.headers = [HeaderField("a", String(repeating: "b", count: 32 * 1024))] })
    }

    @Test("what a consumer would not send, a provider does not take")
    func refusesSmuggled() throws {
        var samples = Samples(seed: 3)
        var call = samples.invocation()
        call.path = "/path-to-find"
        call.headers = [HeaderField("name-to-find", "value-to-find")]
        let bytes = try InvocationCodec.encode(call)
        func replaced(_ old: String, _ new: String) -> [UInt8] {
            let old = Array(old.utf8)
            let place = (0...bytes.count - old.count).first { Array(bytes[$0..<$0 + old.count]) == old }!
            return bytes[..<place] + Array(new.utf8) + bytes[(place + old.count)...]
        }
        #expect(
            try InvocationCodec.invocation(from: replaced("/path-to-find", "/path-to-seek")).path
                == "/path-to-seek")
        for path in ["/path to-find", "xpath-to-find", "/path?to-find", "/path\nto-find"] {
            #expect(throws: WireError.self) {
                try InvocationCodec.invocation(from: replaced("/path-to-find", path))
            }
        }
        for name in ["Name-to-find", "name:to-find"] {
            #expect(throws: WireError.self) {
                try InvocationCodec.invocation(from: replaced("name-to-find", name))
            }
        }
        #expect(throws: WireError.self) {
            try InvocationCodec.invocation(from: replaced("value-to-find", "value\rto-find"))
        }
    }

    @Test("a status is what a resource answers at last, or that a WebSocket is open")
    func statuses() throws {
        let known = try InvocationCodec.encode(.answered(status: 404, headers: []))
        for (status, isOne) in [
            (100, false), (101, true), (102, false), (199, false), (200, true), (599, true), (600, false),
        ] as [(UInt16, Bool)] {
            let answer = InvocationAnswer.answered(status: status, headers: [])
            #expect(((try? InvocationCodec.encode(answer)) != nil) == isOne)
            var bytes = known
            bytes[2...3] = [UInt8(status >> 8), UInt8(status & 0xff)]
            #expect(((try? InvocationCodec.answer(from: bytes)) != nil) == isOne)
        }
    }

    @Test("a flag that nobody knows is refused")
    func refusesUnknownFlags() throws {
        var samples = Samples(seed: 5)
        var call = samples.invocation()
        call.deadlineScope = .wholeCall
        var bytes = try InvocationCodec.encode(call)
        call.deadlineScope = .answerHead
        let flagged = try InvocationCodec.encode(call)
        let place = try #require(bytes.indices.first { bytes[$0] != flagged[$0] })
        bytes[place] |= 0x80
        #expect(throws: WireError.fieldRefused("flags", at: place)) {
            try InvocationCodec.invocation(from: bytes)
        }
    }

    @Test("no byte may be missing, none may follow, and another version says so")
    func isExact() throws {
        var samples = Samples(seed: 4)
        let bytes = try InvocationCodec.encode(samples.invocation())
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) {
                try InvocationCodec.invocation(from: Array(bytes.prefix(count)))
            }
        }
        #expect(throws: WireError.trailingBytes(at: bytes.count)) {
            try InvocationCodec.invocation(from: bytes + [0])
        }
        #expect(throws: WireError.versionUnknown(2)) {
            try InvocationCodec.invocation(from: [2] + bytes.dropFirst())
        }
        #expect(throws: WireError.tooLong(bytes: 32_769, limit: 32_768)) {
            try InvocationCodec.invocation(from: [UInt8](repeating: 1, count: 32_769))
        }
    }

    @Test("a length is written in as few bytes as it takes")
    func lengthsAreMinimal() throws {
        for length in [0, 1, 127, 128, 16_383, 16_384, 1 << 21 - 1] {
            var writer = ByteWriter(reserving: 4)
            writer.append(length: length)
            #expect(
                try ByteReader.over(writer.bytes) { (raw) throws(WireError) in
                    var reader = try ByteReader(raw, limit: 4)
                    return try reader.length()
                } == length)
        }
        for bytes: [UInt8] in [[0x80, 0], [0xff, 0x80, 0], [0xff, 0xff, 0xff], [0xff, 0xff, 0x80, 1]] {
            #expect(throws: WireError.fieldRefused("length", at: 0)) {
                try ByteReader.over(bytes) { (raw) throws(WireError) in
                    var reader = try ByteReader(raw, limit: 4)
                    return try reader.length()
                }
            }
        }
    }

    @Test("a refusal always has an encoding, and what was cut shows")
    func refusalsFit() throws {
        let long = Refusal(.pathRefused, [Fact("path", "\u{1b}[31m" + String(repeating: "é", count: 1000))])
        let many = [Refusal](
            repeating: Refusal(.agreementMissing, [Fact](repeating: Fact("a", "b"), count: 100)), count: 500)
        let bytes = try InvocationCodec.encode(.refused([long] + many, effect: .possible))
        guard case .refused(let refusals, .possible) = try InvocationCodec.answer(from: bytes) else {
            Issue.record("not a refusal")
            return
        }
        let value = refusals[0].facts[0].value
        #expect(value.utf8.count <= 256 && value.hasPrefix("\u{fffd}[31mé") && value.hasSuffix("…"))
        #expect(refusals.count < 100 && refusals.last?.facts.last?.name == "further refusals left out")
        #expect(refusals.last?.facts.last?.value == "\(501 - refusals.count)")
    }

    @Test("a refusal code of a later version does not make the answer unreadable")
    func takesLaterCodes() throws {
        var bytes = try InvocationCodec.encode(.refused([Refusal(.overloaded)], effect: .none))
        let place = bytes.count - 1 - "overloaded".utf8.count
        bytes.replaceSubrange(place..<place + 4, with: "umbr".utf8)
        #expect(
            try InvocationCodec.answer(from: bytes)
                == .refused([Refusal(.versionUnsupported, [Fact("code", "umbrloaded")])], effect: .none))
    }
}
