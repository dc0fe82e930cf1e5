/// One value on its way to bytes: filled by an encoder's containers, written out when all of it is known,
/// since members are sorted and may come in any order.
final class DocumentPart {
    enum Content {
        /// Nothing was encoded yet.
        case nothing
        /// nil: the member is left out.
        case absent
        case text(String)
        case integer(Int64)
        case boolean(Bool)
        /// The elements are the children.
        case array
        /// The members are the children.
        case object
    }

    private(set) var content = Content.nothing
    /// Elements in order (without names) or members in the order in which they came.
    private(set) var children: [(name: String, part: DocumentPart)] = []

    /// Lets `value` encode itself here.
    func take<Value: Encodable>(_ value: Value) throws {
        guard !(Value.self is any Unordered.Type) || Value.self is any Ordered.Type else {
            throw WireError.unencodable("\(Value.self) walks in no fixed order")
        }
        try value.encode(to: DocumentEncoder(part: self))
    }

    /// Makes this an array or an object; asking again for the same continues it.
    func become(_ kind: Content) {
        switch (content, kind) {
        case (.nothing, .array), (.nothing, .object): content = kind
        case (.array, .array), (.object, .object): break
        default: preconditionFailure("one value encodes itself as two: \(content), \(kind)")
        }
    }

    func set(_ scalar: Content) {
        guard case .nothing = content else {
            preconditionFailure("one value encodes itself as two: \(content), \(scalar)")
        }
        content = scalar
    }

    func set(_ number: some BinaryInteger) throws(WireError) {
        guard let number = Int64(exactly: number), number.magnitude <= Document.integerLimit.magnitude else {
            throw .unencodable("\(number) is beyond 2^53 - 1")
        }
        set(.integer(number))
    }

    /// A new member, or a new element when it has no name.
    func child(_ name: String = "") -> DocumentPart {
        let part = DocumentPart()
        children.append((name, part))
        return part
    }
}

/// Collections that walk in an order of their own, which differs from process to process.
private protocol Unordered {}
extension Set: Unordered {}
extension Dictionary: Unordered {}
/// Those of them that become objects, whose members are sorted.
private protocol Ordered {}
extension Dictionary: Ordered where Key == String {}

/// The encoder at one place of a document. Its coding path stays empty: errors name the value instead.
struct DocumentEncoder: Encoder {
    let part: DocumentPart

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        part.become(.object)
        return KeyedEncodingContainer(MemberEncoding<Key>(part: part))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        part.become(.array)
        return ElementEncoding(part: part)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { ValueEncoding(part: part) }
}

/// The members of one object. The one generic `encode` answers for every type: scalars end in
/// `ValueEncoding`.
private struct MemberEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let part: DocumentPart

    var codingPath: [any CodingKey] { [] }

    /// A member without a value is left out.
    mutating func encodeNil(forKey key: Key) {}

    mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try part.child(key.stringValue).take(value)
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        DocumentEncoder(part: part.child(key.stringValue)).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        DocumentEncoder(part: part.child(key.stringValue)).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { DocumentEncoder(part: part.child("super")) }
    mutating func superEncoder(forKey key: Key) -> any Encoder {
        DocumentEncoder(part: part.child(key.stringValue))
    }
}

/// The elements of one array.
private struct ElementEncoding: UnkeyedEncodingContainer {
    let part: DocumentPart

    var codingPath: [any CodingKey] { [] }
    var count: Int { part.children.count }

    mutating func encodeNil() throws { throw WireError.unencodable("nil in an array") }
    mutating func encode<Value: Encodable>(_ value: Value) throws { try part.child().take(value) }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<
        Nested
    > {
        DocumentEncoder(part: part.child()).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        DocumentEncoder(part: part.child()).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { DocumentEncoder(part: part.child()) }
}

/// One value: where every scalar is written at last.
private struct ValueEncoding: SingleValueEncodingContainer {
    let part: DocumentPart

    var codingPath: [any CodingKey] { [] }

    mutating func encodeNil() { part.set(.absent) }
    mutating func encode(_ value: Bool) { part.set(.boolean(value)) }
    mutating func encode(_ value: String) { part.set(.text(value)) }
    mutating func encode(_ value: Double) throws { throw WireError.unencodable("a number with a fraction") }
    mutating func encode(_ value: Float) throws { throw WireError.unencodable("a number with a fraction") }
    mutating func encode(_ value: Int) throws { try part.set(value) }
    mutating func encode(_ value: Int8) throws { try part.set(value) }
    mutating func encode(_ value: Int16) throws { try part.set(value) }
    mutating func encode(_ value: Int32) throws { try part.set(value) }
    mutating func encode(_ value: Int64) throws { try part.set(value) }
    mutating func encode(_ value: UInt) throws { try part.set(value) }
    mutating func encode(_ value: UInt8) throws { try part.set(value) }
    mutating func encode(_ value: UInt16) throws { try part.set(value) }
    mutating func encode(_ value: UInt32) throws { try part.set(value) }
    mutating func encode(_ value: UInt64) throws { try part.set(value) }
    mutating func encode<Value: Encodable>(_ value: Value) throws { try part.take(value) }
}
