import Crypto
import Foundation
import MeshBase
import Testing

@testable import MeshCredentials
@testable import MeshTrust

@Suite("The system's cryptography")
struct SystemSuiteTests {
    let suite = SystemSuite()
    let key = IdentityKey.ephemeral()

    @Test("hashes as FIPS 180-4 says")
    func digest() {
        #expect(
            suite.digest(Array("abc".utf8)).description
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("authenticates as RFC 4231 says")
    func authenticationCode() {
        let code = suite.authenticationCode(
            of: Array("what do ya want for nothing?".utf8), under: Array("Jefe".utf8))
        #expect(code.description == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test("four words are HKDF as RFC 5869 says, by another implementation of it")
    func words() {
        let digests = (1...3).compactMap { MeshBase.Digest(Array(repeating: UInt8($0), count: 32)) }
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: digests[0].bytes + digests[1].bytes),
            salt: digests[2].bytes, info: Array("comity pairing words v1;".utf8), outputByteCount: 4)
        let sum = WordSum(
            initiatorNonce: digests[0], responderNonce: digests[1], transcript: digests[2], using: suite)
        #expect(sum.octets.bytes == key.withUnsafeBytes { Array($0) })
    }

    @Test("verifies the ES256 example of RFC 7515, appendix A.3")
    func knownSignature() throws {
        let x = try #require(Base64URL.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"))
        let y = try #require(Base64URL.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"))
        let signer = try P256.Signing.PublicKey(x963Representation: [4] + x + y)
        let input =
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9l"
            + "eGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        let signature = try #require(
            Base64URL.decode(
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"))
        let publicKey = PublicKey(info: [UInt8](signer.derRepresentation))
        #expect(suite.isValid(signature, over: Array(input.utf8), by: publicKey))
        #expect(!suite.isValid(signature, over: Array((input + "x").utf8), by: publicKey))
    }

    @Test("accepts no signature with any bit changed, cut or lengthened")
    func changedSignature() throws {
        let message = Array("a message".utf8)
        let signature = try key.sign(message)
        #expect(suite.isValid(signature, over: message, by: key.publicKey))
        for bit in stride(from: 0, to: 512, by: 11) {
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!suite.isValid(changed, over: message, by: key.publicKey))
        }
        #expect(!suite.isValid([], over: message, by: key.publicKey))
        #expect(!suite.isValid(Array(signature.dropLast()), over: message, by: key.publicKey))
        #expect(!suite.isValid(signature + [0], over: message, by: key.publicKey))
        #expect(!suite.isValid([UInt8](repeating: 0, count: 64), over: message, by: key.publicKey))
        #expect(!suite.isValid([UInt8](repeating: 255, count: 64), over: message, by: key.publicKey))
    }

    @Test("knows a key in one encoding only")
    func oneEncoding() throws {
        let signature = try key.sign([7])
        let der = key.publicKey.info.bytes
        let point = try P256.Signing.PublicKey(derRepresentation: der)
        var compressed = Array(der.prefix(26)) + [UInt8](point.compressedRepresentation)
        compressed[1] = 57
        compressed[24] = 34
        for other in [[], der + [0], Array(der.dropLast()), compressed, [UInt8](point.x963Representation)] {
            #expect(!suite.isValid(signature, over: [7], by: PublicKey(info: other)))
        }
        let larger = PublicKey(info: [UInt8](P384.Signing.PrivateKey().publicKey.derRepresentation))
        #expect(!suite.isValid(signature, over: [7], by: larger))
    }

    @Test("never traps on a key or signature of noise")
    func noise() {
        var generator = SeededGenerator(seed: 20_261_121)
        let der = key.publicKey.info.bytes
        for _ in 0..<1_000 {
            var info = der
            info[Int(generator.number(below: 91))] = UInt8(generator.number(below: 256))
            let signature = generator.bytes(Int(generator.number(below: 130)))
            #expect(!suite.isValid(signature, over: [1], by: PublicKey(info: info)))
            #expect(!suite.isValid(generator.bytes(64), over: [1], by: PublicKey(info: generator.bytes(91))))
        }
    }

    @Test("gives one value one encoding")
    func encoding() {
        struct Value: Encodable, Sendable {
            let second = 2
            let first = "one"
        }
        #expect(String(decoding: suite.encoded(Value()), as: UTF8.self) == #"{"first":"one","second":2}"#)
    }
}
