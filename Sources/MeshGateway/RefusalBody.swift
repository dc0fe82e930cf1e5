import MeshBase
import NIOCore

/// The body of a refused call: `{"code", "reasons": [{"code", "facts": [{"name", "value"}]}], "correlation",
/// "next"}`.
enum RefusalBody {
    /// Writes it. Correlation is `null` when the call never got one.
    static func write(_ refusals: [Refusal], correlation: CorrelationID?, into buffer: inout ByteBuffer) {
        let code = (refusals.first?.code ?? .resourceMisbehaved).rawValue
        buffer.writeStaticString("{\"code\":")
        writeText(code, into: &buffer)
        buffer.writeStaticString(",\"reasons\":[")
        for (position, refusal) in refusals.enumerated() {
            if position > 0 { buffer.writeStaticString(",") }
            buffer.writeStaticString("{\"code\":")
            writeText(refusal.code.rawValue, into: &buffer)
            buffer.writeStaticString(",\"facts\":[")
            for (position, fact) in refusal.facts.enumerated() {
                buffer.writeStaticString(position > 0 ? ",{\"name\":" : "{\"name\":")
                writeText(fact.name, into: &buffer)
                buffer.writeStaticString(",\"value\":")
                writeText(fact.value, into: &buffer)
                buffer.writeStaticString("}")
            }
            buffer.writeStaticString("]}")
        }
        buffer.writeStaticString("],\"correlation\":")
        if let correlation {
            writeText(correlation.description, into: &buffer)
        } else {
            buffer.writeStaticString("null")
        }
        buffer.writeStaticString(",\"next\":")
        writeText("comity explain \(correlation?.description ?? code)", into: &buffer)
        buffer.writeStaticString("}\n")
    }

    private static func writeText(_ text: String, into buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): buffer.writeBytes([UInt8(ascii: "\\"), byte])
            case 0..<0x20, 0x7f: buffer.writeString("\\u00" + Hexadecimal.encode([byte]))
            default: buffer.writeInteger(byte)
            }
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }
}
