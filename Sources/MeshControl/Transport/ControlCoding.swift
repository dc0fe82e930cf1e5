import FoundationEssentials
import MeshBase
import NIOCore

/// JSON of the control API and of `--json`.
public enum ControlCoding {
    /// The JSON that `--json` prints: members by name, two spaces of indentation, slashes as they are.
    public static func document(_ value: some Encodable) throws(ControlFailure) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw fault("a report cannot be written as JSON", error)
        }
    }

    /// The JSON of one line, where documents follow each other.
    public static func line(_ value: some Encodable) throws(ControlFailure) -> String {
        String(buffer: try encode(value))
    }

    static func encode(_ value: some Encodable) throws(ControlFailure) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return ByteBuffer(bytes: try encoder.encode(value))
        } catch {
            throw fault("an answer cannot be written as JSON", error)
        }
    }

    /// - Throws: a usage failure that names the member at fault.
    static func decode<Value: Decodable>(_ type: Value.Type, from buffer: ByteBuffer) throws(ControlFailure)
        -> Value
    {
        do {
            return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
        } catch {
            throw ControlFailure(
                .usage, code: "request-malformed", message: "the JSON is not what this operation takes",
                facts: ControlCoding.facts(of: error))
        }
    }

    private static func facts(of error: any Error) -> [Fact] {
        guard let error = error as? DecodingError else { return [Fact("cause", String(describing: error))] }
        let context: DecodingError.Context
        switch error {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found):
            context = found
        case .keyNotFound(let key, let found):
            context = .init(codingPath: found.codingPath + [key], debugDescription: "missing")
        @unknown default: return [Fact("cause", String(describing: error))]
        }
        let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(
            separator: ".")
        return [Fact("member", path.isEmpty ? "(all)" : path), Fact("cause", context.debugDescription)]
    }

    private static func fault(_ message: String, _ error: any Error) -> ControlFailure {
        ControlFailure(
            .fault, code: "agent-fault", message: message, facts: [Fact("cause", String(describing: error))])
    }
}
