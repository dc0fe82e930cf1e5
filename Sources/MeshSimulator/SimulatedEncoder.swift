import MeshBase

/// Writes any `Encodable` as bytes that differ when the values do. Not JSON: it is for hashing and signing
/// within the simulator only.
///
/// The one class below the line: the standard library's `Encoder` hands out containers that all write into
/// one place. It lives for one call and is never stored.
struct SimulatedEncoder: Encoder {
    final class Sink {
        var bytes: [UInt8] = []

        func append(_ tag: Character, _ content: [UInt8]) {
            bytes.append(tag.asciiValue ?? 0)
            bytes += UInt64(content.count).bigEndianBytes.suffix(4)
            bytes += content
        }
    }

    let sink = Sink()
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(Members<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { Elements(encoder: self) }
    func singleValueContainer() -> any SingleValueEncodingContainer { Value(encoder: self) }

    fileprivate func write(_ value: some Encodable) throws {
        switch value {
        case let text as String: sink.append("s", Array(text.utf8))
        case let flag as Bool: sink.append("b", [flag ? 1 : 0])
        case let number as any BinaryInteger:
            sink.append("i", UInt64(truncatingIfNeeded: number).bigEndianBytes)
        default: try value.encode(to: self)
        }
    }

    private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoder: SimulatedEncoder
        var codingPath: [any CodingKey] { [] }

        mutating func encodeNil(forKey key: Key) { encoder.sink.append("n", Array(key.stringValue.utf8)) }

        mutating func encode(_ value: some Encodable, forKey key: Key) throws {
            encoder.sink.append("k", Array(key.stringValue.utf8))
            try encoder.write(value)
            encoder.sink.append("e", [])
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy keyType: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            encoder.sink.append("k", Array(key.stringValue.utf8))
            return encoder.container(keyedBy: keyType)
        }

        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            encoder.sink.append("k", Array(key.stringValue.utf8))
            return encoder.unkeyedContainer()
        }

        mutating func superEncoder() -> any Encoder { encoder }
        mutating func superEncoder(forKey key: Key) -> any Encoder { encoder }
    }

    private struct Elements: UnkeyedEncodingContainer {
        let encoder: SimulatedEncoder
        var codingPath: [any CodingKey] { [] }
        var count = 0

        init(encoder: SimulatedEncoder) { self.encoder = encoder }

        mutating func encodeNil() { encoder.sink.append("n", []) }

        mutating func encode(_ value: some Encodable) throws {
            count += 1
            encoder.sink.append("a", [])
            try encoder.write(value)
        }

        mutating func nestedContainer<Nested: CodingKey>(keyedBy keyType: Nested.Type)
            -> KeyedEncodingContainer<Nested>
        {
            encoder.container(keyedBy: keyType)
        }

        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.unkeyedContainer() }
        mutating func superEncoder() -> any Encoder { encoder }
    }

    private struct Value: SingleValueEncodingContainer {
        let encoder: SimulatedEncoder
        var codingPath: [any CodingKey] { [] }
        mutating func encodeNil() { encoder.sink.append("n", []) }
        mutating func encode(_ value: some Encodable) throws { try encoder.write(value) }
    }
}
