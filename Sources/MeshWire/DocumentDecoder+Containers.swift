/// The members of one object. The one generic `decode` answers for every type: scalars end in
/// `ValueDecoding`.
struct MemberDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let reading: DocumentReading
    let node: Int
    let index: [String: Int]

    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] {
        reading.tree.children(of: node).compactMap {
            reading.tree.nodes[$0].name.flatMap(Key.init(stringValue:))
        }
    }

    func contains(_ key: Key) -> Bool { index[key.stringValue] != nil }

    /// A document holds no null.
    func decodeNil(forKey key: Key) throws -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try reading.value(type, at: try member(key.stringValue))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try DocumentDecoder(reading: reading, node: try member(key.stringValue)).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try DocumentDecoder(reading: reading, node: try member(key.stringValue)).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { DocumentDecoder(reading: reading, node: try member("super")) }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        DocumentDecoder(reading: reading, node: try member(key.stringValue))
    }

    private func member(_ name: String) throws(WireError) -> Int {
        guard let member = index[name] else {
            throw .memberMissing(name, at: reading.tree.nodes[node].offset)
        }
        return member
    }
}

/// The elements of one array, in order.
struct ElementDecoding: UnkeyedDecodingContainer {
    let reading: DocumentReading
    let node: Int
    var next: Int
    let elementCount: Int

    var codingPath: [any CodingKey] { [] }
    var count: Int? { elementCount }
    private(set) var currentIndex = 0
    var isAtEnd: Bool { currentIndex >= elementCount }

    init(reading: DocumentReading, node: Int, next: Int, elementCount: Int) {
        self.reading = reading
        self.node = node
        self.next = next
        self.elementCount = elementCount
    }

    /// A document holds no null.
    mutating func decodeNil() throws -> Bool { false }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let value = try reading.value(type, at: try element())
        advance()
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws
        -> KeyedDecodingContainer<Nested>
    {
        let container = try DocumentDecoder(reading: reading, node: try element()).container(keyedBy: type)
        advance()
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try DocumentDecoder(reading: reading, node: try element()).unkeyedContainer()
        advance()
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = DocumentDecoder(reading: reading, node: try element())
        advance()
        return decoder
    }

    private func element() throws(WireError) -> Int {
        guard !isAtEnd else {
            throw .memberMissing("(element \(currentIndex))", at: reading.tree.nodes[node].offset)
        }
        return next
    }

    private mutating func advance() {
        next = reading.tree.nodes[next].end
        currentIndex += 1
    }
}

/// One value: where every scalar is read at last.
struct ValueDecoding: SingleValueDecodingContainer {
    let reading: DocumentReading
    let node: Int

    var codingPath: [any CodingKey] { [] }

    /// A document holds no null.
    func decodeNil() -> Bool { false }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .boolean(let value) = reading.content(of: node) else {
            throw reading.mismatch("true or false", at: node)
        }
        return value
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .text(let text) = reading.content(of: node) else {
            throw reading.mismatch("a text", at: node)
        }
        return text
    }

    func decode(_ type: Double.Type) throws -> Double {
        throw reading.mismatch("no number with a fraction", at: node)
    }
    func decode(_ type: Float.Type) throws -> Float {
        throw reading.mismatch("no number with a fraction", at: node)
    }
    func decode(_ type: Int.Type) throws -> Int { try integer() }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer() }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer() }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer() }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer() }
    func decode(_ type: UInt.Type) throws -> UInt { try integer() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer() }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try reading.value(type, at: node) }

    private func integer<Number: FixedWidthInteger>() throws(WireError) -> Number {
        guard case .integer(let value) = reading.content(of: node) else {
            throw reading.mismatch("a whole number", at: node)
        }
        guard let number = Number(exactly: value) else {
            throw reading.mismatch("a whole number from \(Number.min) to \(Number.max)", at: node)
        }
        return number
    }
}
