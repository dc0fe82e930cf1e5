import MeshRouting
import NIOCore

/// The lines of a head on their way into memory: texts one behind the other.
struct HeadText {
    private let room: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    fileprivate init(_ room: UnsafeMutableRawBufferPointer) { self.room = room }

    mutating func put(_ text: String) { Self.copy(text, to: place(text.utf8.count), at: 0) }

    /// Copies a text to where there is room for it.
    private static func copy(_ text: String, to place: UnsafeMutableRawBufferPointer, at offset: Int) {
        let place = UnsafeMutableRawBufferPointer(rebasing: place[offset...])
        let isCopied: Void? = text.utf8.withContiguousStorageIfAvailable {
            place.copyMemory(from: UnsafeRawBufferPointer($0))
        }
        if isCopied == nil { place.copyBytes(from: text.utf8) }
    }

    /// - Precondition: not negative.
    mutating func put(_ number: Int) {
        precondition(number >= 0, "a head holds no number below zero: \(number)")
        var digits = 1
        var rest = number / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        let place = place(digits)
        rest = number
        for digit in stride(from: digits - 1, through: 0, by: -1) {
            place[digit] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }

    /// A header field with the end of its line.
    mutating func put(_ field: HeaderField) {
        let (name, value) = (field.name.utf8.count, field.value.utf8.count)
        let line = place(name + value + 4)
        Self.copy(field.name, to: line, at: 0)
        line.storeBytes(of: Self.colon.littleEndian, toByteOffset: name, as: UInt16.self)
        Self.copy(field.value, to: line, at: name + 2)
        line.storeBytes(of: Self.lineEnd.littleEndian, toByteOffset: name + value + 2, as: UInt16.self)
    }

    /// `: ` and CR LF, the first byte low.
    private static let colon: UInt16 = 0x203a
    private static let lineEnd: UInt16 = 0x0a0d

    private mutating func place(_ length: Int) -> UnsafeMutableRawBufferPointer {
        precondition(room.count - count >= length, "a head is longer than it was measured")
        defer { count += length }
        return UnsafeMutableRawBufferPointer(rebasing: room[count..<count + length])
    }
}

extension ByteBuffer {
    /// Writes lines of a head: room is made and looked after once for all of them.
    /// - Parameter bound: at least as many bytes as they have.
    mutating func writeHead(atMost bound: Int, _ write: (inout HeadText) -> Void) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { room in
            var text = HeadText(UnsafeMutableRawBufferPointer(rebasing: room.prefix(bound)))
            write(&text)
            return text.count
        }
    }

    /// Writes a header field as its line.
    mutating func write(_ field: HeaderField) { writeHead(atMost: field.lineLength) { $0.put(field) } }
}

extension HeaderField {
    /// Bytes of its line.
    var lineLength: Int { name.utf8.count + value.utf8.count + 4 }
}
