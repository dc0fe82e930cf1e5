import MeshBase
import MeshRouting
import Testing

@testable import MeshWire

/// Each field at its limit and one past it. A later field is drawn by `Samples`, so that these go on to hold.
@Suite("Bounds of what crosses a link")
struct BoundTests {
    private func crosses(_ change: (inout Invocation) -> Void) -> Bool {
        var samples = Samples(seed: 1)
        var call = samples.invocation()
        (call.query, call.headers, call.path) = (nil, [], "/")
        change(&call)
        var read: Invocation?
        let error = failure { read = try InvocationCodec.invocation(from: InvocationCodec.encode(call)) }
        return error == nil && read == call
    }

    private func failure(_ work: () throws -> Void) -> WireError? {
        do {
            try work()
            return nil
        } catch {
            return error as? WireError
        }
    }

    @Test("a method has 32 bytes, a trace context 128, a key 128, and none has one more")
    func fields() {
        #expect(crosses { $0.method = String(repeating: "M", count: 32) })
        #expect(!crosses { $0.method = String(repeating: "M", count: 33) })
        #expect(crosses { $0.traceparent = String(repeating: "0", count: 128) })
        #expect(!crosses { $0.traceparent = String(repeating: "0", count: 129) })
        #expect(crosses { $0.idempotencyKey = String(repeating: "k", count: Limits.idempotencyKey) })
        #expect(!crosses { $0.idempotencyKey = String(repeating: "k", count: Limits.idempotencyKey + 1) })
    }

    @Test("a head has 128 fields with names of 256 bytes, and not one more of either")
    func headers() {
        let field = HeaderField("a", "b")
        #expect(crosses { $0.headers = Array(repeating: field, count: 128) })
        #expect(!crosses { $0.headers = Array(repeating: field, count: 129) })
        #expect(crosses { $0.headers = [HeaderField(String(repeating: "n", count: 256), "")] })
        #expect(!crosses { $0.headers = [HeaderField(String(repeating: "n", count: 257), "")] })
    }

    @Test("a field that is longer than any writer writes is not read either")
    func readerHoldsItsOwn() throws {
        var samples = Samples(seed: 1)
        var call = samples.invocation()
        (call.query, call.headers, call.path) = (nil, [], "/")
        call.method = String(repeating: "M", count: 32)
        let bytes = try InvocationCodec.encode(call)
        let place = try #require(
            (1..<bytes.count).first { bytes[$0...].starts(with: Array(call.method.utf8)) })
        #expect(bytes[place - 1] == 32)
        let longer = bytes[..<(place - 1)] + [33, UInt8(ascii: "M")] + bytes[place...]
        #expect(failure { _ = try InvocationCodec.invocation(from: Array(longer)) } != nil)
    }

    @Test("a head has 32 KiB and not a byte more, whoever writes or reads it")
    func head() throws {
        var samples = Samples(seed: 1)
        var call = samples.invocation()
        call.path = "/"
        (call.query, call.headers) = (String(repeating: "q", count: 1_000), [])
        let rest = try InvocationCodec.encode(call).count - 1_000
        // Both lengths take three bytes or both take two: 16 384 is where it changes.
        call.query = String(repeating: "q", count: Limits.invocationHead - rest - 1)
        let bytes = try InvocationCodec.encode(call)
        #expect(bytes.count == Limits.invocationHead)
        #expect(try InvocationCodec.invocation(from: bytes) == call)
        call.query?.append("q")
        #expect(throws: WireError.tooLong(bytes: Limits.invocationHead + 1, limit: Limits.invocationHead)) {
            try InvocationCodec.encode(call)
        }
        #expect(throws: WireError.tooLong(bytes: Limits.invocationHead + 1, limit: Limits.invocationHead)) {
            try InvocationCodec.invocation(from: bytes + [0])
        }
    }

    @Test("a signed payload has 45 KiB and not a byte more")
    func payload() throws {
        for (count, isTaken) in [(Limits.documentPayload, true), (Limits.documentPayload + 1, false)] {
            let payload = [UInt8](repeating: 0x20, count: count - 12) + Array(#"{"text":"a"}"#.utf8)
            let signature = JWS.signature(
                Array(repeating: 1, count: 64), kind: .head, signer: Pin(Digest(Array(1...32))!),
                payload: payload)
            let bytes = try Document.encode(
                Signed(body: Text(text: "a"), payload: Octets(payload), signatures: [signature]))
            let error = failure {
                _ = try Document.decode(Signed<Text>.self, from: bytes, limit: 2 * Limits.framePayload)
            }
            #expect((error == nil) == isTaken)
        }
    }

    @Test("an mDNS record has 1024 bytes and not one more, a pair 255")
    func sighting() throws {
        let pairs = try #require(SightingText(tag: Octets(Array(1...8)))).pairs
        let room = SightingText.limit - pairs.reduce(0) { $0 + $1.count + 1 } - 3 * 256
        func padding(_ key: String, _ count: Int) -> [UInt8] {
            Array((key + "=").utf8) + Array(repeating: UInt8(ascii: "x"), count: count - 2)
        }
        let full = pairs + [padding("a", 255), padding("b", 255), padding("c", 255)]
        #expect(throws: Never.self) { try SightingText(pairs: full + [padding("d", room - 1)]) }
        #expect(throws: WireError.tooLong(bytes: 1_025, limit: 1_024)) {
            try SightingText(pairs: full + [padding("d", room)])
        }
        #expect(throws: WireError.tooLong(bytes: 256, limit: 255)) {
            try SightingText(pairs: pairs + [padding("a", 256)])
        }
    }

    @Test("an invite line is read up to 250 characters and not looked at beyond")
    func inviteLine() throws {
        let invite = Invite(
            inviter: NodeID(Digest(Array(1...32))!), endpoints: [], secret: Octets(Array(1...16)),
            expires: WallTime(milliseconds: 1_000))
        var longest = 0
        for count in 1...120 {
            let one = Endpoint(host: String(repeating: "h", count: count), port: 1)
            let wide = Invite(
                inviter: invite.inviter, endpoints: [one], secret: invite.secret, expires: invite.expires)
            var line = ""
            let error = failure { line = try InviteLine.encode(wide) }
            guard error == nil else {
                guard case .tooLong(let bytes, Limits.inviteLine)? = error else {
                    return #expect(error == nil, "at \(count)")
                }
                #expect(bytes > Limits.inviteLine)
                continue
            }
            #expect(try InviteLine.decode(line) == wide)
            longest = line.utf8.count
        }
        #expect((Limits.inviteLine - 1...Limits.inviteLine).contains(longest))
    }
}

private struct Text: SignedBody {
    static let kind = DocumentKind.head
    let text: String
}
