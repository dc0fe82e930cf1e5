import MeshBase
import MeshGateway
import MeshNode
import NIOCore

/// One request of an application on this machine, from arrival to its answer's end. Confined to the plane's
/// event loop.
final class OwnRequest: AnswerSink {
    let id: RequestID
    let reply: GatewayReply
    let body: ByteBuffer
    /// Whether it came as `/invoke`: a capability without a body then carries none.
    let isInvoke: Bool
    /// The attempt whose answer flows.
    var answering: AnswerPipe?

    init(id: RequestID, reply: GatewayReply, body: ByteBuffer, isInvoke: Bool) {
        self.id = id
        self.reply = reply
        self.body = body
        self.isInvoke = isInvoke
    }

    /// What goes on with an attempt of this method.
    func body(for method: String) -> ByteBuffer {
        isInvoke && (method == "GET" || method == "HEAD") ? ByteBuffer() : body
    }

    func pass(_ piece: ByteBuffer) { reply.body(piece) }
    func close() { reply.end() }
}
