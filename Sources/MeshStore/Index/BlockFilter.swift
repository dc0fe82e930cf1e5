import MeshBase

/// Which values stand in a block of the audit's journal: surely not, or perhaps (Bloom, "Space/time
/// trade-offs in hash coding with allowable errors", CACM 1970). Ten bits and seven probes for a value say
/// "perhaps" of one in a hundred that is not there; the probes are made of two halves of one hash (Kirsch and
/// Mitzenmacher, "Less hashing, same performance: building a better Bloom filter", ESA 2006).
struct BlockFilter: Equatable, Sendable {
    /// The key under which the values are hashed, drawn for each block: who chooses the ids of calls cannot
    /// choose what collides.
    struct Salt: Equatable, Sendable {
        let first: UInt64
        let second: UInt64

        /// The hash of one value of one field.
        func hash(_ bytes: UnsafeRawBufferPointer, of field: AuditTerms.Field) -> UInt64 {
            SipHash(key: first ^ field.rawValue, second).hash(of: bytes)
        }
    }

    private static let bitsPerValue = 10
    private static let probes: UInt64 = 7

    /// How it is kept.
    private(set) var bytes: [UInt8]

    /// One that holds these.
    /// - Parameter hashes: of each value one; some may stand there more than once.
    init(holding hashes: some Collection<UInt64>) {
        let bits = max(64, hashes.count * Self.bitsPerValue)
        bytes = [UInt8](repeating: 0, count: (bits + 7) / 8)
        for hash in hashes {
            for probe in 0..<Self.probes {
                let bit = place(of: hash, probe)
                bytes[bit >> 3] |= 1 << UInt8(bit & 7)
            }
        }
    }

    /// One that was kept.
    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Whether the value may be there; an empty filter, which nobody wrote, says so of all.
    func mayHold(_ hash: UInt64) -> Bool {
        guard !bytes.isEmpty else { return true }
        return (0..<Self.probes).allSatisfy { probe in
            let bit = place(of: hash, probe)
            return bytes[bit >> 3] & 1 << UInt8(bit & 7) != 0
        }
    }

    private func place(of hash: UInt64, _ probe: UInt64) -> Int {
        let spread = (hash & 0xffff_ffff) &+ probe &* (hash >> 32 | 1)
        return Int(truncatingIfNeeded: spread % UInt64(bytes.count * 8))
    }
}
