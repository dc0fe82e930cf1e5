import MeshBase
import MeshRouting
import MeshWire
import Testing

@testable import MeshCredentials

/// Two nodes, a call between them, and both ends of its seal.
struct SealSamples {
    static let clear = Array("the recipe of the bakery, which nobody on the way may read".utf8)

    let keys: EncryptionKeys
    let caller: NodeID
    let callee: NodeID
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        keys = try EncryptionKeys.load(from: folder.file("encryption.keys"))
        _ = try keys.renew(at: WallTime(milliseconds: 1_000))
        caller = try Self.node(1)
        callee = try Self.node(2)
    }

    static func node(_ number: UInt8) throws -> NodeID {
        NodeID(try #require(Digest([UInt8](repeating: number, count: 32))))
    }

    func call(attempt: UInt8 = 1, _ change: (inout Invocation) -> Void = { _ in }) throws -> Invocation {
        var call = Invocation(
            correlation: CorrelationID(high: 1, low: 2), attempt: attempt,
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", agreement: Digest.zero,
            principal: .local, resource: try #require(ResourceName("orders")),
            capability: try #require(ResourceName("write")), method: "POST", path: "/secret/path",
            query: "secret=query", headers: [HeaderField("authorization", "secret header")],
            remainingMilliseconds: 500, deadlineScope: .answerHead, idempotencyKey: "secret-key",
            body: .streamed(length: 58))
        call.sealedTo = try #require(keys.held?.current)
        change(&call)
        return call
    }

    func consumer(_ call: Invocation) throws -> ConsumerSeal {
        try ConsumerSeal(call, from: caller, to: callee)
    }

    func provider(_ head: [UInt8]) throws -> (seal: ProviderSeal, call: Invocation) {
        guard case .sealed(let sealed) = try InvocationCodec.received(from: head) else {
            throw SealError.notOpened
        }
        return try ProviderSeal.open(sealed, with: keys, from: caller, to: callee)
    }

    /// Both ends, with the answer's head passed.
    func pair() throws -> (consumer: ConsumerSeal, provider: ProviderSeal) {
        var consumer = try consumer(try call())
        var provider = try provider(consumer.head).seal
        let nonce = [UInt8](repeating: 5, count: InvocationCodec.answerNonceLength)
        let head = try provider.sealAnswer([1, 2, 3], nonce: nonce)
        #expect(try consumer.openAnswer(nonce: nonce, head) == [1, 2, 3])
        return (consumer, provider)
    }
}

extension ConsumerSeal {
    mutating func seal(_ bytes: [UInt8]) throws -> [UInt8] { try bytes.withUnsafeBytes { try seal($0) } }
    mutating func open(_ bytes: [UInt8]) throws -> [UInt8] { try bytes.withUnsafeBytes { try open($0) } }
}

extension ProviderSeal {
    mutating func seal(_ bytes: [UInt8]) throws -> [UInt8] { try bytes.withUnsafeBytes { try seal($0) } }
    mutating func open(_ bytes: [UInt8]) throws -> [UInt8] { try bytes.withUnsafeBytes { try open($0) } }
}
