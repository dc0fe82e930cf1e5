/// What can fail where keys and certificates are made, kept and read. No case ever carries a secret or text
/// from a peer.
public enum CredentialError: Error, Equatable, Sendable {
    /// There is no key file at this path.
    case keyMissing(path: String)
    /// There is a file at the path where a key was to be created; it was left as it is.
    case keyExists(path: String)
    /// What is at the path is a symbolic link, a folder, a socket or a device.
    case keyIsNoFile(path: String)
    /// The key file belongs to another user.
    case keyOfAnotherUser(path: String, owner: UInt32, expected: UInt32)
    /// The group or everybody may read or write the key file.
    case keyOpenToOthers(path: String, mode: UInt32)
    /// The file holds no P-256 private key in PEM, or more than a key needs.
    case keyMalformed(path: String)
    /// The file holds no join token.
    case tokenMalformed(path: String)
    /// The system refused an operation on a key file or its folder.
    case fileRefused(path: String, operation: FileOperation, errno: Int32)
    /// The cryptographic library could not sign.
    case signingFailed
    /// A certificate could not be built: a bug, or a clock outside the years 1970 to 9999.
    case certificateNotMade
    /// The bytes are no node certificate; `what` names the first rule that they break.
    case certificateMalformed(what: String)

    /// What was being done to a file.
    public enum FileOperation: String, Sendable {
        case open, inspect, read, write, sync, publish
    }
}

extension CredentialError: CustomStringConvertible {
    /// What happened, what was compared, and the next command where there is one.
    public var description: String {
        switch self {
        case .keyMissing(let path): "there is no key at \(path)"
        case .keyExists(let path): "a file is already at \(path); a key is never overwritten"
        case .keyIsNoFile(let path):
            "\(path) is not a plain file; a key must be one, not a link. Put the key file itself there"
        case .keyOfAnotherUser(let path, let owner, let expected):
            "\(path) belongs to user \(owner), this process runs as user \(expected). "
                + "Next: chown \(expected) \(path)"
        case .keyOpenToOthers(let path, let mode):
            "\(path) has mode \(octal(mode)), a key must have 600. Next: chmod 600 \(path) "
                + "-- and if others had access to it, think of the key as known to them"
        case .keyMalformed(let path): "\(path) holds no P-256 private key in PEM (PKCS#8)"
        case .tokenMalformed(let path):
            "\(path) holds no join token. Next, on the node with the anchor: comity domain token FILE"
        case .fileRefused(let path, let operation, let number):
            "could not \(operation.rawValue) \(path): \(systemText(number))"
        case .signingFailed: "the cryptographic library could not sign"
        case .certificateNotMade: "the node certificate could not be built; look at the clock of this machine"
        case .certificateMalformed(let what): "not a node certificate: \(what)"
        }
    }
}

private func octal(_ mode: UInt32) -> String { String(mode & 0o7777, radix: 8) }
