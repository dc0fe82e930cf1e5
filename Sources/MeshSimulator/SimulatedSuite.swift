import MeshBase

/// Cryptography for the simulator and for tests of machines: quick, the same in every process, and as strict
/// as the real one about who signed what. It withstands no attacker: whoever is to forge nothing must not be
/// given a `SimulatedKey` that is not its own.
public struct SimulatedSuite: SignatureSuite {
    public init() {}

    public func digest(_ bytes: [UInt8]) -> Digest { mixed(bytes, salt: 0) }

    public func authenticationCode(of message: [UInt8], under key: [UInt8]) -> Digest {
        mixed(key + message, salt: UInt64(key.count))
    }

    public func isValid(_ signature: [UInt8], over bytes: [UInt8], by key: PublicKey) -> Bool {
        signature == SimulatedKey.signature(over: bytes, by: key, using: self)
    }

    public func encoded(_ value: some Encodable & Sendable) -> [UInt8] {
        let encoder = SimulatedEncoder()
        do {
            try value.encode(to: encoder)
        } catch {
            preconditionFailure("\(type(of: value)) cannot be encoded: \(error)")
        }
        return encoder.sink.bytes
    }

    /// Four lanes of the mixing step of MurmurHash3's finaliser over words of eight bytes.
    private func mixed(_ bytes: [UInt8], salt: UInt64) -> Digest {
        var lanes: [UInt64] = [
            0x9e37_79b9_7f4a_7c15 &+ salt, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, UInt64(bytes.count),
        ]
        var word: UInt64 = 0
        for position in bytes.indices {
            word = word << 8 | UInt64(bytes[position])
            guard position % 8 == 7 || position == bytes.count - 1 else { continue }
            for lane in 0..<4 {
                lanes[lane] = (lanes[lane] ^ word) &* 0xff51_afd7_ed55_8ccd
                lanes[lane] ^= lanes[lane] >> 33
                lanes[(lane + 1) & 3] &+= lanes[lane]
            }
            word = 0
        }
        let words = lanes.flatMap { lane in ((lane ^ lane >> 29) &* 0xc4ce_b9fe_1a85_ec53).bigEndianBytes }
        guard let digest = Digest(words) else { preconditionFailure("four lanes are 32 bytes") }
        return digest
    }
}

/// A key pair of the simulator. Two with one number are one key.
public struct SimulatedKey: Hashable, Sendable {
    /// Its public half.
    public let publicKey: PublicKey

    /// - Parameter number: names the key; the same number gives the same key in every process.
    public init(_ number: UInt64) {
        publicKey = PublicKey(info: Array("simulated".utf8) + number.bigEndianBytes)
    }

    /// The node whose first key this is.
    public var node: NodeID { NodeID(SimulatedSuite().pin(of: publicKey).digest) }

    /// 64 bytes over `bytes`.
    public func sign(_ bytes: [UInt8]) -> [UInt8] {
        Self.signature(over: bytes, by: publicKey, using: SimulatedSuite())
    }

    /// The answer to a request to sign, as a shell would give it.
    public func sign(_ request: SigningRequest) -> DocumentSignature {
        let input = Array("\(request.kind.rawValue).".utf8) + request.payload.bytes
        return DocumentSignature(
            signer: SimulatedSuite().pin(of: publicKey), input: Octets(input), value: Octets(sign(input)))
    }

    /// A whole document, signed by this key.
    public func sign<Body: SignedBody>(_ body: Body) -> Signed<Body> {
        let payload = Octets(SimulatedSuite().encoded(body))
        let signature = sign(SigningRequest(ticket: Ticket(0), kind: Body.kind, payload: payload))
        return Signed(body: body, payload: payload, signatures: [signature])
    }

    static func signature(over bytes: [UInt8], by key: PublicKey, using suite: SimulatedSuite) -> [UInt8] {
        let first = suite.authenticationCode(of: bytes, under: key.info.bytes)
        return first.bytes + suite.digest(first.bytes).bytes
    }
}
