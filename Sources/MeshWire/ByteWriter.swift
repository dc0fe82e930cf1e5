import MeshBase

/// Writes fields one behind the other, as `ByteReader` reads them.
///
/// It owns its memory; all that is written goes through `place`, which sees to the room.
struct ByteWriter: ~Copyable {
    private var memory: UnsafeMutableRawBufferPointer
    /// Bytes written so far.
    private(set) var count = 0

    init(reserving count: Int) { memory = .allocate(byteCount: max(count, 16), alignment: 1) }

    deinit { memory.deallocate() }

    /// What was written.
    var bytes: [UInt8] { Array(UnsafeRawBufferPointer(rebasing: memory[..<count])) }

    /// Appends what was written to `bytes`.
    func copy(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    mutating func append(_ byte: UInt8) { place(1)[0] = byte }

    mutating func append(_ run: [UInt8]) { run.withUnsafeBytes { append($0) } }

    mutating func append(_ run: UnsafeRawBufferPointer) { place(run.count).copyMemory(from: run) }

    mutating func append(number: some FixedWidthInteger) {
        place(number.bitWidth / 8).storeBytes(of: number.bigEndian, as: type(of: number))
    }

    mutating func append(_ digest: Digest) {
        let place = place(32)
        place.storeBytes(of: digest.words.0.bigEndian, toByteOffset: 0, as: UInt64.self)
        place.storeBytes(of: digest.words.1.bigEndian, toByteOffset: 8, as: UInt64.self)
        place.storeBytes(of: digest.words.2.bigEndian, toByteOffset: 16, as: UInt64.self)
        place.storeBytes(of: digest.words.3.bigEndian, toByteOffset: 24, as: UInt64.self)
    }

    mutating func append(_ id: CorrelationID) {
        append(number: id.high)
        append(number: id.low)
    }

    /// - Precondition: `length` is below 2^21.
    mutating func append(length: Int) {
        precondition((0..<1 << 21).contains(length), "a length of \(length)")
        var rest = length
        while rest >= 0x80 {
            append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    /// A text that is known to keep its rule.
    mutating func append(text: String) { _ = append(text, where: { _ in true }) }

    /// A text as `Fitting` makes it fit; most do as they are.
    mutating func append(fitting text: String, limit: Int) {
        if text.utf8.count <= limit, append(text, where: \.isVisibleASCII) { return }
        append(text: Fitting.text(text, limit: limit))
    }

    /// A text of whoever called, held to the rule that its reader holds it to.
    /// - Parameter name: what it is, for the error.
    mutating func append(
        _ text: String, _ name: @autoclosure () -> String, _ rule: FieldRule, limit: Int
    ) throws(WireError) {
        guard text.utf8.count <= limit, append(text, where: { rule.admits($0) }) else {
            throw .fieldRefused(name(), at: count)
        }
    }

    /// Appends a text with its length before it; false, and nothing is written, where its bytes are not such.
    private mutating func append(_ text: String, where isSuch: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        let isDone = text.utf8.withContiguousStorageIfAvailable { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            guard isSuch(bytes) else { return false }
            append(length: bytes.count)
            append(bytes)
            return true
        }
        if let isDone { return isDone }
        var contiguous = text
        contiguous.makeContiguousUTF8()
        return append(contiguous, where: isSuch)
    }

    /// Where the next `length` bytes go; the caller fills them all.
    private mutating func place(_ length: Int) -> UnsafeMutableRawBufferPointer {
        if memory.count - count < length { grow(by: length) }
        defer { count += length }
        return UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + length])
    }

    private mutating func grow(by length: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(2 * memory.count, count + length), alignment: 1)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        memory.deallocate()
        memory = larger
    }
}
