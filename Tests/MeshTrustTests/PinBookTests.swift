import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("The pin book")
struct PinBookTests {
    private let suite = SimulatedSuite()
    private let key = SimulatedKey(7)

    private func hello(_ key: SimulatedKey, next: Digest = .zero) -> Hello {
        let inception = self.key.sign(Inception(key: self.key.publicKey, nextKeyDigest: next))
        return Hello(
            versions: [1], bindings: [1], nonce: .zero, node: self.key.node, identityKey: key.publicKey,
            inception: inception, boot: BootID(number: 1, random: 1), time: WallTime(milliseconds: 0))
    }

    private func book(_ state: TrustState) -> PinBook {
        var book = PinBook()
        book.write(
            PeerRecord(
                node: key.node, key: key.publicKey, pin: suite.pin(of: key.publicKey),
                inception: hello(key).inception, name: NodeName("p")!, state: state,
                since: WallTime(milliseconds: 0),
                evidence: TrustEvidence(kind: .invite, transcript: nil, note: "test"), boot: nil))
        return book
    }

    @Test("lets a trusted peer through under its own key and inception only")
    func linkNeedsAll() {
        let book = book(.trusted)
        #expect(book.refusal(of: hello(key)) == nil)
        #expect(book.refusal(of: hello(SimulatedKey(8)))?.code == .pinMismatch)
        #expect(book.refusal(of: hello(key, next: suite.digest([1])))?.code == .inceptionInvalid)
        #expect(PinBook().refusal(of: hello(key))?.code == .peerUnknown)
    }

    @Test("opens a link in one state only", arguments: TrustState.allCases)
    func linkNeedsTrust(state: TrustState) {
        #expect((book(state).refusal(of: hello(key)) == nil) == (state == .trusted))
    }

    @Test("makes trust anew under the same key and inception only, and for nobody who fell")
    func trustAnew() {
        #expect(book(.trusted).refusal(toTrust: hello(key)) == nil)
        #expect(book(.trusted).refusal(toTrust: hello(SimulatedKey(8)))?.code == .pinMismatch)
        let other = hello(key, next: suite.digest([1]))
        #expect(book(.trusted).refusal(toTrust: other)?.code == .inceptionInvalid)
        #expect(book(.suspended).refusal(toTrust: hello(key))?.code == .peerSuspended)
        #expect(book(.revoked).refusal(toTrust: hello(key))?.code == .peerRevoked)
    }

    @Test("keeps the pin of a revoked key when its peer is forgotten, and over a restart")
    func revokedForEver() {
        var book = book(.revoked)
        _ = book.forget(key.node)
        let pin = suite.pin(of: key.publicKey)
        #expect(book.peers.isEmpty && book.revocation(of: pin)?.code == .peerRevoked)
        let restored = PinBook(peers: [], revokedPins: Array(book.revokedPins))
        #expect(restored.revocation(of: pin)?.code == .peerRevoked)
    }
}
