import Crypto
import Foundation
import MeshBase
import MeshRouting
import MeshWire

/// The suite (RFC 9180 section 7): X25519, HKDF-SHA256, AES-128-GCM, in base mode. AES because both
/// architectures that the agent runs on have it in hardware (Docs/Protocol.md, "Sealed payloads").
enum SealSuite {
    static var hpke: HPKE.Ciphersuite {
        HPKE.Ciphersuite(kem: .Curve25519_HKDF_SHA256, kdf: .HKDF_SHA256, aead: .AES_GCM_128)
    }
    /// Authenticated with what is sealed of a head: no record has a header of one byte.
    static let headMark: [UInt8] = [0]
    /// Bytes of the secret from which an answer's key is made: as many as its nonce has.
    static let secretLength = AnswerCipher.nonceLength
}

/// The consumer's end of one attempt whose payload is sealed: what it seals for the provider, and what only
/// it can open of the answer (Docs/Protocol.md, Sealed payloads).
///
///     made with its head ──seal…──end──> request over
///                        ──openAnswer──open…──finish──> answer over
///
/// The two directions are apart. After an error of a direction nothing more is to be asked of it.
public struct ConsumerSeal: Sendable {
    /// The call's head: what opens the stream.
    public let head: [UInt8]
    private var writer: SealedBodyWriter
    private let encapsulated: [UInt8]
    private let secret: SymmetricKey
    private var reader: SealedBodyReader?

    /// Why no head could be made.
    public enum Failure: Error, Equatable, Sendable {
        case seal(SealError)
        case wire(WireError)
    }

    /// Seals the head of `call`.
    /// - Precondition: the call names the key to which it is to be sealed.
    public init(_ call: Invocation, from caller: NodeID, to callee: NodeID) throws(Failure) {
        guard let key = call.sealedTo else { preconditionFailure("a call that is not to be sealed") }
        guard !LowOrder.contains(key.bytes) else { throw .seal(.keyUnusable) }
        let (bound, closed) = try Self.parts(of: call)
        let info = InvocationCodec.info(bound, caller: caller, callee: callee)
        var sender: HPKE.Sender
        do {
            let recipient = try Curve25519.KeyAgreement.PublicKey(rawRepresentation: key.bytes)
            sender = try HPKE.Sender(
                recipientKey: recipient, ciphersuite: SealSuite.hpke, info: Data(info))
            secret = try sender.exportSecret(
                context: Label.sealedAnswer.bytes, outputByteCount: SealSuite.secretLength)
        } catch {
            throw .seal(.keyUnusable)
        }
        encapsulated = Array(sender.encapsulatedKey)
        var cipher = RecordCipher.sender(sender)
        head = try Self.head(call, bound, key, encapsulated, try Self.sealed(closed, by: &cipher))
        writer = SealedBodyWriter(cipher)
    }

    private static func sealed(
        _ closed: [UInt8], by cipher: inout RecordCipher
    ) throws(Failure) -> [UInt8] {
        do throws(SealError) {
            return Array(try cipher.seal(closed, authenticating: SealSuite.headMark))
        } catch {
            throw .seal(error)
        }
    }

    private static func parts(of call: Invocation) throws(Failure) -> (bound: [UInt8], closed: [UInt8]) {
        do throws(WireError) {
            return (try InvocationCodec.bound(of: call), try InvocationCodec.closedPart(of: call))
        } catch {
            throw .wire(error)
        }
    }

    private static func head(
        _ call: Invocation, _ bound: [UInt8], _ key: EncryptionKey, _ encapsulated: [UInt8],
        _ sealed: [UInt8]
    ) throws(Failure) -> [UInt8] {
        do throws(WireError) {
            return try InvocationCodec.encode(
                call, bound: bound, to: key, encapsulated: encapsulated, sealed: sealed)
        } catch {
            throw .wire(error)
        }
    }

    /// Seals the next piece of the request's body.
    public mutating func seal(_ piece: UnsafeRawBufferPointer) throws(SealError) -> [UInt8] {
        try writer.seal(piece)
    }

    /// Seals the request's end.
    public mutating func end(trailers: [UInt8]) throws(SealError) -> [UInt8] {
        try writer.end(trailers: trailers)
    }

    /// Opens the answer's head: what the clear form of a head is, and from now on pieces can be opened.
    public mutating func openAnswer(nonce: [UInt8], _ sealed: [UInt8]) throws(SealError) -> [UInt8] {
        var cipher = RecordCipher.answer(
            AnswerCipher(secret: secret, encapsulated: encapsulated, nonce: nonce))
        let head = try cipher.open(sealed, authenticating: SealSuite.headMark)
        reader = SealedBodyReader(cipher)
        return Array(head)
    }

    /// Opens what a piece of the answer's body completes.
    public mutating func open(_ piece: UnsafeRawBufferPointer) throws(SealError) -> [UInt8] {
        guard let clear = try reader?.open(piece) else { throw .notOpened }
        return clear
    }

    /// The answer's stream has ended; its trailers.
    public func finish() throws(SealError) -> [UInt8] {
        guard let reader else { throw .truncated }
        return try reader.finish()
    }
}

/// The provider's end of one attempt whose payload is sealed.
///
///     made with the opened head ──open…──finish──> request over
///                               ──sealAnswer──seal…──end──> answer over
public struct ProviderSeal: Sendable {
    private var reader: SealedBodyReader
    private let encapsulated: [UInt8]
    private let secret: SymmetricKey
    private var writer: SealedBodyWriter?

    /// Opens a call's head; answers with the whole call.
    /// - Throws: `keyUnknown` when it is sealed to no key of this node, `notOpened` when it is not what was
    ///   sealed for this node under this head, or holds what no honest node seals.
    public static func open(
        _ sealed: SealedInvocation, with keys: EncryptionKeys, from caller: NodeID, to callee: NodeID
    ) throws(SealError) -> (seal: ProviderSeal, call: Invocation) {
        guard let secret = keys.secret(of: sealed.key) else { throw .keyUnknown }
        guard !LowOrder.contains(sealed.encapsulated) else { throw .notOpened }
        let info = sealed.info(caller: caller, callee: callee)
        let recipient: HPKE.Recipient
        let exported: SymmetricKey
        do {
            recipient = try HPKE.Recipient(
                privateKey: secret, ciphersuite: SealSuite.hpke, info: Data(info),
                encapsulatedKey: Data(sealed.encapsulated))
            exported = try recipient.exportSecret(
                context: Label.sealedAnswer.bytes, outputByteCount: SealSuite.secretLength)
        } catch {
            throw .notOpened
        }
        var cipher = RecordCipher.recipient(recipient)
        let closed = try cipher.open(sealed.sealed, authenticating: SealSuite.headMark)
        do throws(WireError) {
            let call = try InvocationCodec.completed(sealed, by: Array(closed))
            let seal = ProviderSeal(
                reader: SealedBodyReader(cipher), encapsulated: sealed.encapsulated, secret: exported)
            return (seal, call)
        } catch {
            throw .notOpened
        }
    }

    private init(reader: SealedBodyReader, encapsulated: [UInt8], secret: SymmetricKey) {
        self.reader = reader
        self.encapsulated = encapsulated
        self.secret = secret
    }

    /// Opens what a piece of the request's body completes.
    public mutating func open(_ piece: UnsafeRawBufferPointer) throws(SealError) -> [UInt8] {
        try reader.open(piece)
    }

    /// The request's stream has ended; its trailers.
    public func finish() throws(SealError) -> [UInt8] { try reader.finish() }

    /// Seals the answer's head, given in its clear form; from now on pieces can be sealed.
    /// - Parameter nonce: 16 fresh bytes of the system's generator: one request that came twice is answered
    ///   under two keys.
    public mutating func sealAnswer(_ head: [UInt8], nonce: [UInt8]) throws(SealError) -> [UInt8] {
        var cipher = RecordCipher.answer(
            AnswerCipher(secret: secret, encapsulated: encapsulated, nonce: nonce))
        let sealed = try cipher.seal(head, authenticating: SealSuite.headMark)
        writer = SealedBodyWriter(cipher)
        return Array(sealed)
    }

    /// Seals the next piece of the answer's body.
    /// - Throws: `keyUnusable` before its head, too.
    public mutating func seal(_ piece: UnsafeRawBufferPointer) throws(SealError) -> [UInt8] {
        guard let sealed = try writer?.seal(piece) else { throw .keyUnusable }
        return sealed
    }

    /// Seals the answer's end.
    /// - Throws: `keyUnusable` before its head, too.
    public mutating func end(trailers: [UInt8]) throws(SealError) -> [UInt8] {
        guard let sealed = try writer?.end(trailers: trailers) else { throw .keyUnusable }
        return sealed
    }
}
