import Foundation
import MeshBase
import MeshTrust
import MeshWire
import Testing

@testable import MeshCredentials
@testable import MeshTrust

@Suite("Bundles in files")
struct BundleFileTests {
    private let suite = SystemSuite()
    private let anchor = IdentityKey.ephemeral()

    private func certificate(_ key: IdentityKey) throws -> Octets {
        Octets(try AnchorCertificate.made(by: key))
    }

    private func bundle(_ keys: [IdentityKey]? = nil, certificate other: Octets? = nil) throws -> Signed<
        DomainBundle
    > {
        let keys = try (keys ?? [anchor]).map { key in
            BundleKey(key: key.publicKey, certificate: try other ?? certificate(key))
        }
        let body = DomainBundle(
            domain: DomainID(anchor.pin.digest), label: try #require(NodeName("acme")),
            issued: WallTime(milliseconds: 1_795_255_200_000), sequence: 3, keys: keys)
        let payload = Octets(suite.encoded(body))
        let request = SigningRequest(ticket: Ticket(0), kind: DomainBundle.kind, payload: payload)
        return Signed(body: body, payload: payload, signatures: [try Signer(anchor).sign(request)])
    }

    @Test("a signed bundle is read as it was written, in white space or without")
    func signed() throws {
        let bundle = try bundle()
        let text = try BundleFile.text(of: bundle)
        #expect(text.hasSuffix("}\n") && !text.dropLast().contains("\n"))
        #expect(try BundleFile(Array(text.utf8)) == .signed(bundle))
        #expect(try BundleFile(Array(" \r\n\t\(text) \n".utf8)) == .signed(bundle))
        #expect(bundle.isSigned(by: anchor.publicKey, using: suite))
    }

    @Test("the payload says what SPIFFE asks for, and what is ours under one name")
    func payload() throws {
        let object = try JSONSerialization.jsonObject(with: Data(bundle().payload.bytes))
        let members = try #require(object as? [String: Any])
        #expect(Set(members.keys) == ["comity", "keys", "spiffe_refresh_hint", "spiffe_sequence"])
        #expect(members["spiffe_sequence"] as? Int == 3 && members["spiffe_refresh_hint"] as? Int == 300)
        let key = try #require((members["keys"] as? [[String: Any]])?.first)
        #expect(Set(key.keys) == ["crv", "kty", "use", "x", "x5c", "y"])
        #expect(key["use"] as? String == "x509-svid" && key["kty"] as? String == "EC")
        let der = try #require((key["x5c"] as? [String]).flatMap { Data(base64Encoded: $0[0]) })
        #expect(AnchorCertificate.key(in: [UInt8](der)) == anchor.publicKey)
    }

    @Test("a certificate of another key, or of no authority, makes no bundle")
    func foreignCertificate() throws {
        let others = [
            try certificate(IdentityKey.ephemeral()),
            Octets(
                try NodeCertificate.issue(
                    for: anchor.nodeID, by: anchor, at: WallTime(milliseconds: 1_795_255_200_000)
                ).certificate), Octets([1, 2, 3]),
        ]
        for other in others {
            let bundle = try bundle(certificate: other)
            let text = try BundleFile.text(of: bundle)
            #expect(throws: WireError.self) { try BundleFile(Array(text.utf8)) }
            #expect(throws: WireError.self) { try BundleFile(bundle.payload.bytes) }
        }
    }

    // MARK: Bare

    @Test("the payload alone is a bare bundle with the same keys and content")
    func bare() throws {
        let second = IdentityKey.ephemeral()
        let bundle = try bundle([anchor, second])
        guard case .bare(let bare) = try BundleFile(bundle.payload.bytes + [10]) else {
            Issue.record("not bare")
            return
        }
        #expect(bare.keys == [anchor.publicKey, second.publicKey])
        #expect(bare.label?.description == "acme")
        #expect(bare.content == bundle.contentID(using: suite))
    }

    /// As other programs write it: other keys and uses, members that we do not know, padding.
    private func foreign(_ change: (inout [String: Any]) -> Void = { _ in }) throws -> [UInt8] {
        let point = anchor.publicKey.p256Coordinates
        func padded(_ bytes: Octets) -> String { Data(bytes.bytes).base64EncodedString() }
        var ours: [String: Any] = [
            "kty": "EC", "use": "x509-svid", "crv": "P-256", "x": padded(point.x), "y": padded(point.y),
            "kid": "unexpected",
            "x5c": [
                Data(try certificate(anchor).bytes).base64EncodedString()
            ],
        ]
        change(&ours)
        let document: [String: Any] = [
            "keys": [
                [
                    "kty": "RSA", "use": "x509-svid", "n": String(repeating: "A", count: 342), "e": "AQAB",
                    "x5c": ["AA=="],
                ],
                ["kty": "EC", "use": "jwt-svid", "kid": "k", "crv": "P-256", "x": "AA", "y": "AA"],
                ["kty": "OKP", "use": "x509-svid", "crv": "Ed25519", "x": "AA"],
                ["kty": "EC", "use": "x509-svid", "crv": "P-256", "x": "AA", "y": "AA"], ours,
            ],
            "spiffe_sequence": 41, "spiffe_refresh_hint": 600, "vendor": ["a": [true, 1, "x"]],
        ]
        return [UInt8](try JSONSerialization.data(withJSONObject: document, options: .prettyPrinted))
    }

    @Test("a bundle of other programs is read for the keys that are ours to use")
    func spire() throws {
        guard case .bare(let bare) = try BundleFile(foreign()) else {
            Issue.record("not bare")
            return
        }
        #expect(bare.keys == [anchor.publicKey])
        #expect(bare.label == nil)
    }

    @Test(
        "an entry whose key and certificate do not fit refuses the bundle; one without either is passed over"
    )
    func misfits() throws {
        #expect(throws: WireError.self) { try BundleFile(foreign { $0["x"] = "AA" }) }
        #expect(throws: WireError.self) { try BundleFile(foreign { $0["x5c"] = ["AAAA"] }) }
        #expect(throws: WireError.self) {
            try BundleFile(foreign { $0["y"] = Base64URL.encode([UInt8](repeating: 1, count: 32)) })
        }
        for empty in [[String](), nil] {
            guard case .bare(let bare) = try BundleFile(foreign { $0["x5c"] = empty }) else { return }
            #expect(bare.keys.isEmpty)
        }
    }

    @Test("what is no bundle is none: other JSON, too many keys, more than 64 KiB")
    func refused() throws {
        for text in ["", "{}", "[]", "{\"keys\":1}", "{\"keys\":[{}],\"keys\":[]}", "comity1_abc"] {
            #expect(throws: WireError.self) { try BundleFile(Array(text.utf8)) }
        }
        let many = (0...Limits.bundleKeys).map { _ in IdentityKey.ephemeral() }
        #expect(throws: WireError.self) { try BundleFile(bundle(many).payload.bytes) }
        #expect(throws: Never.self) { try BundleFile(bundle(many.dropLast()).payload.bytes) }
        let long = Array(
            "{\"keys\":[],\"x\":\"\(String(repeating: "A", count: BundleFile.lengthMax))\"}".utf8)
        #expect(throws: WireError.self) { try BundleFile(long) }
        #expect(try BundleFile(Array("{\"keys\":[]}".utf8)) == .bare(BareBundle(Array("{\"keys\":[]}".utf8))))
    }

    // MARK: Others' opinions

    @Test(
        "openssl takes the certificate for a self-signed authority of the trust domain",
        .enabled(if: Openssl.isInstalled, "the openssl command is not installed"))
    func openssl() throws {
        let folder = try TemporaryFolder()
        let der = folder.file("anchor.der")
        try Data(certificate(anchor).bytes).write(to: URL(fileURLWithPath: der))
        let text = try Openssl.run("x509", "-inform", "der", "-in", der, "-noout", "-text")
        #expect(text.contains("CA:TRUE"))
        #expect(text.contains("X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n"))
        #expect(text.contains("URI:spiffe://\(DomainID(anchor.pin.digest))\n"))
        #expect(text.contains("Not After : Dec 31 23:59:59 9999 GMT"))
        let pem = folder.file("anchor.pem")
        _ = try Openssl.run("x509", "-inform", "der", "-in", der, "-out", pem)
        let verdict = try Openssl.run("verify", "-check_ss_sig", "-CAfile", pem, pem)
        #expect(verdict.hasSuffix(": OK\n"))
    }

    @Test(
        "jwcrypto takes the signature for the anchor's, and each key for the one in its certificate",
        .enabled(if: JWCrypto.python != nil, "jwcrypto cannot be had: Scripts/python-with jwcrypto says why"))
    func jwcrypto() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("acme.bundle")
        try Data(BundleFile.text(of: bundle()).utf8).write(to: URL(fileURLWithPath: file))
        #expect(try JWCrypto.check(file) == "acme 3 ES256 comity-bundle+json\n")
    }
}

/// An implementation of JOSE that others wrote.
private enum JWCrypto {
    static let python: String? = {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Scripts/python-with").path
        let (status, text) = run(script, "jwcrypto")
        return status == 0 ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
    }()

    static let program = """
        import base64, json, sys
        from cryptography import x509
        from jwcrypto import jwk, jws
        text = open(sys.argv[1]).read()
        document = json.loads(text)
        padded = document["payload"] + "=" * (-len(document["payload"]) % 4)
        entry = json.loads(base64.urlsafe_b64decode(padded))["keys"][0]
        key = jwk.JWK(**{name: entry[name] for name in ("kty", "crv", "x", "y")})
        token = jws.JWS()
        token.deserialize(text, key)
        certificate = x509.load_der_x509_certificate(base64.b64decode(entry["x5c"][0], validate=True))
        named = jwk.JWK.from_pyca(certificate.public_key())
        assert named.thumbprint() == key.thumbprint(), "the certificate is of another key"
        body = json.loads(token.payload)
        header = json.loads(base64.urlsafe_b64decode(document["signatures"][0]["protected"] + "=="))
        print(body["comity"]["label"], body["spiffe_sequence"], header["alg"], header["typ"])
        """

    static func check(_ file: String) throws -> String {
        let (status, text) = run(try #require(python), "-c", program, file)
        #expect(status == 0)
        return text
    }

    private static func run(_ path: String, _ arguments: String...) -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        do { try process.run() } catch { return (-1, "") }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
}
