/// One pass over a checked document: what has been read of it, so that what nobody asked for is found at the
/// end.
///
/// A value counts as read when it was decoded, or when its members or elements were asked for. What a failed
/// attempt read counts as unread again, so that a type which tries one shape and then another leaves no gap.
final class DocumentReading {
    let tree: DocumentTree
    let textLimit: Int
    private var isRead: [Bool]
    /// The nodes read, in order, each once: what a failed attempt takes back.
    private var read: [Int] = []

    init(of tree: DocumentTree, textLimit: Int) {
        self.tree = tree
        self.textLimit = textLimit
        isRead = [Bool](repeating: false, count: tree.nodes.count)
    }

    /// The document itself.
    func whole<Value: Decodable>(_ type: Value.Type) throws(WireError) -> Value { try value(type, at: 0) }

    /// - Throws: when something was not asked for; the first such thing.
    func checkAllRead() throws(WireError) {
        guard let unread = isRead.firstIndex(of: false) else { return }
        let node = tree.nodes[unread]
        throw .memberUnknown(node.name ?? "(element)", at: node.offset)
    }

    /// The value at `node`, whatever its type does to decode itself. Every error that leaves it says where.
    func value<Value: Decodable>(_ type: Value.Type, at node: Int) throws(WireError) -> Value {
        let readBefore = read.count
        do {
            let value = try Value(from: DocumentDecoder(reading: self, node: node))
            // A type without members asks for nothing and stands in documents as an empty object: what is in
            // it is unread.
            if case .object = tree.nodes[node].content { mark(node) }
            return value
        } catch {
            while read.count > readBefore { isRead[read.removeLast()] = false }
            throw wireError(error, at: tree.nodes[node].offset)
        }
    }

    /// The content of `node`, which counts as read.
    func content(of node: Int) -> DocumentTree.Content {
        mark(node)
        return tree.nodes[node].content
    }

    /// The error for a value of another kind.
    func mismatch(_ expected: String, at node: Int) -> WireError {
        .kindMismatch(expected: expected, at: tree.nodes[node].offset)
    }

    private func mark(_ node: Int) {
        guard !isRead[node] else { return }
        isRead[node] = true
        read.append(node)
    }

    private func wireError(_ error: any Error, at offset: Int) -> WireError {
        switch error {
        case let error as WireError: error
        case DecodingError.dataCorrupted(let context): .valueRefused(context.debugDescription, at: offset)
        case DecodingError.typeMismatch(_, let context): .valueRefused(context.debugDescription, at: offset)
        case DecodingError.keyNotFound(let key, _): .memberMissing(key.stringValue, at: offset)
        case DecodingError.valueNotFound(_, let context): .valueRefused(context.debugDescription, at: offset)
        default: .valueRefused(String(describing: error), at: offset)
        }
    }
}

/// The decoder at one place of a document. Its coding path stays empty: errors name the byte instead.
struct DocumentDecoder: Decoder {
    let reading: DocumentReading
    let node: Int

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let index) = reading.content(of: node) else {
            throw reading.mismatch("an object", at: node)
        }
        return KeyedDecodingContainer(MemberDecoding<Key>(reading: reading, node: node, index: index))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let count) = reading.content(of: node) else {
            throw reading.mismatch("an array", at: node)
        }
        return ElementDecoding(reading: reading, node: node, next: node + 1, elementCount: count)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        ValueDecoding(reading: reading, node: node)
    }
}
