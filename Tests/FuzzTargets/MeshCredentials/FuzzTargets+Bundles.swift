import MeshBase
import MeshWire

@testable import MeshCredentials
@testable import MeshTrust

/// The file of another domain's bundle: ours, or what any other program of SPIFFE wrote.
extension FuzzTargets {
    static let bundleFile = FuzzTarget(
        "bundle-file", longest: 8_192,
        samples: {
            guard let bundle = try writtenBundle() else { return [] }
            let entry = String(decoding: bundle.payload.bytes, as: UTF8.self)
            let foreign = entry.replacing(#""comity":{"#, with: #""vendor":{"x":[1,true],"#)
                .replacing(#""kty":"EC","#, with: #""kid":"k","kty":"EC","#)
            return [
                Array(try BundleFile.text(of: bundle).utf8), bundle.payload.bytes, Array(foreign.utf8),
            ]
        },
        read: { bytes in
            guard let file = try refusing({ try BundleFile(bytes) }) else { return .refused }
            switch file {
            case .signed(let bundle):
                let again = try BundleFile(Array(try BundleFile.text(of: bundle).utf8))
                try hold(again == file, "written and read again it is another bundle")
                try holdKeys(bundle.body.keys.map(\.key))
            case .bare(let bare): try holdKeys(bare.keys)
            }
            return .taken
        })

    /// Whatever is taken is a key with one encoding: another would look like another key.
    private static func holdKeys(_ keys: [PublicKey]) throws {
        try hold(keys.allSatisfy { CanonicalKey($0) != nil }, "a key with two encodings, or none")
    }

    private static func writtenBundle() throws -> Signed<DomainBundle>? {
        let anchor = IdentityKey.ephemeral()
        guard let label = NodeName("acme") else { return nil }
        let key = BundleKey(
            key: anchor.publicKey, certificate: Octets(try AnchorCertificate.made(by: anchor)))
        let body = DomainBundle(
            domain: DomainID(anchor.pin.digest), label: label,
            issued: WallTime(milliseconds: 1_795_229_494_556), sequence: 2, keys: [key])
        return try Signer(anchor).signed(body, using: SystemSuite())
    }
}
