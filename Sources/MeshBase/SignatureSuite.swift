/// What the machines need from cryptography and from the encoding, as calls that take bytes and answer at
/// once.
///
/// Real in life (SHA-256, HMAC, ECDSA P-256 over the JSON of MeshWire), cheap and deterministic in the
/// simulator. *Making* a signature is not here: a hardware key takes its time, so it is an effect whose
/// answer comes back as an input.
public protocol SignatureSuite: Sendable {
    /// SHA-256 of `bytes`.
    func digest(_ bytes: [UInt8]) -> Digest

    /// HMAC-SHA-256 of `message` under `key`.
    func authenticationCode(of message: [UInt8], under key: [UInt8]) -> Digest

    /// Whether `signature` (64 bytes, r and s, as ES256 writes it) is one by `key` over `bytes`. False for
    /// any malformed input.
    func isValid(_ signature: [UInt8], over bytes: [UInt8], by key: PublicKey) -> Bool

    /// The bytes that stand for `value` on the wire and under a signature. One value has one encoding.
    func encoded(_ value: some Encodable & Sendable) -> [UInt8]
}

extension SignatureSuite {
    /// The pin of `key`: SHA-256 of its SubjectPublicKeyInfo.
    public func pin(of key: PublicKey) -> Pin { Pin(digest(key.info.bytes)) }
}
