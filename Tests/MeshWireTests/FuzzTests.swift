import MeshBase
import MeshRouting
import Testing

@testable import MeshWire

/// Whatever comes in, a decoder answers: it never traps, and what it takes has the form that it writes
/// itself.
@Suite("Fuzzing")
struct FuzzTests {
    private static let rounds = 5_000

    /// Feeds `decode` with noise and with damaged samples. It answers whether it took the bytes.
    /// - Returns: how many damaged samples were taken, so that a test can see that it reached the inner
    ///   rules.
    private func fuzz(
        seed: UInt64, sample: (inout Samples) throws -> [UInt8], decode: ([UInt8]) throws -> Bool
    ) throws -> Int {
        var mutation = Mutation(seed: seed)
        var samples = Samples(seed: seed)
        var taken = 0
        for round in 0..<Self.rounds {
            let bytes =
                round % 4 == 0 ? mutation.bytes(mutation.below(200)) : mutation.damaged(try sample(&samples))
            if try decode(bytes) { taken += 1 }
        }
        return taken
    }

    private func answers<Value>(_ decode: () throws -> Value) throws -> Value? {
        do {
            return try decode()
        } catch let error as WireError {
            #expect(error.description.isPlain)
            return nil
        }
    }

    @Test("calls: what is taken is exactly what is written")
    func invocations() throws {
        let taken = try fuzz(seed: 11, sample: { try InvocationCodec.encode($0.invocation()) }) { bytes in
            guard let call = try answers({ try InvocationCodec.invocation(from: bytes) }) else {
                return false
            }
            #expect(try InvocationCodec.encode(call) == bytes)
            return true
        }
        #expect(taken > 100)
    }

    @Test("answers: what is taken is exactly what is written")
    func invocationAnswers() throws {
        let taken = try fuzz(seed: 12, sample: { try InvocationCodec.encode($0.answer()) }) { bytes in
            guard let answer = try answers({ try InvocationCodec.answer(from: bytes) }) else { return false }
            // A later version's refusal code comes back under another name.
            let again = try InvocationCodec.encode(answer)
            if !isOfLaterVersion(answer) { #expect(again == bytes) }
            return true
        }
        #expect(taken > 100)
    }

    private func isOfLaterVersion(_ answer: InvocationAnswer) -> Bool {
        guard case .refused(let refusals, _) = answer else { return false }
        return refusals.contains { $0.code == .versionUnsupported }
    }

    @Test("audit records: what is taken can be written again and read alike")
    func auditRecords() throws {
        let taken = try fuzz(seed: 13, sample: { AuditRecordCodec.encode($0.record()) }) { bytes in
            guard let record = try answers({ try AuditRecordCodec.decode(bytes) }) else { return false }
            #expect(try AuditRecordCodec.decode(AuditRecordCodec.encode(record)) == record)
            return true
        }
        #expect(taken > 100)
    }

    @Test("invites: nothing damaged is taken as another invite")
    func invites() throws {
        var written = ""
        _ = try fuzz(
            seed: 14,
            sample: { samples in
                written = try InviteLine.encode(samples.invite())
                return Array(written.utf8)
            }
        ) { bytes in
            let line = String(decoding: bytes, as: UTF8.self)
            guard try answers({ try InviteLine.decode(line) }) != nil else { return false }
            #expect(line == written, "damage that undid itself is the only one that passes")
            return true
        }
        // The same with the checksum made right, so that the fields behind it are reached.
        let deep = try fuzz(
            seed: 15,
            sample: { samples in
                Base64URL.decode(try InviteLine.encode(samples.invite()).utf8.dropFirst(8))!.dropLast(4)
            }
        ) { bytes in
            let line =
                InviteLine.prefix
                + Base64URL.encode(bytes + UInt64(Checksum.crc32(bytes)).bigEndianBytes.suffix(4))
            guard let invite = try answers({ try InviteLine.decode(line) }) else { return false }
            #expect(try InviteLine.encode(invite) == line)
            return true
        }
        #expect(deep > 100)
    }

    @Test("frames: headers, resets, windows and farewells")
    func frames() throws {
        let taken = try fuzz(
            seed: 16,
            sample: { samples in
                var bytes = [UInt8](repeating: 0, count: FrameHeader.length)
                let header = FrameHeader(.data, payloadLength: samples.below(65_537), stream: 1)
                bytes.withUnsafeMutableBytes { header.write(into: $0) }
                return bytes
            }
        ) { bytes in
            _ = try answers { try ByteReader.over(bytes, FramePayload.reset(from:)) }
            _ = try answers { try ByteReader.over(bytes, FramePayload.window(from:)) }
            _ = try answers { try ByteReader.over(bytes, FramePayload.goAway(from:)) }
            _ = try answers { try ByteReader.over(bytes, InvocationCodec.trailers(from:)) }
            let header = try answers {
                try ByteReader.over(bytes) { (raw) throws(WireError) in try FrameHeader.read(from: raw) }
            }
            guard let header = header ?? nil else { return false }
            #expect(header.payloadLength <= Limits.framePayload)
            return true
        }
        #expect(taken > 100)
    }

    @Test("mDNS texts")
    func sightings() throws {
        let taken = try fuzz(seed: 17, sample: { Array("v=1,t=\(Base64URL.encode($0.bytes(8))),x=y".utf8) }) {
            bytes in
            let pairs = bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
                Array($0)
            }
            guard let text = try answers({ try SightingText(pairs: pairs) }) else { return false }
            #expect(text.tag.bytes.count == 8)
            return true
        }
        #expect(taken > 100)
    }

    @Test("signed documents: what is taken is held by the bytes that came")
    func signedDocuments() throws {
        let taken = try fuzz(
            seed: 18,
            sample: { samples in
                let payload = try Document.encode(
                    Statement(text: "a", number: Int64(samples.below(1000)), more: ["b": [true]]))
                let signature = JWS.signature(
                    samples.bytes(64), kind: .head, signer: Pin(samples.digest()), payload: payload)
                let body: Statement = try Document.decode(from: payload, limit: 1000)
                return try Document.encode(
                    Signed(body: body, payload: Octets(payload), signatures: [signature]))
            }
        ) { bytes in
            guard
                let signed = try answers({
                    try Document.decode(Signed<Statement>.self, from: bytes, limit: 4096)
                })
            else { return false }
            #expect(
                try Document.decode(Statement.self, from: signed.payload.bytes, limit: 4096) == signed.body)
            // What was read can be written: suites rely on it when they hash what a peer sent.
            let again = try Document.encode(signed)
            #expect(try Document.decode(Signed<Statement>.self, from: again, limit: 8192) == signed)
            return true
        }
        #expect(taken > 30)
    }
}

private struct Statement: SignedBody {
    static let kind = DocumentKind.head
    let text: String
    let number: Int64
    let more: [String: [Bool]]
}
