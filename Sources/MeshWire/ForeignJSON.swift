/// JSON that others write by their own rules (RFC 8259): with null, fractions and texts of any length,
/// unlike our own documents. It is read whole or refused, with bounds on all that could grow: bytes by
/// whoever fetched them, levels and values here. What two parsers could read in two ways is refused: a
/// member twice, a lone surrogate, bytes that are no UTF-8, anything behind the end.
public indirect enum ForeignJSON: Equatable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// Nil for one that is no whole number of 64 bits, which nobody here reads.
    case number(Int64?)
    /// A string, unescaped.
    case text(String)
    /// Its elements.
    case array([ForeignJSON])
    /// Its members, none twice.
    case object([String: ForeignJSON])

    /// Levels of arrays and objects.
    public static let depthMax = 32
    /// Values in all, members and elements together.
    public static let valuesMax = 100_000

    /// - Throws: what is wrong, and at which byte.
    public init(_ bytes: [UInt8]) throws(ForeignJSONError) {
        var scanner = ForeignJSONScanner(bytes: bytes)
        self = try scanner.whole()
    }

    /// Where the members of an object stand, for whoever passes their values on as they came; all of it is
    /// read as by `init`.
    /// - Throws: as `init`; and that it is no object.
    public static func members(of bytes: [UInt8]) throws(ForeignJSONError) -> [String: Range<Int>] {
        var scanner = ForeignJSONScanner(bytes: bytes)
        return try scanner.memberPlaces()
    }

    /// Where the elements of an array stand, likewise.
    public static func elements(of bytes: [UInt8]) throws(ForeignJSONError) -> [Range<Int>] {
        var scanner = ForeignJSONScanner(bytes: bytes)
        return try scanner.elementPlaces()
    }

    /// The member of an object; nil for anything else.
    public subscript(name: String) -> ForeignJSON? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    /// The text of a member; nil when it is missing or no text.
    public func text(_ name: String) -> String? {
        guard case .text(let text)? = self[name] else { return nil }
        return text
    }
}

/// Why bytes are no JSON that is read here.
public struct ForeignJSONError: Error, Equatable, CustomStringConvertible {
    /// What.
    public let what: String
    /// At which byte.
    public let offset: Int

    public var description: String { "\(what) at byte \(offset)" }
}

/// A recursive descent, whose recursion `ForeignJSON.depthMax` bounds.
private struct ForeignJSONScanner {
    let bytes: [UInt8]
    private var position = 0
    private var valueCount = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func whole() throws(ForeignJSONError) -> ForeignJSON {
        skipSpace()
        return try ended(try value(depth: 0))
    }

    mutating func memberPlaces() throws(ForeignJSONError) -> [String: Range<Int>] {
        skipSpace()
        guard try peek() == UInt8(ascii: "{") else { throw flaw("no object") }
        var places: [String: Range<Int>] = [:]
        _ = try members(depth: 0) { name, place in places[name] = place }
        return try ended(places)
    }

    mutating func elementPlaces() throws(ForeignJSONError) -> [Range<Int>] {
        skipSpace()
        guard try peek() == UInt8(ascii: "[") else { throw flaw("no array") }
        var places: [Range<Int>] = []
        _ = try elements(depth: 0) { places.append($0) }
        return try ended(places)
    }

    private mutating func ended<Value>(_ value: Value) throws(ForeignJSONError) -> Value {
        skipSpace()
        guard position == bytes.count else { throw flaw("something behind the end") }
        return value
    }

    private func flaw(_ what: String) -> ForeignJSONError { ForeignJSONError(what: what, offset: position) }

    private mutating func value(depth: Int) throws(ForeignJSONError) -> ForeignJSON {
        valueCount += 1
        guard valueCount <= ForeignJSON.valuesMax else {
            throw flaw("more than \(ForeignJSON.valuesMax) values")
        }
        guard depth <= ForeignJSON.depthMax else { throw flaw("more than \(ForeignJSON.depthMax) levels") }
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try members(depth: depth))
        case UInt8(ascii: "["): return .array(try elements(depth: depth))
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func members(
        depth: Int, noting note: (String, Range<Int>) -> Void = { _, _ in }
    ) throws(ForeignJSONError) -> [String: ForeignJSON] {
        position += 1
        skipSpace()
        var members: [String: ForeignJSON] = [:]
        if take("}") { return members }
        while true {
            guard try peek() == UInt8(ascii: "\"") else { throw flaw("no name of a member") }
            let name = try text()
            skipSpace()
            guard take(":") else { throw flaw("no colon") }
            skipSpace()
            let start = position
            guard members.updateValue(try value(depth: depth + 1), forKey: name) == nil else {
                throw flaw("a member that is there twice")
            }
            note(name, start..<position)
            skipSpace()
            if take("}") { return members }
            guard take(",") else { throw flaw("no comma and no end of an object") }
            skipSpace()
        }
    }

    private mutating func elements(
        depth: Int, noting note: (Range<Int>) -> Void = { _ in }
    ) throws(ForeignJSONError) -> [ForeignJSON] {
        position += 1
        skipSpace()
        var elements: [ForeignJSON] = []
        if take("]") { return elements }
        while true {
            let start = position
            elements.append(try value(depth: depth + 1))
            note(start..<position)
            skipSpace()
            if take("]") { return elements }
            guard take(",") else { throw flaw("no comma and no end of an array") }
            skipSpace()
        }
    }

    private mutating func number() throws(ForeignJSONError) -> Int64? {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let isZero = position < bytes.count && bytes[position] == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !isZero || whole == 1 else { throw flaw("no value") }
        let end = position
        if take(".") {
            guard digits() > 0 else { throw flaw("a fraction without digits") }
        }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw flaw("an exponent without digits") }
        }
        return end == position ? Int64(String(decoding: bytes[start..<end], as: UTF8.self)) : nil
    }

    private mutating func digits() -> Int {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        return position - start
    }

    private mutating func text() throws(ForeignJSONError) -> String {
        position += 1
        var content: [UInt8] = []
        while true {
            let byte = try peek()
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw flaw("a text that is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &content)
            case 0..<0x20: throw flaw("a control character in a text")
            default: content.append(byte)
            }
        }
    }

    private mutating func escape(into content: inout [UInt8]) throws(ForeignJSONError) {
        let byte = try peek()
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(8)
        case UInt8(ascii: "f"): content.append(12)
        case UInt8(ascii: "n"): content.append(10)
        case UInt8(ascii: "r"): content.append(13)
        case UInt8(ascii: "t"): content.append(9)
        case UInt8(ascii: "u"):
            var scalar = try unit()
            if (0xd800..<0xdc00).contains(scalar), take("\\"), take("u") {
                let low = try unit()
                guard (0xdc00..<0xe000).contains(low) else { throw flaw("a lone surrogate") }
                scalar = 0x1_0000 + (scalar - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let value = UnicodeScalar(scalar) else { throw flaw("a lone surrogate") }
            content += Array(String(Character(value)).utf8)
        default: throw flaw("an unknown escape")
        }
    }

    private mutating func unit() throws(ForeignJSONError) -> UInt32 {
        guard position + 4 <= bytes.count,
            bytes[position..<position + 4].allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
            let unit = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw flaw("an escape without four digits") }
        position += 4
        return unit
    }

    private mutating func word(
        _ word: StaticString, _ value: ForeignJSON
    ) throws(ForeignJSONError) -> ForeignJSON {
        let letters = word.withUTF8Buffer { Array($0) }
        guard bytes[position...].starts(with: letters) else { throw flaw("no value") }
        position += letters.count
        return value
    }

    private func peek() throws(ForeignJSONError) -> UInt8 {
        guard position < bytes.count else { throw flaw("an end too early") }
        return bytes[position]
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
    }
}
