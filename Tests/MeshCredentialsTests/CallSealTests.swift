import MeshBase
import MeshRouting
import MeshWire
import Testing

@testable import MeshCredentials

@Suite("A sealed call")
struct CallSealTests {
    private func holds(_ bytes: [UInt8], _ part: String) -> Bool {
        let wanted = Array(part.utf8)
        return bytes.indices.contains { bytes[$0...].starts(with: wanted) }
    }

    @Test("comes to the provider whole, and shows on its way who asks for what, and nothing more")
    func head() throws {
        let samples = try SealSamples()
        let call = try samples.call()
        let consumer = try samples.consumer(call)
        #expect(try samples.provider(consumer.head).call == call)
        for secret in ["secret", "0af7651916cd43dd"] { #expect(!holds(consumer.head, secret)) }
        for open in ["orders", "write", "POST"] { #expect(holds(consumer.head, open)) }
        guard case .sealed(let sealed) = try InvocationCodec.received(from: consumer.head) else {
            Issue.record("the head is not sealed")
            return
        }
        #expect(sealed.open.path == "/" && sealed.open.headers.isEmpty && sealed.open.body == .none)
        #expect(sealed.open.agreement == call.agreement && sealed.open.correlation == call.correlation)
    }

    @Test("is not opened with any bit of its head changed but the remaining time, nor cut nor lengthened")
    func changedHead() throws {
        let samples = try SealSamples()
        let head = try samples.consumer(try samples.call()).head
        for index in head.indices where !(1...4).contains(index) {
            for bit in 0..<8 {
                var changed = head
                changed[index] ^= 1 << bit
                #expect(throws: (any Error).self) { _ = try samples.provider(changed) }
            }
        }
        for count in head.indices {
            #expect(throws: (any Error).self) { _ = try samples.provider(Array(head[..<count])) }
        }
        #expect(throws: SealError.notOpened) { _ = try samples.provider(head + [0]) }
        var sooner = head
        sooner[4] = 1
        #expect(try samples.provider(sooner).call.remainingMilliseconds == 257)
    }

    @Test("is opened by the node for which it was sealed, of the node that sealed it, and by no other")
    func otherEnds() throws {
        let samples = try SealSamples()
        let head = try samples.consumer(try samples.call()).head
        guard case .sealed(let sealed) = try InvocationCodec.received(from: head) else { return }
        let stranger = try SealSamples.node(9)
        #expect(throws: SealError.notOpened) {
            _ = try ProviderSeal.open(sealed, with: samples.keys, from: stranger, to: samples.callee)
        }
        #expect(throws: SealError.notOpened) {
            _ = try ProviderSeal.open(sealed, with: samples.keys, from: samples.caller, to: stranger)
        }
        #expect(throws: SealError.keyUnknown) {
            _ = try ProviderSeal.open(
                sealed, with: try SealSamples().keys, from: samples.caller, to: samples.callee)
        }
    }

    @Test("is opened with the key before for as long as that is kept, and not after")
    func overlap() throws {
        let samples = try SealSamples()
        let head = try samples.consumer(try samples.call()).head
        _ = try samples.keys.renew(at: WallTime(milliseconds: 2_000))
        _ = try samples.provider(head)
        _ = try samples.keys.dropPrevious()
        #expect(throws: SealError.keyUnknown) { _ = try samples.provider(head) }
        let second = try samples.consumer(try samples.call()).head
        _ = try samples.keys.renew(at: WallTime(milliseconds: 3_000))
        _ = try samples.keys.renew(at: WallTime(milliseconds: 4_000))
        #expect(throws: SealError.keyUnknown) { _ = try samples.provider(second) }
    }

    @Test("is not sealed to a point of low order, in whatever form, nor opened with one")
    func lowOrder() throws {
        let samples = try SealSamples()
        var points: [[UInt8]] = [0, 1].map { [$0] + [UInt8](repeating: 0, count: 31) }
        for text in Self.order8 { points.append(try #require(Hexadecimal.decode(text))) }
        for lowest: UInt8 in [0xec, 0xed, 0xee] {
            points.append([lowest] + [UInt8](repeating: 0xff, count: 30) + [0x7f])
        }
        for high: UInt8 in [0, 0x80] {
            for var point in points {
                point[31] |= high
                let key = try #require(EncryptionKey(point))
                let call = try samples.call { $0.sealedTo = key }
                #expect(throws: ConsumerSeal.Failure.seal(.keyUnusable)) { _ = try samples.consumer(call) }
                var head = try samples.consumer(try samples.call()).head
                guard case .sealed(let sealed) = try InvocationCodec.received(from: head) else { return }
                let start = head.count - sealed.sealed.count - 32
                head.replaceSubrange(start..<start + 32, with: point)
                #expect(throws: SealError.notOpened) { _ = try samples.provider(head) }
            }
        }
    }

    private static let order8 = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ]

    @Test("is sealed anew each time: no two attempts share a byte of what is sealed")
    func fresh() throws {
        let samples = try SealSamples()
        var first = try samples.consumer(try samples.call())
        var second = try samples.consumer(try samples.call())
        #expect(first.head != second.head)
        #expect(try first.seal(SealSamples.clear) != second.seal(SealSamples.clear))
    }

    @Test("passes bodies both ways, whatever pieces they are cut into on the way")
    func pieces() throws {
        let samples = try SealSamples()
        for seed in 1...60 {
            var generator = SeededGenerator(seed: UInt64(seed))
            var (consumer, provider) = try samples.pair()
            var (request, answer) = ([UInt8](), [UInt8]())
            var (sealedRequest, sealedAnswer) = ([UInt8](), [UInt8]())
            for _ in 0..<generator.number(below: 6) {
                let length = Int(generator.number(below: generator.number(below: 4) == 0 ? 70_000 : 300))
                let piece = (0..<length).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
                request += piece
                sealedRequest += try consumer.seal(piece)
                answer += piece.reversed()
                sealedAnswer += try provider.seal(piece.reversed())
            }
            sealedRequest += try consumer.end(trailers: [1, 2])
            sealedAnswer += try provider.end(trailers: [])
            var (openedRequest, openedAnswer) = ([UInt8](), [UInt8]())
            for piece in Self.cut(sealedRequest, using: &generator) {
                openedRequest += try provider.open(piece)
            }
            for piece in Self.cut(sealedAnswer, using: &generator) {
                openedAnswer += try consumer.open(piece)
            }
            #expect(openedRequest == request && openedAnswer == answer)
            #expect(try provider.finish() == [1, 2])
            #expect(try consumer.finish().isEmpty)
        }
    }

    private static func cut(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [[UInt8]] {
        var (pieces, rest) = ([[UInt8]](), bytes[...])
        let most = [1, 7, 40, 20_000][Int(generator.number(below: 4))]
        while !rest.isEmpty {
            let length = min(
                rest.count,
                bytes.count > 4_000 && most < 40 ? 1_000 : 1 + Int(generator.number(below: UInt64(most))))
            pieces.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return pieces
    }

    @Test("keys made and kept are there again at the next start, and the file is its owner's alone")
    func keptKeys() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("encryption.keys")
        let keys = try EncryptionKeys.load(from: path)
        #expect(keys.held == nil)
        let first = try #require(try keys.renew(at: WallTime(milliseconds: 5)))
        let second = try #require(try keys.renew(at: WallTime(milliseconds: 9)))
        #expect(first.previous == nil && second.previous == first.current && second.current != first.current)
        #expect(try EncryptionKeys.load(from: path).held == second)
        #expect(try folder.mode(of: "encryption.keys") == 0o600)
        #expect(try folder.names() == ["encryption.keys"])
        let third = try #require(try keys.dropPrevious())
        #expect(third == HeldEncryptionKeys(current: second.current, made: second.made, previous: nil))
        #expect(try EncryptionKeys.load(from: path).held == third)
        #expect("\(keys)".contains("25519") == false)
        for text in ["x25519 5", "x25519 5 AAAA\n", "p256 5 \(String(repeating: "A", count: 43))\n", "x\n"] {
            let other = folder.file("other-\(text.count)")
            try PrivateFile(path: other).create(Array(text.utf8))
            #expect(throws: CredentialError.keyMalformed(path: other)) {
                _ = try EncryptionKeys.load(from: other)
            }
        }
    }
}
