import MeshBase
import MeshRouting
import Testing

@testable import MeshWire

@Suite("Heads of calls of which a part is sealed")
struct SealedInvocationTests {
    private let key = EncryptionKey([UInt8](repeating: 3, count: 32))!

    private func head(of call: Invocation, _ sealed: [UInt8] = [1, 2, 3]) throws -> [UInt8] {
        try InvocationCodec.encode(
            call, bound: InvocationCodec.bound(of: call), to: key,
            encapsulated: [UInt8](repeating: 4, count: 32), sealed: sealed)
    }

    private func read(_ head: [UInt8]) throws -> SealedInvocation {
        guard case .sealed(let sealed) = try InvocationCodec.received(from: head) else {
            throw WireError.versionUnknown(head.first ?? 0)
        }
        return sealed
    }

    @Test("a call comes back whole from its two parts")
    func roundTrip() throws {
        var samples = Samples(seed: 3)
        for _ in 0..<500 {
            var call = samples.invocation()
            call.sealedTo = key
            let sealed = try read(try head(of: call))
            #expect(sealed.key == key && sealed.sealed == [1, 2, 3])
            #expect(try InvocationCodec.completed(sealed, by: InvocationCodec.closedPart(of: call)) == call)
        }
    }

    @Test("what is bound is both ends and every open field but the remaining time")
    func bound() throws {
        var samples = Samples(seed: 4)
        let call = samples.invocation()
        let (one, other) = (NodeID(samples.digest()), NodeID(samples.digest()))
        let info = try read(try head(of: call)).info(caller: one, callee: other)
        #expect(try read(try head(of: call)).info(caller: other, callee: one) != info)
        var later = call
        later.remainingMilliseconds = 1
        later.headers = []
        #expect(try read(try head(of: later)).info(caller: one, callee: other) == info)
        let changes: [(inout Invocation) -> Void] = [
            { $0.attempt = $0.attempt == 9 ? 8 : 9 }, { $0.method = "XYZ" }, { $0.resource = .echo },
            { $0.capability = .echo }, { $0.principal = .local },
            { $0.purpose = $0.purpose == nil ? Purpose(.echo) : nil },
            { $0.agreement = $0.agreement == nil ? .zero : nil },
            { $0.deadlineScope = $0.deadlineScope == .wholeCall ? .answerHead : .wholeCall },
            { $0.correlation = CorrelationID(high: 1, low: 1) },
        ]
        for change in changes {
            var changed = call
            change(&changed)
            #expect(try read(try head(of: changed)).info(caller: one, callee: other) != info)
        }
    }

    @Test("a head has 32 KiB, sealed or not, and not a byte more")
    func limit() throws {
        var samples = Samples(seed: 5)
        let call = samples.invocation()
        let room = Limits.invocationHead - (try head(of: call, [])).count
        #expect(try head(of: call, [UInt8](repeating: 0, count: room)).count == Limits.invocationHead)
        #expect(throws: WireError.self) { try head(of: call, [UInt8](repeating: 0, count: room + 1)) }
    }

    @Test("an answer's nonce and sealed part come back; a clear one is none")
    func answers() throws {
        let nonce = [UInt8](repeating: 6, count: 16)
        let bytes = try InvocationCodec.encode(sealedAnswer: [1, 2], nonce: nonce)
        let read = try #require(try InvocationCodec.sealedAnswer(from: bytes))
        #expect(read.nonce == nonce && read.sealed == [1, 2])
        var samples = Samples(seed: 6)
        #expect(try InvocationCodec.sealedAnswer(from: InvocationCodec.encode(samples.answer())) == nil)
        #expect(throws: WireError.self) { _ = try InvocationCodec.sealedAnswer(from: [2, 1]) }
    }
}
