import MeshBase

/// Documents: values as JSON (RFC 8259) on the wire, under signatures and on disk.
///
/// *Written* in one way only, so that one value has one run of bytes: members sorted by the bytes of their
/// names, no white space, whole numbers only, nil left out, escapes only where JSON demands them.
///
/// *Read* in two steps, so that nothing is decoded that was not checked as a whole: a scanner refuses what
/// another parser could read otherwise (repeated members, `1.0` for 1, numbers beyond 2^53 - 1, lone
/// surrogates, trailing bytes), what is too long or too deep, and texts outside `TextRules`; then a decoder
/// fills the value and refuses every member that the value did not ask for. The reader takes members in any
/// order and white space between them: others write JSON too, and bytes are verified as they came.
public enum Document {
    /// The largest number a document may hold, and with a minus sign the smallest: every JSON parser holds it
    /// exactly.
    static let integerLimit: Int64 = 1 << 53 - 1

    /// The bytes that stand for `value`: what `decode` would read, in the one form there is.
    /// - Parameters:
    ///   - limit: how many bytes the document may have, where something else bounds it.
    ///   - textLimit: bytes of one text that is not base64url.
    /// - Throws: `WireError` for what no document may hold: fractions, numbers beyond 2^53 - 1, texts outside
    ///   the rules, more than `Limits.documentDepth` levels, nil in an array, and values that walk in no
    ///   fixed order (`Set`, and `Dictionary` unless its keys are `String`); and for what is above `limit`.
    public static func encode(
        _ value: some Encodable, limit: Int = .max, textLimit: Int = Limits.documentText
    ) throws(WireError) -> [UInt8] {
        let part = DocumentPart()
        do {
            try part.take(value)
        } catch let error as WireError {
            throw error
        } catch {
            throw .unencodable(String(describing: error))
        }
        var renderer = DocumentRenderer(textLimit: textLimit)
        let bytes = try renderer.render(part)
        guard bytes.count <= limit else { throw .tooLong(bytes: bytes.count, limit: limit) }
        return bytes
    }

    /// The value that `bytes` stand for.
    /// - Parameters:
    ///   - bytes: the whole document, nothing before or behind it.
    ///   - limit: how many bytes the document may have; a longer one is not looked at.
    ///   - textLimit: bytes of one text that is not base64url.
    ///   - unknown: what becomes of members that the value did not ask for.
    public static func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, from bytes: [UInt8], limit: Int,
        textLimit: Int = Limits.documentText, unknown: UnknownMembers = .refused
    ) throws(WireError) -> Value {
        let tree = try DocumentTree(scanning: bytes, limit: limit, textLimit: textLimit)
        let reading = DocumentReading(of: tree, textLimit: textLimit)
        let value = try reading.whole(type)
        if unknown == .refused { try reading.checkAllRead() }
        return value
    }

    /// What becomes of members that nobody asked for.
    public enum UnknownMembers: Sendable {
        /// The document is refused: each of ours says what it says, and nothing else.
        case refused
        /// They are as if they were not there: for documents of other houses, whose rules say so.
        case passedOver
    }
}
