/// A small secret that an operator put into a file: a token, a key for somebody else's TLS. It must be its
/// owner's alone, like a key of our own.
public enum SecretFile {
    /// The bytes at `path`, at most 4 KiB.
    /// - Throws: the rule of a private file that it breaks.
    public static func read(_ path: String) throws(CredentialError) -> [UInt8] {
        try PrivateFile(path: path).read()
    }
}
