import MeshBase

/// One key of a bundle: a JWK (RFC 7517) for the use `x509-svid`, without a `kid`, and with exactly one
/// certificate (X509-SVID section 6.1).
///
/// The certificate is for readers of SPIFFE. What counts here is the key, which is pinned by the bundle and
/// not by a path of certificates.
public struct BundleKey: Codable, Equatable, Sendable {
    /// The key.
    public let key: PublicKey
    /// A self-signed certificate of an authority with this key, in DER.
    public let certificate: Octets

    public init(key: PublicKey, certificate: Octets) {
        self.key = key
        self.certificate = certificate
    }

    private enum Member: String, CodingKey { case crv, kty, use, x, x5c, y }

    private static let curve = "P-256"
    private static let type = "EC"
    private static let use = "x509-svid"

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Member.self)
        func refused(_ member: Member, _ what: String) -> DecodingError {
            DecodingError.dataCorruptedError(forKey: member, in: container, debugDescription: what)
        }
        for (member, expected) in [(Member.crv, Self.curve), (.kty, Self.type), (.use, Self.use)] {
            guard try container.decode(String.self, forKey: member) == expected else {
                throw refused(member, "not \(expected)")
            }
        }
        guard
            let key = PublicKey(
                p256: try container.decode(Octets.self, forKey: .x),
                try container.decode(Octets.self, forKey: .y))
        else { throw refused(.x, "no coordinates of P-256") }
        self.key = key
        let texts = try container.decode([String].self, forKey: .x5c)
        guard texts.count == 1, let certificate = Base64.decode(texts[0]) else {
            throw refused(.x5c, "not one certificate in base64")
        }
        self.certificate = Octets(certificate)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Member.self)
        try container.encode(Self.curve, forKey: .crv)
        try container.encode(Self.type, forKey: .kty)
        try container.encode(Self.use, forKey: .use)
        let point = key.p256Coordinates
        try container.encode(point.x, forKey: .x)
        try container.encode([Base64.encode(certificate.bytes)], forKey: .x5c)
        try container.encode(point.y, forKey: .y)
    }
}
