import MeshAgreements
import MeshBase
import MeshControl
import MeshCredentials
import MeshWire

/// A person's key, in the hands of whoever runs the command: a file of its own (PEM, mode 0600) that no agent
/// reads and no store keeps.
public struct PersonKey: Sendable {
    private let key: IdentityKey

    /// The public half: SubjectPublicKeyInfo in DER, in base64url.
    public var publicText: String { Base64URL.encode(key.publicKey.info.bytes) }
    /// Its pin, in base64url.
    public var pin: String { key.pin.description }

    /// The file in a home that holds the key of the person `name`, unless the person chose another.
    public static func file(of name: NodeName, in home: String) -> String { "\(home)/person-\(name).key" }

    /// Whether a file of a home is named as a person's key is.
    static func isNamed(_ name: String) -> Bool { name.hasPrefix("person-") && name.hasSuffix(".key") }

    /// The key at `path`.
    public static func load(from path: String) throws(ControlFailure) -> PersonKey {
        do throws(CredentialError) {
            return PersonKey(key: try IdentityKey.load(from: path))
        } catch {
            throw failure(error, path)
        }
    }

    /// The key at `path`, made when none is there.
    public static func prepare(at path: String) throws(ControlFailure) -> PersonKey {
        do throws(CredentialError) {
            return PersonKey(key: try IdentityKey.create(at: path))
        } catch {
            if case .keyExists = error { return try load(from: path) }
            throw failure(error, path)
        }
    }

    /// What the person says about the agreement of this content id (64 hexadecimal digits), signed: a JWS as
    /// JSON.
    /// - Throws: a failure of usage when the content id is none, no role is named or the reason is too long.
    public func word(
        isApproval: Bool, of contentID: String, for party: NodeID, as roles: [PersonRole], reason: String
    ) throws(ControlFailure) -> String {
        guard let bytes = Hexadecimal.decode(contentID), let digest = Digest(bytes), !roles.isEmpty,
            reason.utf8.count <= AgreementLimits.reasonLength, reason.isPlain
        else {
            throw ControlFailure(
                .usage, code: "request-malformed",
                message: "a word needs a whole content id, a role, and a plain reason of at most 256 bytes",
                facts: [Fact("content id", contentID), Fact("roles", roles.count)])
        }
        let body = Approval(
            contentID: digest, party: party, person: key.pin, decision: isApproval ? .approve : .veto,
            roles: roles.map(\.role), reason: reason, given: SystemClock.now().wall)
        do {
            let signed = try Signer(key).signed(body, using: SystemSuite())
            return String(decoding: try Document.encode(signed), as: UTF8.self)
        } catch {
            throw ControlFailure(
                .fault, code: "agent-fault", message: "the word cannot be signed",
                facts: [Fact("cause", String(describing: error))])
        }
    }

    /// A P-256 key in the form in which keys are pinned; nil for any other bytes.
    static func publicKey(_ info: [UInt8]) -> PublicKey? {
        let key = PublicKey(info: info)
        return key.isCanonical ? key : nil
    }

    private static func failure(_ error: CredentialError, _ path: String) -> ControlFailure {
        ControlFailure(
            .refused, code: "file-refused", message: "\(error)", facts: [Fact("path", path)],
            next: "ls -l \(path)")
    }
}
