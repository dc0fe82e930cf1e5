import MeshBase

/// Writes a filled value out in its one form.
struct DocumentRenderer {
    private let textLimit: Int
    private var bytes: [UInt8] = []

    init(textLimit: Int) { self.textLimit = textLimit }

    /// The bytes of `part`, the whole document.
    mutating func render(_ part: DocumentPart) throws(WireError) -> [UInt8] {
        try append(part, depth: 0)
        return bytes
    }

    /// - Parameter depth: how many arrays and objects the part stands in.
    private mutating func append(_ part: DocumentPart, depth: Int) throws(WireError) {
        switch part.content {
        case .nothing: throw .unencodable("a value that encodes nothing")
        case .absent: throw .unencodable("nil where a value must stand")
        case .text(let text): try append(text)
        case .integer(let number): bytes += String(number).utf8
        case .boolean(let value): bytes += (value ? "true" : "false").utf8
        case .array: try appendElements(of: part, depth: depth + 1)
        case .object: try appendMembers(of: part, depth: depth + 1)
        }
    }

    private mutating func appendElements(of part: DocumentPart, depth: Int) throws(WireError) {
        guard depth <= Limits.documentDepth else { throw .tooDeep(at: bytes.count) }
        bytes.append(UInt8(ascii: "["))
        for (position, child) in part.children.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            try append(child.part, depth: depth)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func appendMembers(of part: DocumentPart, depth: Int) throws(WireError) {
        guard depth <= Limits.documentDepth else { throw .tooDeep(at: bytes.count) }
        let sorted = part.children.filter { if case .absent = $0.part.content { false } else { true } }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        bytes.append(UInt8(ascii: "{"))
        for (position, member) in sorted.enumerated() {
            if position > 0 {
                guard sorted[position - 1].name != member.name else {
                    throw .memberRepeated(member.name, at: bytes.count)
                }
                bytes.append(UInt8(ascii: ","))
            }
            try append(member.name)
            bytes.append(UInt8(ascii: ":"))
            try append(member.part, depth: depth)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Only the quote and the backslash need an escape: control characters stand in no document.
    private mutating func append(_ text: String) throws(WireError) {
        if let flaw = TextRules.flaw(of: text, limit: textLimit) { throw .textRefused(flaw, at: bytes.count) }
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
