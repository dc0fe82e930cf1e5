/// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012): who does not know
/// the key can neither foretell a value nor find two inputs with one.
///
/// Some times as fast over 72 bytes as SHA-256, which matters where a million ids are made anew for each
/// session, or every value of every audit event is put into a filter; for what is signed it is too short.
@frozen
public struct SipHash: Equatable, Sendable {
    /// The key's bytes 0 ... 7 and 8 ... 15, each little-endian.
    @usableFromInline let key: (UInt64, UInt64)

    /// - Parameters: the key's bytes 0 ... 7, and 8 ... 15, each as a little-endian number.
    @inlinable
    public init(key first: UInt64, _ second: UInt64) { key = (first, second) }

    /// The hash of the eight bytes of `word`, little-endian.
    @inlinable
    public func hash(of word: UInt64) -> UInt64 {
        var state = SipState(key)
        state.absorb(word)
        return state.finish(tail: 0, lengthInBytes: 8)
    }

    /// The hash of these words, each little-endian; at most 31 of them.
    @inlinable @inline(__always)
    public func hash<let count: Int>(of words: InlineArray<count, UInt64>) -> UInt64 {
        var state = SipState(key)
        for index in words.indices { state.absorb(words[index]) }
        return state.finish(tail: 0, lengthInBytes: count * 8)
    }

    /// The hash of these bytes, however many.
    public func hash(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = SipState(key)
        let whole = bytes.count & ~7
        for offset in stride(from: 0, to: whole, by: 8) {
            state.absorb(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        }
        var tail: UInt64 = 0
        for offset in whole..<bytes.count { tail |= UInt64(bytes[offset]) << (8 * UInt64(offset - whole)) }
        return state.finish(tail: tail, lengthInBytes: bytes.count)
    }

    @inlinable
    public static func == (left: Self, right: Self) -> Bool { left.key == right.key }
}

@frozen @usableFromInline
struct SipState {
    @usableFromInline var v0, v1, v2, v3: UInt64

    @inlinable
    init(_ key: (UInt64, UInt64)) {
        v0 = key.0 ^ 0x736f_6d65_7073_6575
        v1 = key.1 ^ 0x646f_7261_6e64_6f6d
        v2 = key.0 ^ 0x6c79_6765_6e65_7261
        v3 = key.1 ^ 0x7465_6462_7974_6573
    }

    @inlinable @inline(__always)
    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    /// - Parameters:
    ///   - tail: the last bytes, fewer than eight, as a little-endian number.
    ///   - lengthInBytes: of all that was absorbed, these too.
    @inlinable @inline(__always)
    mutating func finish(tail: UInt64, lengthInBytes: Int) -> UInt64 {
        absorb(UInt64(truncatingIfNeeded: lengthInBytes) << 56 | tail)
        v2 ^= 0xff
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    @inlinable @inline(__always)
    mutating func round() {
        v0 &+= v1
        v2 &+= v3
        v1 = Self.rotated(v1, by: 13) ^ v0
        v3 = Self.rotated(v3, by: 16) ^ v2
        v0 = Self.rotated(v0, by: 32)
        v2 &+= v1
        v0 &+= v3
        v1 = Self.rotated(v1, by: 17) ^ v2
        v3 = Self.rotated(v3, by: 21) ^ v0
        v2 = Self.rotated(v2, by: 32)
    }

    @inlinable @inline(__always)
    static func rotated(_ word: UInt64, by bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
}
