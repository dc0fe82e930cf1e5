import Crypto
import MeshBase
import MeshCredentials

/// What it takes until two nodes know each other, beside the signatures without which nobody would.
func handshakeComparisons() throws -> [Comparison] {
    [
        Comparison(
            area: "handshake", title: "what one is made of, beside one ECDSA P-256 signature",
            baseline: .bareSignature(),
            others: [
                .bareVerification(), .bareHash(),
                Sample("SystemSuite verifies, key parsed anew") {
                    let key = try Person().key
                    let bytes = [UInt8](repeating: 7, count: 400)
                    let signature = try key.sign(bytes)
                    return { count in
                        for _ in 0..<count {
                            try require(
                                SystemSuite().isValid(signature, over: bytes, by: key.publicKey), "not valid")
                        }
                    }
                },
                Sample("a node certificate is read and checked") {
                    let der = try Person().certificate.certificate
                    return { count in for _ in 0..<count { keep(try CertificateReader.facts(der: der)) } }
                },
                Sample("a node certificate is issued") {
                    let person = try Person()
                    return { count in
                        for _ in 0..<count {
                            keep(
                                try NodeCertificate.issue(
                                    for: person.key.nodeID, by: person.key, at: person.wall))
                        }
                    }
                },
            ]),
        Comparison(
            area: "handshake", title: "the challenge and response of a link, both sides",
            baseline: try .bareCryptography(), others: [.handshake()]),
        loopbackHandshake(),
    ]
}

extension Sample {
    private static var message: [UInt8] { [UInt8](repeating: 7, count: 400) }

    fileprivate static func bareSignature() -> Sample {
        Sample("P-256 signs 400 bytes") {
            let key = P256.Signing.PrivateKey()
            let message = message
            return { count in for _ in 0..<count { keep(try key.signature(for: message)) } }
        }
    }

    fileprivate static func bareVerification() -> Sample {
        Sample("P-256 verifies, key at hand") {
            let key = P256.Signing.PrivateKey()
            let message = message
            let signature = try key.signature(for: message)
            let publicKey = key.publicKey
            return { count in
                for _ in 0..<count {
                    try require(publicKey.isValidSignature(signature, for: message), "not valid")
                }
            }
        }
    }

    fileprivate static func bareHash() -> Sample {
        Sample("SHA-256 of 400 bytes") {
            let message = message
            return { count in for _ in 0..<count { keep(SHA256.hash(data: message)) } }
        }
    }

    /// As many signatures and verifications as a handshake makes, one after the other: what no program could
    /// save without another protocol.
    fileprivate static func bareCryptography() throws -> Sample {
        let (made, checked) = try CountingSuite.countsOfHandshake()
        return Sample("\(made) P-256 signatures, \(checked) verifications") {
            let key = P256.Signing.PrivateKey()
            let message = message
            let signature = try key.signature(for: message)
            let publicKey = key.publicKey
            return { count in
                for _ in 0..<count {
                    for _ in 0..<made { keep(try key.signature(for: message)) }
                    for _ in 0..<checked { keep(publicKey.isValidSignature(signature, for: message)) }
                }
            }
        }
    }

    /// Both machines with real signatures; the messages are handed over as values.
    fileprivate static func handshake() -> Sample {
        Sample("both machines, M1 to M4") {
            let people = [try Person(), try Person()]
            var pair = try HandshakePair(
                try people.map { try $0.side() }, suite: SystemSuite(), at: people[0].wall)
            return { count in for _ in 0..<count { try pair.shakeHands() } }
        }
    }
}
