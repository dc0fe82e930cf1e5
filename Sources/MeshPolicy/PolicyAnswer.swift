import MeshBase
import MeshNode
import MeshWire

/// Reads what an engine answered with status 200.
enum PolicyAnswer {
    private static let reasonsMax = 8
    private static let textMax = 256

    /// The decision in `bytes`, or why there is none. Bounded by whoever fetched them, and by `ForeignJSON`.
    static func read(_ bytes: [UInt8]) -> ExternalAnswer {
        let json: ForeignJSON
        do throws(ForeignJSONError) {
            json = try ForeignJSON(bytes)
        } catch {
            return .failed(.malformed(error.description))
        }
        guard case .object(let members) = json else { return .failed(.malformed("no object")) }
        guard let result = members["result"] else { return .failed(.undefined) }
        let decision = json.text("decision_id").map { plain($0) }
        switch result {
        case .boolean(true): return .allowed(decision: decision)
        case .boolean(false): return .denied(decision: decision, reasons: [])
        case .object:
            switch result["allow"] {
            case .boolean(true): return .allowed(decision: decision)
            case .boolean(false): return .denied(decision: decision, reasons: reasons(in: result))
            case .null, .number, .text, .array, .object, nil:
                return .failed(.malformed("`allow` is neither true nor false"))
            }
        case .null, .number, .text, .array:
            return .failed(.malformed("the result is neither true, false nor an object with `allow`"))
        }
    }

    private static func reasons(in result: ForeignJSON) -> [String] {
        guard case .array(let elements)? = result["reasons"] else { return [] }
        return elements.prefix(reasonsMax).compactMap { element in
            guard case .text(let text) = element else { return nil }
            return plain(text)
        }
    }

    /// What may stand in an event and on a screen.
    private static func plain(_ text: String) -> String {
        var kept = ""
        for character in text {
            let next = String(character)
            guard kept.utf8.count + next.utf8.count <= textMax else { break }
            kept += next.isPlain ? next : " "
        }
        return kept
    }
}
