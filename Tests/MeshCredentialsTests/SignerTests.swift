import MeshBase
import MeshWire
import Testing

@testable import MeshCredentials

@Suite("The signer")
struct SignerTests {
    let key = IdentityKey.ephemeral()
    let suite = SystemSuite()

    struct Note: SignedBody {
        static let kind = DocumentKind.inception
        let text: String
    }

    @Test("signs a request so that whoever has the public key can verify it")
    func request() throws {
        let payload = Octets(suite.encoded(Note(text: "hello")))
        let request = SigningRequest(ticket: Ticket(7), kind: .acceptance, payload: payload)
        let signature = try Signer(key).sign(request)
        #expect(signature.signer == key.pin)
        #expect(suite.isValid(signature.value.bytes, over: signature.input.bytes, by: key.publicKey))
    }

    @Test("signs a document that reads back from its bytes as signed by this key and no other")
    func document() throws {
        let signed = try Signer(key).signed(Note(text: "hello"), using: suite)
        let bytes = try Document.encode(signed)
        let read = try Document.decode(Signed<Note>.self, from: bytes, limit: 4_096)
        #expect(read == signed)
        #expect(read.isSigned(by: key.publicKey, using: suite))
        #expect(!read.isSigned(by: IdentityKey.ephemeral().publicKey, using: suite))
    }

    @Test("makes signatures of one kind that are none of another")
    func kindSeparation() throws {
        let payload = Octets(suite.encoded(Note(text: "hello")))
        let signature = try Signer(key).sign(SigningRequest(ticket: Ticket(1), kind: .head, payload: payload))
        let other = JWS.signingInput(kind: .agreement, signer: key.pin, payload: payload.bytes)
        #expect(!suite.isValid(signature.value.bytes, over: other, by: key.publicKey))
    }
}
