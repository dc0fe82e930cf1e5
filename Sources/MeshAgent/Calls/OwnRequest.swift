import MeshBase
import MeshGateway
import MeshNode
import MeshRouting
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
    /// The answer's head, until something follows it: of an answer without a body the head is all that the
    /// application waits for, so that it counts as the last frame (protocol section 9).
    private var head: (status: Int, headers: [HeaderField], correlation: CorrelationID?)?

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

    /// The desk lets the answer's head pass.
    func begin(status: Int, headers: [HeaderField], correlation: CorrelationID?) {
        head = (status, headers, correlation)
        answering?.open()
    }

    func pass(_ piece: ByteBuffer) {
        sendHead()
        reply.body(piece)
    }

    func close() {
        sendHead()
        reply.end()
    }

    private func sendHead() {
        guard let (status, headers, correlation) = head else { return }
        head = nil
        reply.head(status: status, headers: headers, correlation: correlation)
    }
}
