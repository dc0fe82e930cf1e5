import MeshBase

extension DocumentTree {
    /// Checks `bytes` as a whole and keeps what they say. See `Document` for the rules.
    init(scanning bytes: [UInt8], limit: Int, textLimit: Int) throws(WireError) {
        guard bytes.count <= limit else { throw .tooLong(bytes: bytes.count, limit: limit) }
        var scanner = DocumentScanner(bytes: bytes, textLimit: textLimit)
        try scanner.document()
        self = scanner.tree
    }
}

/// A recursive descent over RFC 8259, whose recursion `Limits.documentDepth` bounds.
private struct DocumentScanner {
    private(set) var tree = DocumentTree()
    private let bytes: [UInt8]
    private let textLimit: Int
    private var position = 0

    init(bytes: [UInt8], textLimit: Int) {
        self.bytes = bytes
        self.textLimit = textLimit
    }

    mutating func document() throws(WireError) {
        skipSpace()
        try value(name: nil, depth: 0)
        skipSpace()
        guard position == bytes.count else { throw .trailingBytes(at: position) }
    }

    /// - Parameter depth: how many arrays and objects the value stands in.
    private mutating func value(name: String?, depth: Int) throws(WireError) {
        let start = position
        let node = tree.open(name: name, offset: start)
        switch try peek() {
        case UInt8(ascii: "{"): tree.close(node, .object(index: try object(depth: depth + 1)))
        case UInt8(ascii: "["): tree.close(node, .array(count: try array(depth: depth + 1)))
        case UInt8(ascii: "\""): tree.close(node, .text(try text()))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            tree.close(node, .integer(try integer()))
        case UInt8(ascii: "t"):
            try word("true")
            tree.close(node, .boolean(true))
        case UInt8(ascii: "f"):
            try word("false")
            tree.close(node, .boolean(false))
        case UInt8(ascii: "n"):
            try word("null")
            throw .nullRefused(at: start)
        default: throw .syntax("a value", at: start)
        }
    }

    private mutating func object(depth: Int) throws(WireError) -> [String: Int] {
        guard depth <= Limits.documentDepth else { throw .tooDeep(at: position) }
        position += 1
        skipSpace()
        var index: [String: Int] = [:]
        if try take(UInt8(ascii: "}")) { return index }
        while true {
            let start = position
            guard try peek() == UInt8(ascii: "\"") else { throw .syntax("a member's name", at: position) }
            let name = try text()
            skipSpace()
            guard try take(UInt8(ascii: ":")) else { throw .syntax("a colon", at: position) }
            skipSpace()
            // Names are in NFC, so that String's equality (canonical equivalence) is equality of their bytes.
            guard index.updateValue(tree.nodes.count, forKey: name) == nil else {
                throw .memberRepeated(name, at: start)
            }
            try value(name: name, depth: depth)
            skipSpace()
            if try take(UInt8(ascii: "}")) { return index }
            guard try take(UInt8(ascii: ",")) else {
                throw .syntax("a comma or the object's end", at: position)
            }
            skipSpace()
        }
    }

    private mutating func array(depth: Int) throws(WireError) -> Int {
        guard depth <= Limits.documentDepth else { throw .tooDeep(at: position) }
        position += 1
        skipSpace()
        var count = 0
        if try take(UInt8(ascii: "]")) { return count }
        while true {
            try value(name: nil, depth: depth)
            count += 1
            skipSpace()
            if try take(UInt8(ascii: "]")) { return count }
            guard try take(UInt8(ascii: ",")) else {
                throw .syntax("a comma or the array's end", at: position)
            }
            skipSpace()
        }
    }

    private mutating func integer() throws(WireError) -> Int64 {
        let start = position
        let isNegative = try take(UInt8(ascii: "-"))
        let firstDigit = position
        var magnitude: Int64 = 0
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            magnitude = magnitude * 10 + Int64(bytes[position] - UInt8(ascii: "0"))
            guard magnitude <= Document.integerLimit else { throw .numberRefused(at: start) }
            position += 1
        }
        if position == firstDigit {
            _ = try peek()
            throw .syntax("a digit", at: position)
        }
        let hasLeadingZero =
            bytes[firstDigit] == UInt8(ascii: "0") && (position > firstDigit + 1 || isNegative)
        let goesOn =
            position < bytes.count
            && [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[position])
        guard !hasLeadingZero, !goesOn else { throw .numberRefused(at: start) }
        return isNegative ? -magnitude : magnitude
    }

    /// A text with its quotes.
    private mutating func text() throws(WireError) -> String {
        let start = position
        position += 1
        var content: [UInt8] = []
        var plainFrom = position
        while true {
            switch try peek() {
            case UInt8(ascii: "\""):
                content += bytes[plainFrom..<position]
                position += 1
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw .notUnicode(at: start)
                }
                if let flaw = TextRules.flaw(of: text, limit: textLimit) {
                    throw .textRefused(flaw, at: start)
                }
                return text
            case UInt8(ascii: "\\"):
                content += bytes[plainFrom..<position]
                position += 1
                content += try escaped()
                plainFrom = position
            case 0..<0x20: throw .textRefused(.notPlain, at: position)
            default: position += 1
            }
        }
    }

    /// What stands behind a backslash, as UTF-8.
    private mutating func escaped() throws(WireError) -> [UInt8] {
        let character = try peek()
        position += 1
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [character]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try escapedScalar()
        default: throw .syntax("an escape", at: position - 1)
        }
    }

    /// Four hexadecimal digits, or two times four for a surrogate pair.
    private mutating func escapedScalar() throws(WireError) -> [UInt8] {
        let start = position
        let first = try fourDigits()
        var value = first
        if (0xd800...0xdbff).contains(first) {
            guard try peek() == UInt8(ascii: "\\") else { throw .notUnicode(at: start) }
            position += 1
            guard try take(UInt8(ascii: "u")) else { throw .notUnicode(at: start) }
            let second = try fourDigits()
            guard (0xdc00...0xdfff).contains(second) else { throw .notUnicode(at: start) }
            value = 0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw .notUnicode(at: start) }
        return Array(String(scalar).utf8)
    }

    private mutating func fourDigits() throws(WireError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch try peek() {
            case let byte where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
                digit = byte - UInt8(ascii: "0")
            case let byte where (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte):
                digit = byte - UInt8(ascii: "a") + 10
            case let byte where (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte):
                digit = byte - UInt8(ascii: "A") + 10
            default: throw .syntax("a hexadecimal digit", at: position)
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private mutating func word(_ word: String) throws(WireError) {
        for character in word.utf8 {
            guard try take(character) else { throw .syntax(word, at: position) }
        }
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
    }

    private func peek() throws(WireError) -> UInt8 {
        guard position < bytes.count else { throw .truncated(at: position) }
        return bytes[position]
    }

    /// Whether `byte` stands next; if so, it is passed.
    private mutating func take(_ byte: UInt8) throws(WireError) -> Bool {
        guard try peek() == byte else { return false }
        position += 1
        return true
    }
}
