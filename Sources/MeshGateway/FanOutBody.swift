import MeshBase
import NIOCore

/// What became of one provider's part in a request to all of them.
public struct FanOutPart: Sendable, Equatable {
    /// How it ended.
    public enum Outcome: Sendable, Equatable {
        /// The resource answered.
        case answered(status: Int, Content)
        /// The mesh did not let it, or nobody knows what came of it. With a status where the resource had
        /// begun to answer: it was asked, and what it did is done.
        case refused([Refusal], begun: Int?)
    }

    /// An answer's body, as it can stand in a JSON document.
    public enum Content: Sendable, Equatable {
        /// It had none.
        case none
        /// JSON by RFC 8259: whoever says so has read it, for it stands in the array as it is.
        case json(ByteBuffer)
        /// UTF-8, of the type that its `Content-Type` names; nil: it names none.
        case text(String, type: String?)
        /// Anything else.
        case bytes(ByteBuffer, type: String?)
    }

    /// The provider.
    public let node: NodeID
    /// What people call it here.
    public let name: String
    /// The call to it; nil when there was none.
    public let correlation: CorrelationID?
    /// How it ended.
    public let outcome: Outcome

    public init(node: NodeID, name: String, correlation: CorrelationID?, outcome: Outcome) {
        self.node = node
        self.name = name
        self.correlation = correlation
        self.outcome = outcome
    }
}

/// The answer to a request to all providers: an array with one object for each,
/// `{"node", "name", "correlation", "status", "body"}`, where `text` or `base64` with `type` stand for a body
/// that is no JSON, or `{"node", "name", "correlation", "refused"}` with what the gateway answers to a
/// refused call, and with `status` where the resource had begun to answer.
enum FanOutBody {
    /// Writes it, in the order of `parts`.
    static func write(_ parts: [FanOutPart], into buffer: inout ByteBuffer) {
        buffer.writeStaticString("[")
        for (position, part) in parts.enumerated() {
            buffer.writeStaticString(position > 0 ? ",\n{" : "{")
            write("node", part.node.description, into: &buffer)
            buffer.writeStaticString(",")
            write("name", part.name, into: &buffer)
            buffer.writeStaticString(",")
            write("correlation", part.correlation?.description, into: &buffer)
            write(part.outcome, part.correlation, into: &buffer)
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("]\n")
    }

    private static func write(
        _ outcome: FanOutPart.Outcome, _ correlation: CorrelationID?, into buffer: inout ByteBuffer
    ) {
        switch outcome {
        case .refused(let refusals, let begun):
            if let begun { buffer.writeString(",\"status\":\(begun)") }
            buffer.writeStaticString(",\"refused\":")
            RefusalBody.write(refusals, correlation: correlation, into: &buffer)
        case .answered(let status, let content):
            buffer.writeStaticString(",\"status\":")
            buffer.writeString("\(status)")
            switch content {
            case .none: break
            case .json(var json):
                buffer.writeStaticString(",\"body\":")
                buffer.writeBuffer(&json)
            case .text(let text, let type):
                buffer.writeStaticString(",")
                write("text", text, into: &buffer)
                writeType(type, into: &buffer)
            case .bytes(let bytes, let type):
                buffer.writeStaticString(",")
                write("base64", Base64.encode(Array(bytes.readableBytesView)), into: &buffer)
                writeType(type, into: &buffer)
            }
        }
    }

    private static func writeType(_ type: String?, into buffer: inout ByteBuffer) {
        guard let type else { return }
        buffer.writeStaticString(",")
        write("type", type, into: &buffer)
    }

    private static func write(_ name: StaticString, _ value: String?, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("\"")
        buffer.writeStaticString(name)
        buffer.writeStaticString("\":")
        if let value { JSONText.write(value, into: &buffer) } else { buffer.writeStaticString("null") }
    }
}
