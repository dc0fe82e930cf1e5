import MeshBase

/// The four bytes before each sealed record of a body: what it is, and how long. They are authenticated with
/// it, so that none can be taken for another (Docs/Protocol.md, Sealed payloads).
public struct SealedRecordHeader: Equatable, Sendable {
    /// Bytes of a header.
    public static let length = 4
    /// Bytes by which what is sealed is longer than what is clear.
    public static let tagLength = 16

    /// What a record is.
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// A piece of the body: one byte at least.
        case data = 1
        /// The end: nothing, or trailers.
        case last = 2
    }

    /// What it is.
    public let kind: Kind
    /// Bytes of the sealed record behind the header, with its tag.
    public let sealedLength: Int

    /// - Parameter clearLength: of a piece 1 ... `Limits.sealedRecord` bytes; of the end up to
    ///   `Limits.invocationHead`.
    public init(_ kind: Kind, clearLength: Int) {
        precondition(Self.lengths(of: kind).contains(clearLength), "\(clearLength) bytes in a record")
        self.kind = kind
        sealedLength = clearLength + Self.tagLength
    }

    /// Reads the header with which `bytes` begin; nil while less than a header is there.
    /// - Throws: `fieldRefused` for what `encoded` would not have written.
    public init?(from bytes: some RandomAccessCollection<UInt8>) throws(WireError) {
        guard bytes.count >= Self.length else { return nil }
        let numbers = bytes.prefix(Self.length)
        guard let first = numbers.first, let kind = Kind(rawValue: first) else {
            throw .fieldRefused("kind of a record", at: 0)
        }
        let length = numbers.dropFirst().reduce(0) { $0 << 8 | Int($1) }
        guard Self.lengths(of: kind).contains(length - Self.tagLength) else {
            throw .fieldRefused("length of a record", at: 1)
        }
        self.kind = kind
        sealedLength = length
    }

    /// The four bytes.
    public var encoded: [UInt8] {
        [
            kind.rawValue, UInt8(truncatingIfNeeded: sealedLength >> 16),
            UInt8(truncatingIfNeeded: sealedLength >> 8), UInt8(truncatingIfNeeded: sealedLength),
        ]
    }

    private static func lengths(of kind: Kind) -> ClosedRange<Int> {
        switch kind {
        case .data: 1...Limits.sealedRecord
        case .last: 0...Limits.invocationHead
        }
    }
}
