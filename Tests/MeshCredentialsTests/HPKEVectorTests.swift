import Crypto
import Foundation
import MeshBase
import Testing

@testable import MeshCredentials

/// RFC 9180 appendix A.1.1: the suite in use, base mode.
@Suite("The suite of RFC 9180")
struct HPKEVectorTests {
    private static let clear = bytes("4265617574792069732074727574682c20747275746820626561757479")
    private static let encapsulated = bytes(
        "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431")
    private static let sealed = [
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
        "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84",
        "498dfcabd92e8acedc281e85af1cb4e3e31c7dc394a1ca20e173cb72516491588d96a19ad4a683518973dcc180",
    ].map(bytes)

    private static func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count, by: 2).map { index in
            let start = hex.index(hex.startIndex, offsetBy: index)
            return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16) ?? 0
        }
    }

    private func recipient() throws -> HPKE.Recipient {
        let secret = try Curve25519.KeyAgreement.PrivateKey(
            rawRepresentation: Self.bytes("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"))
        #expect(
            Array(secret.publicKey.rawRepresentation)
                == Self.bytes("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"))
        return try HPKE.Recipient(
            privateKey: secret, ciphersuite: SealSuite.hpke,
            info: Data(Self.bytes("4f6465206f6e2061204772656369616e2055726e")),
            encapsulatedKey: Data(Self.encapsulated))
    }

    @Test("opens what appendix A.1.1 sealed, each at its number")
    func opens() throws {
        var cipher = RecordCipher.recipient(try recipient())
        for (number, sealed) in Self.sealed.enumerated() {
            let mark = Array("Count-\(number)".utf8)
            #expect(Array(try cipher.open(sealed, authenticating: mark)) == Self.clear)
        }
        var late = RecordCipher.recipient(try recipient())
        #expect(throws: SealError.notOpened) {
            _ = try late.open(Self.sealed[1], authenticating: Array("Count-1".utf8))
        }
    }

    @Test("exports what appendix A.1.1 exported")
    func exports() throws {
        let recipient = try recipient()
        let wanted = [
            ("", "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee"),
            ("00", "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5"),
            ("54657374436f6e74657874", "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931"),
        ]
        for (context, value) in wanted {
            let secret = try recipient.exportSecret(context: Self.bytes(context), outputByteCount: 32)
            #expect(secret.withUnsafeBytes { Array($0) } == Self.bytes(value))
        }
    }

    @Test("an answer's key and nonces are those of RFC 9458 section 4.4, made by hand")
    func answers() throws {
        let secret = SymmetricKey(data: [UInt8](repeating: 7, count: 16))
        let (encapsulated, nonce) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 16))
        // HKDF by hand, over HMAC (RFC 5869).
        func code(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
            Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
        }
        let extracted = code(encapsulated + nonce, [UInt8](repeating: 7, count: 16))
        let key = Array(code(extracted, Array("key".utf8) + [1]).prefix(16))
        let base = Array(code(extracted, Array("nonce".utf8) + [1]).prefix(12))
        var cipher = AnswerCipher(secret: secret, encapsulated: encapsulated, nonce: nonce)
        for number in 0..<300 {
            var iv = base
            iv[11] ^= UInt8(number & 255)
            iv[10] ^= UInt8(number >> 8)
            let box = try AES.GCM.seal(
                Self.clear, using: SymmetricKey(data: key), nonce: AES.GCM.Nonce(data: iv),
                authenticating: [9])
            let sealed = try cipher.seal(Self.clear, authenticating: [9])
            #expect(sealed == box.ciphertext + box.tag)
        }
    }
}
