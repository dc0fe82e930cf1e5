import MeshBase
import MeshWire
import Testing

@testable import MeshCredentials

/// What a node on the way may try on the records of a body.
@Suite("Sealed records on their way")
struct SealTamperingTests {
    let samples: SealSamples

    init() throws { samples = try SealSamples() }

    /// A request in three records and an end, sealed; each with its header.
    private func records(_ consumer: inout ConsumerSeal) throws -> [[UInt8]] {
        try [[1, 2, 3], [4, 5], [6]].map { try consumer.seal($0) } + [try consumer.end(trailers: [])]
    }

    private func isRefused(_ stream: [UInt8], by provider: ProviderSeal) -> Bool {
        var provider = provider
        do {
            _ = try provider.open(stream)
            _ = try provider.finish()
            return false
        } catch {
            return true
        }
    }

    @Test("pass as they were sealed, and with any bit changed not")
    func changed() throws {
        var (consumer, provider) = try samples.pair()
        let stream = Array(try records(&consumer).joined())
        #expect(!isRefused(stream, by: provider))
        for index in stream.indices {
            for bit in 0..<8 {
                var changed = stream
                changed[index] ^= 1 << bit
                #expect(isRefused(changed, by: provider), "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test("are refused when cut anywhere, at the end of a record too")
    func cut() throws {
        var (consumer, provider) = try samples.pair()
        let stream = Array(try records(&consumer).joined())
        for count in stream.indices { #expect(isRefused(Array(stream[..<count]), by: provider)) }
        var ended = provider
        _ = try ended.open(stream)
        #expect(throws: SealError.beyondEnd) { _ = try ended.open([1]) }
        #expect(isRefused(stream + [0], by: provider))
    }

    @Test("are refused in another order, twice, or with one left out")
    func reordered() throws {
        var (consumer, provider) = try samples.pair()
        let records = try records(&consumer)
        for first in records.indices {
            var without = records
            without.remove(at: first)
            #expect(isRefused(Array(without.joined()), by: provider))
            var twice = records
            twice.insert(records[first], at: first)
            #expect(isRefused(Array(twice.joined()), by: provider))
            for second in records.indices where second != first {
                var swapped = records
                swapped.swapAt(first, second)
                #expect(isRefused(Array(swapped.joined()), by: provider))
            }
        }
    }

    @Test("of another call, another attempt or the other direction are refused")
    func spliced() throws {
        var (consumer, provider) = try samples.pair()
        let own = try records(&consumer)
        var other = try samples.consumer(try samples.call(attempt: 2))
        let foreign = try records(&other)
        for index in own.indices {
            var spliced = own
            spliced[index] = foreign[index]
            #expect(isRefused(Array(spliced.joined()), by: provider))
        }
        // What the provider sealed comes back to it, and what the consumer sealed to that one.
        let answer = try provider.seal([1, 2, 3]) + provider.end(trailers: [])
        #expect(isRefused(answer, by: provider))
        #expect(throws: SealError.notOpened) { _ = try consumer.open(own[0]) }
    }

    @Test("an answer is refused with its nonce or head changed, of another call, or without its head")
    func answers() throws {
        var consumer = try samples.consumer(try samples.call())
        var provider = try samples.provider(consumer.head).seal
        let nonce = [UInt8](repeating: 5, count: InvocationCodec.answerNonceLength)
        let head = try provider.sealAnswer([1, 2, 3], nonce: nonce)
        #expect(throws: SealError.notOpened) { _ = try consumer.open([1]) }
        for index in head.indices {
            var changed = head
            changed[index] ^= 1
            #expect(throws: SealError.notOpened) { _ = try consumer.openAnswer(nonce: nonce, changed) }
        }
        for index in nonce.indices {
            var changed = nonce
            changed[index] ^= 1
            #expect(throws: SealError.notOpened) { _ = try consumer.openAnswer(nonce: changed, head) }
        }
        var other = try samples.consumer(try samples.call(attempt: 2))
        #expect(throws: SealError.notOpened) { _ = try other.openAnswer(nonce: nonce, head) }
        #expect(throws: SealError.truncated) { _ = try other.finish() }
        #expect(try consumer.openAnswer(nonce: nonce, head) == [1, 2, 3])
        // Under another nonce nothing of the first answer passes.
        var again = try samples.provider(consumer.head).seal
        let second = [UInt8](repeating: 6, count: InvocationCodec.answerNonceLength)
        _ = try again.sealAnswer([1, 2, 3], nonce: second)
        #expect(throws: SealError.notOpened) { _ = try consumer.open(again.seal([1, 2, 3])) }
    }

    @Test("a header that no honest node writes is refused before anything is kept for it")
    func headers() throws {
        let (_, provider) = try samples.pair()
        for header: [UInt8] in [
            [0, 0, 0, 17], [3, 0, 0, 17], [1, 0, 0, 16], [1, 0, 64, 17], [2, 0, 128, 17],
        ] {
            var reader = provider
            #expect(throws: SealError.recordMalformed) { _ = try reader.open(header) }
        }
    }
}
