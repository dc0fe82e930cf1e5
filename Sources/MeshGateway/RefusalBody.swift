import MeshBase
import NIOCore

/// The body of a refused call: `{"code", "reasons": [{"code", "facts": [{"name", "value"}]}], "correlation",
/// "next"}`.
public enum RefusalBody {
    /// As a text, for an answer that carries it inside.
    public static func text(_ refusals: [Refusal], correlation: CorrelationID?) -> String {
        var body = ByteBuffer()
        write(refusals, correlation: correlation, into: &body)
        return String(buffer: body)
    }

    /// Writes it. Correlation is `null` when the call never got one.
    static func write(_ refusals: [Refusal], correlation: CorrelationID?, into buffer: inout ByteBuffer) {
        let code = (refusals.first?.code ?? .resourceMisbehaved).rawValue
        buffer.writeStaticString("{\"code\":")
        JSONText.write(code, into: &buffer)
        buffer.writeStaticString(",\"reasons\":[")
        for (position, refusal) in refusals.enumerated() {
            if position > 0 { buffer.writeStaticString(",") }
            buffer.writeStaticString("{\"code\":")
            JSONText.write(refusal.code.rawValue, into: &buffer)
            buffer.writeStaticString(",\"facts\":[")
            for (position, fact) in refusal.facts.enumerated() {
                buffer.writeStaticString(position > 0 ? ",{\"name\":" : "{\"name\":")
                JSONText.write(fact.name, into: &buffer)
                buffer.writeStaticString(",\"value\":")
                JSONText.write(fact.value, into: &buffer)
                buffer.writeStaticString("}")
            }
            buffer.writeStaticString("]}")
        }
        buffer.writeStaticString("],\"correlation\":")
        if let correlation {
            JSONText.write(correlation.description, into: &buffer)
        } else {
            buffer.writeStaticString("null")
        }
        buffer.writeStaticString(",\"next\":")
        JSONText.write("comity explain \(correlation?.description ?? code)", into: &buffer)
        buffer.writeStaticString("}\n")
    }
}
