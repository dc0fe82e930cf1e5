import MeshRouting
import NIOCore

extension ByteBuffer {
    /// Writes a header field as its line: room is made and looked after once for all of it.
    mutating func write(_ field: HeaderField) {
        let (name, value) = (field.name.utf8, field.value.utf8)
        let length = name.count + value.count + 4
        writeWithUnsafeMutableBytes(minimumWritableBytes: length) { line in
            line.put(name, at: 0)
            line[name.count] = UInt8(ascii: ":")
            line[name.count + 1] = UInt8(ascii: " ")
            line.put(value, at: name.count + 2)
            line[length - 2] = UInt8(ascii: "\r")
            line[length - 1] = UInt8(ascii: "\n")
            return length
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func put(_ text: String.UTF8View, at place: Int) {
        let room = UnsafeMutableRawBufferPointer(rebasing: self[place...])
        let copied: Void? = text.withContiguousStorageIfAvailable { room.copyBytes(from: $0) }
        if copied == nil { room.copyBytes(from: text) }
    }
}
