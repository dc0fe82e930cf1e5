import MeshBase

/// What the initiator of a handshake says in place of a domain's name (protocol section 2): HMAC-SHA-256 of
/// its nonce, under SHA-256(label, anchor pin). Who holds the anchor's pin recognises it, to all others it is
/// noise, and no two connections show the same.
enum AnchorTag {
    /// The tag of `domain` on the connection with this nonce.
    static func tag(of domain: DomainID, nonce: Digest, using suite: some SignatureSuite) -> Digest {
        var fields = FieldSequence(.anchorTag)
        fields.append(domain.digest)
        let key = suite.digest(fields.bytes)
        return suite.authenticationCode(of: nonce.bytes, under: key.bytes)
    }

    /// Whether `domain`'s tag is among `tags`. Every tag is compared, each in constant time.
    static func isTag(
        of domain: DomainID, among tags: [Digest], nonce: Digest, using suite: some SignatureSuite
    ) -> Bool {
        let expected = tag(of: domain, nonce: nonce, using: suite)
        return tags.reduce(false) { found, tag in tag == expected || found }
    }
}
