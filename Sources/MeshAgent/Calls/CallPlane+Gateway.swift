import MeshBase
import MeshCredentials
import MeshGateway
import MeshNode
import NIOCore

// Applications on this machine.
extension CallPlane: GatewayObserver {
    func requestArrived(_ request: GatewayRequest, reply: GatewayReply) {
        let principal: Principal
        switch principals.principal(of: request.transport, claiming: request.claimedPrincipal) {
        case .refused(let refusal): return reply.refuse([refusal], correlation: nil)
        case .allowed(let found): principal = found
        }
        guard let target = CallTarget(request.peer) else {
            return reply.refuse([Refusal(.peerNotFound, [Fact("peer", request.peer)])], correlation: nil)
        }
        guard let resource = ResourceName(request.resource) else {
            return reply.refuse(
                [Refusal(.resourceUnknown, [Fact("resource", request.resource)])], correlation: nil)
        }
        let form: CallForm
        var isInvoke = false
        switch request.form {
        case .mesh(let method, let path, let query): form = .mesh(method: method, path: path, query: query)
        case .invoke(let name):
            isInvoke = true
            let capability = name.map { ResourceName($0) }
            if case .some(.none) = capability {
                return reply.refuse(
                    [Refusal(.capabilityUnknown, [Fact("capability", name ?? "")])], correlation: nil)
            }
            form = .invoke(capability: capability ?? nil, query: QueryScalars.query(of: request.body))
        }
        tables.value.requestsSeen += 1
        let id = RequestID(tables.value.requestsSeen)
        tables.value.requests[id] = OwnRequest(id: id, reply: reply, body: request.body, isInvoke: isInvoke)
        tables.value.gateway[request.id] = id
        submit(
            .requested(
                LocalRequest(
                    id: id, target: target, resource: resource, form: form, headers: request.headers,
                    principal: principal,
                    deadline: request.deadline, idempotencyKey: request.idempotencyKey,
                    traceparent: request.traceparent ?? TraceContext.fresh(),
                    bodyLength: Int64(request.body.readableBytes),
                    bodyDigest: SystemSuite().digest(Array(request.body.readableBytesView)))))
    }

    func bodyArrived(_ chunk: ByteBuffer, of id: GatewayRequestID) {}

    func bodyEnded(of id: GatewayRequestID) {}

    func answerFlowChanged(_ flow: AnswerFlow, of id: GatewayRequestID) {}

    func cancelled(_ id: GatewayRequestID) {
        guard let request = tables.value.gateway.removeValue(forKey: id) else { return }
        submit(.cancelled(request))
        tables.value.requests.removeValue(forKey: request)?.answering?.abandon()
    }
}

/// W3C Trace Context, for an application that brings none: a call carries one from its originator on
/// (protocol section 8).
private enum TraceContext {
    /// Version 00, a trace and a parent of its own, and no wish to be sampled.
    static func fresh() -> String {
        "00-\(Hexadecimal.encode(SystemRandom.bytes(16)))-\(Hexadecimal.encode(SystemRandom.bytes(8)))-00"
    }
}
