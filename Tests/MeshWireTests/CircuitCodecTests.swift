import MeshBase
import Testing

@testable import MeshWire

@Suite("The head of a circuit")
struct CircuitCodecTests {
    private let caller = NodeID(Digest([UInt8](repeating: 7, count: 32))!)

    private func read(_ bytes: [UInt8]) throws -> NodeID {
        try bytes.withUnsafeBytes { try CircuitCodec.caller(from: $0) }
    }

    @Test("names who dials, and is no head of an invocation")
    func whole() throws {
        let head = CircuitCodec.head(of: caller)
        #expect(try read(head) == caller)
        #expect(CircuitCodec.isHead(head.first) && !CircuitCodec.isHead(1) && !CircuitCodec.isHead(nil))
        #expect(throws: WireError.self) { try InvocationCodec.invocation(from: head) }
        #expect(CircuitCodec.isHead(CircuitCodec.answer.first))
    }

    @Test("is refused shorter, longer, or of another version")
    func others() {
        let head = CircuitCodec.head(of: caller)
        for length in 0..<head.count {
            #expect(throws: WireError.self) { try read(Array(head[..<length])) }
        }
        #expect(throws: WireError.self) { try read(head + [0]) }
        #expect(throws: WireError.self) { try read([4] + head.dropFirst()) }
        #expect(throws: WireError.self) { try read([UInt8](repeating: 3, count: 70_000)) }
    }
}
