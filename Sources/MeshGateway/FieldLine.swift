import MeshRouting
import NIOCore

/// The lines of a head on their way into memory: texts one behind the other.
struct HeadText {
    private let room: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    fileprivate init(_ room: UnsafeMutableRawBufferPointer) { self.room = room }

    mutating func put(_ text: String) {
        let place = place(text.utf8.count)
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
        put(field.name)
        put(": ")
        put(field.value)
        put("\r\n")
    }

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
