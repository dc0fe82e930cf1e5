/// Some of the 256 bytes: what a token, a name or a path may be made of.
///
/// Texts on the path of a call are held to several such sets on their way; so a text's bytes are looked at
/// where they stand, and each costs one look into a table.
public struct ByteSet: Sendable {
    private let isMember: [Bool]

    /// Those for which `isMember` holds.
    public init(_ isMember: (UInt8) -> Bool) { self.isMember = (UInt8.min ... .max).map(isMember) }

    /// Whether `byte` is one of them.
    public func contains(_ byte: UInt8) -> Bool { isMember[Int(byte)] }

    /// Whether each byte of `text` in UTF-8 is one of them; true for no bytes.
    public func holds(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { holds(UnsafeRawBufferPointer($0)) }
            ?? text.utf8.allSatisfy(contains)
    }

    /// Whether each of `bytes` is one of them; true for none.
    public func holds(_ bytes: UnsafeRawBufferPointer) -> Bool {
        isMember.withUnsafeBufferPointer { isMember in
            for byte in bytes where !isMember[Int(byte)] { return false }
            return true
        }
    }
}
