import MeshBase
import MeshSimulator
import MeshTrust

extension Sample {
    /// A handshake of a link, both sides, with signatures that cost next to nothing: what is left is the
    /// machines.
    /// - Parameter peers: how many each of the two knows; at least the other.
    static func simulatedHandshake(_ name: String, peers: Int) -> Sample {
        Sample(name) {
            let wall = WallTime(milliseconds: 1_800_000_000_000)
            let sides = [HandshakeSide(simulated: 1, at: wall), HandshakeSide(simulated: 2, at: wall)]
            let others = (1..<peers).map { PeerRecord(simulated: UInt64(100 + $0), at: wall) }
            var pair = try HandshakePair(
                sides, suite: SimulatedSuite(), at: wall, pins: PinBook(peers: others, revokedPins: []))
            return { count in for _ in 0..<count { try pair.shakeHands() } }
        }
    }
}

extension HandshakeSide {
    init(simulated number: UInt64, at wall: WallTime) {
        let key = SimulatedKey(number)
        let leaf = SimulatedKey(number + 50)
        let (from, until) = (wall - .seconds(3_600), wall + .seconds(1_000_000))
        let bytes = IdentityStatement.signedBytes(
            node: key.node, certificateKey: leaf.publicKey, notBefore: from, notAfter: until)
        identity = OwnIdentity(
            node: key.node, key: key.publicKey, inception: key.inception, name: simulatedName(number),
            boot: BootID(number: 1, random: number))
        certificate = CertificateFacts(
            certificateDigest: SimulatedSuite().digest(leaf.publicKey.info.bytes),
            certificateKey: leaf.publicKey,
            notBefore: from, notAfter: until,
            statement: IdentityStatement(
                node: key.node, identityKey: key.publicKey, signature: Octets(key.sign(bytes))))
        sign = { key.sign($0) }
    }
}

extension PeerRecord {
    init(simulated number: UInt64, at wall: WallTime) {
        let key = SimulatedKey(number)
        self.init(
            node: key.node, key: key.publicKey, pin: SimulatedSuite().pin(of: key.publicKey),
            inception: key.inception, name: simulatedName(number), state: .trusted, since: wall,
            evidence: TrustEvidence(kind: .invite, transcript: nil, note: "for the benchmark"), boot: nil)
    }
}

extension SimulatedKey {
    fileprivate var inception: Signed<Inception> {
        sign(Inception(key: publicKey, nextKeyDigest: .zero))
    }
}

private func simulatedName(_ number: UInt64) -> NodeName {
    guard let name = NodeName("node-\(number)") else { preconditionFailure("node-\(number) is no name") }
    return name
}
