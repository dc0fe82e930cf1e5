import MeshBase

/// What a node says in place of a domain's name (protocol sections 2 and 3): a code under
/// SHA-256(label, anchor pin). Who holds the anchor's pin recognises it, to all others it is noise, and no
/// two connections and no two links show the same.
///
/// It is bound to who says it: whoever was told one, as every stranger is whom a member dials, can make
/// nobody believe that it knows the anchor.
enum AnchorTag {
    /// What the initiator of a handshake says, on the connection with this nonce and this certificate of its
    /// own.
    static func tag(
        of domain: DomainID, nonce: Digest, certificate: Digest, using suite: some SignatureSuite
    ) -> Digest {
        suite.authenticationCode(of: nonce.bytes + certificate.bytes, under: key(of: domain, using: suite))
    }

    /// What `sender` says to `receiver` over their link.
    static func tag(
        of domain: DomainID, from sender: NodeID, to receiver: NodeID, using suite: some SignatureSuite
    ) -> Digest {
        var fields = FieldSequence(.linkTag)
        fields.append(sender.digest)
        fields.append(receiver.digest)
        return suite.authenticationCode(of: fields.bytes, under: key(of: domain, using: suite))
    }

    private static func key(of domain: DomainID, using suite: some SignatureSuite) -> [UInt8] {
        var fields = FieldSequence(.anchorTag)
        fields.append(domain.digest)
        return suite.digest(fields.bytes).bytes
    }
}

extension [Digest] {
    /// Whether `tag` is among these. Every one is compared, each in constant time.
    func holds(tag: Digest) -> Bool { reduce(false) { found, other in other == tag || found } }
}

/// Which domain the sender is in, by a tag: to who does not accept that domain it is noise.
public struct DomainTags: Codable, Equatable, Sendable {
    /// At most `Limits.anchorTags`.
    public let tags: [Digest]

    public init(tags: [Digest]) { self.tags = Array(tags.prefix(Limits.anchorTags)) }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        tags = try container.decode([Digest].self, forKey: .tags)
        guard tags.count <= Limits.anchorTags else {
            throw DecodingError.dataCorruptedError(
                forKey: .tags, in: container, debugDescription: "at most \(Limits.anchorTags) tags")
        }
    }
}
