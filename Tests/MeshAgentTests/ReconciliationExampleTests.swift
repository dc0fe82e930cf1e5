import MeshBase
import MeshCredentials
import Testing

@testable import MeshGossip

/// The example on the page of the protocol, which a program made that was written from the page alone.
@Suite("Coded symbols")
struct ReconciliationExampleTests {
    private func digest(_ byte: UInt8) throws -> Digest {
        try #require(Digest([UInt8](repeating: byte, count: 32)))
    }

    @Test("are, of three heads, those that the specification shows")
    func example() throws {
        let nodes = try [1, 2, 4].map { NodeID(try digest($0)) }
        let (salt, nonce) = (Octets(Array(1...12)), Octets(Array(13...24)))
        let key = SessionKey(
            salt: salt, nonce: nonce, audience: .domain(DomainID(try digest(3))),
            nodes: NodePair(nodes[1], nodes[0]), using: SystemSuite())
        let ids = [
            key.id(of: nodes[0], epoch: 0, root: try digest(17)),
            key.id(of: nodes[1], epoch: 0, root: try digest(18)),
            key.id(of: nodes[2], epoch: 1, root: .zero),
        ]
        #expect(ids.map(\.value) == [0x88cd_44cd_0cb1_36f6, 0x86b6_9b22_d7e4_6b19, 0x1b31_c293_c3e4_cb40])
        var encoder = try #require(SymbolEncoder(ids, key: key))
        let symbols = encoder.batch(0..<4, salt: salt, nonce: nonce)
        #expect(
            Hexadecimal.encode(symbols.packed)
                == "154a1d7c18b196af6f1ad0880086b69b22d7e46b198bbb0992"
                + "01154a1d7c18b196af6f1ad0880493fc865ecf55fdb6e4a1d91a02")
    }
}
