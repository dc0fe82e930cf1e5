import CChecksum

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes a step: tells a record that was written whole
/// from one that was not. Processors that have an instruction for it are asked, others look into tables.
///
/// It finds accidents, not attackers: who may write the file can compute it.
struct Checksum32C: Sendable {
    private var register = UInt32.max

    /// The checksum of everything that was added.
    var value: UInt32 { ~register }

    /// Adds the four bytes of `word`, most significant first.
    mutating func add(_ word: UInt32) {
        for shift in stride(from: UInt32(24), through: 0, by: -8) {
            step(UInt8(truncatingIfNeeded: word >> shift))
        }
    }

    /// Adds `bytes`.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard Self.isInstruction else { return addByTables(bytes) }
        register = comity_crc32c(register, bytes.baseAddress, bytes.count)
    }

    /// As `add`, on any processor.
    mutating func addByTables(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        Self.tables.withUnsafeBufferPointer { tables in
            while offset + 8 <= bytes.count {
                let low =
                    register
                    ^ UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                let high = UInt32(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
                let first = tables[1792 + Int(low & 255)] ^ tables[1536 + Int(low >> 8 & 255)]
                let second = tables[1280 + Int(low >> 16 & 255)] ^ tables[1024 + Int(low >> 24)]
                let third = tables[768 + Int(high & 255)] ^ tables[512 + Int(high >> 8 & 255)]
                let fourth = tables[256 + Int(high >> 16 & 255)] ^ tables[Int(high >> 24)]
                register = first ^ second ^ third ^ fourth
                offset += 8
            }
        }
        while offset < bytes.count {
            step(bytes[offset])
            offset += 1
        }
    }

    private static let isInstruction = comity_has_crc32c() != 0

    private mutating func step(_ byte: UInt8) {
        register = Self.tables[Int((register ^ UInt32(byte)) & 255)] ^ register >> 8
    }

    /// Eight tables of 256 words, one behind the other: table n is for a byte that n more bytes follow.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 2048)
        for byte in 0..<256 {
            var word = UInt32(byte)
            for _ in 0..<8 { word = word & 1 == 1 ? word >> 1 ^ 0x82f6_3b78 : word >> 1 }
            tables[byte] = word
        }
        for index in 256..<2048 {
            let before = tables[index - 256]
            tables[index] = tables[Int(before & 255)] ^ before >> 8
        }
        return tables
    }()
}
