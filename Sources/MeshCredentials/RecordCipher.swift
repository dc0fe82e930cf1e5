import Crypto
import Foundation
import MeshBase
import MeshWire

/// What seals or opens one direction of a call: a key of its own, and a number that rises with each use and
/// is part of the nonce. So nothing opens but what is next, and nothing of another call or direction.
enum RecordCipher: Sendable {
    /// The request, at the consumer.
    case sender(HPKE.Sender)
    /// The request, at the provider.
    case recipient(HPKE.Recipient)
    /// The answer, at either end.
    case answer(AnswerCipher)

    mutating func seal(_ clear: some DataProtocol, authenticating header: [UInt8]) throws(SealError) -> Data {
        do {
            switch self {
            case .sender(var sender):
                defer { self = .sender(sender) }
                return try sender.seal(clear, authenticating: header)
            case .answer(var answer):
                defer { self = .answer(answer) }
                return try answer.seal(clear, authenticating: header)
            case .recipient: preconditionFailure("what only opens is to seal")
            }
        } catch {
            // The library seals any bytes under any of its keys.
            throw .keyUnusable
        }
    }

    mutating func open(_ sealed: some DataProtocol, authenticating header: [UInt8]) throws(SealError) -> Data
    {
        do {
            switch self {
            case .recipient(var recipient):
                defer { self = .recipient(recipient) }
                return try recipient.open(sealed, authenticating: header)
            case .answer(var answer):
                defer { self = .answer(answer) }
                return try answer.open(sealed, authenticating: header)
            case .sender: preconditionFailure("what only seals is to open")
            }
        } catch {
            throw .notOpened
        }
    }
}

/// Seals or opens an answer: AES-128-GCM under a key that only the two ends of the request can make, from
/// the request's exporter secret and a nonce of the answerer (the way of RFC 9458 section 4.4). The nonce of
/// each record is the base nonce with the record's number (RFC 9180 section 5.2).
struct AnswerCipher: Sendable {
    /// Bytes of the answerer's nonce: the longer of key and nonce (RFC 9458 section 4.4).
    static let nonceLength = 16
    private static let ivLength = 12

    private let key: SymmetricKey
    private let base: [UInt8]
    private var number: UInt64 = 0

    /// - Parameters:
    ///   - secret: `Export(label, 16)` of the request's context.
    ///   - encapsulated: the request's encapsulated key.
    ///   - nonce: 16 bytes of the answerer's.
    init(secret: SymmetricKey, encapsulated: [UInt8], nonce: [UInt8]) {
        let extracted = HKDF<SHA256>.extract(inputKeyMaterial: secret, salt: encapsulated + nonce)
        key = HKDF<SHA256>.expand(
            pseudoRandomKey: extracted, info: Array("key".utf8), outputByteCount: 16)
        base = HKDF<SHA256>.expand(
            pseudoRandomKey: extracted, info: Array("nonce".utf8), outputByteCount: Self.ivLength
        ).withUnsafeBytes { Array($0) }
    }

    mutating func seal(_ clear: some DataProtocol, authenticating header: [UInt8]) throws -> Data {
        let box = try AES.GCM.seal(clear, using: key, nonce: try nextNonce(), authenticating: header)
        return box.ciphertext + box.tag
    }

    mutating func open(_ sealed: some DataProtocol, authenticating header: [UInt8]) throws -> Data {
        let text = sealed.count - SealedRecordHeader.tagLength
        guard text >= 0 else { throw SealError.notOpened }
        let box = try AES.GCM.SealedBox(
            nonce: try nextNonce(), ciphertext: sealed.prefix(text),
            tag: sealed.suffix(from: sealed.index(sealed.startIndex, offsetBy: text)))
        return try AES.GCM.open(box, using: key, authenticating: header)
    }

    private mutating func nextNonce() throws -> AES.GCM.Nonce {
        var nonce = base
        for position in 0..<8 {
            nonce[Self.ivLength - 1 - position] ^= UInt8(truncatingIfNeeded: number >> (8 * UInt64(position)))
        }
        number += 1
        return try AES.GCM.Nonce(data: nonce)
    }
}
