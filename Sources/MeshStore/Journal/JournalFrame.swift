/// How a record stands in a segment: its length (4 bytes, big-endian), CRC-32C over salt, length and record
/// (4 bytes, big-endian), the record.
///
/// The salt is random for each segment and stands in the file's name. So bytes inside a record, which a peer
/// may have chosen, are never taken for a record when the scanner looks for the next one behind damage, and
/// neither is what an older file left in a block that the file system used again.
enum JournalFrame {
    /// Bytes before the record.
    static let headLength = 8

    /// Fills in the head of a frame whose record stands behind it.
    static func fillHead(of frame: UnsafeMutableRawBufferPointer, salt: UInt32) {
        let record = UnsafeRawBufferPointer(rebasing: frame[headLength...])
        let checksum = checksum(of: record, salt: salt)
        frame.storeBytes(of: UInt32(record.count).bigEndian, toByteOffset: 0, as: UInt32.self)
        frame.storeBytes(of: checksum.bigEndian, toByteOffset: 4, as: UInt32.self)
    }

    /// The checksum of a record.
    static func checksum(of record: UnsafeRawBufferPointer, salt: UInt32) -> UInt32 {
        var checksum = Checksum32C()
        checksum.add(salt)
        checksum.add(UInt32(record.count))
        checksum.add(record)
        return checksum.value
    }
}

/// The name of a segment's file: `NUMBER-SALT.journal`, ten decimal and eight hexadecimal digits.
struct SegmentName: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The first bytes of each file; the last one counts formats.
    static let magic: [UInt8] = Array("comityj1".utf8)

    /// From 1, never used twice.
    let number: UInt32
    /// See `JournalFrame`.
    let salt: UInt32

    init(number: UInt32, salt: UInt32) {
        self.number = number
        self.salt = salt
    }

    /// Nil for any other file.
    init?(_ text: String) {
        let characters = Array(text.utf8)
        guard characters.count == 27, text.hasSuffix(".journal"), characters[10] == UInt8(ascii: "-"),
            let number = UInt32(String(decoding: characters[..<10], as: UTF8.self)), number > 0,
            let salt = UInt32(String(decoding: characters[11..<19], as: UTF8.self), radix: 16)
        else { return nil }
        self.init(number: number, salt: salt)
        guard description == text else { return nil }
    }

    static func < (left: Self, right: Self) -> Bool { (left.number, left.salt) < (right.number, right.salt) }

    var description: String {
        padded(String(number), to: 10) + "-" + padded(String(salt, radix: 16), to: 8) + ".journal"
    }

    private func padded(_ digits: String, to length: Int) -> String {
        String(repeating: "0", count: length - digits.utf8.count) + digits
    }
}
