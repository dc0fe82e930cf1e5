import MeshBase
import MeshCredentials
import MeshGateway
import MeshNode
import MeshRouting
import MeshTelemetry
import NIOCore

// Applications on this machine.
extension CallPlane: GatewayObserver {
    func requestArrived(_ request: GatewayRequest, reply: GatewayReply) {
        if request.form == .metrics { return tellMetrics(reply) }
        let principal: Principal
        switch principals.principal(of: request.transport, claiming: request.claimedPrincipal) {
        case .refused(let refusal): return reply.refuse([refusal], correlation: nil)
        case .allowed(let found): principal = found
        }
        let isToAll = request.peer == GatewayRequest.everyProvider
        guard let target = isToAll ? .any : CallTarget(request.peer) else {
            return reply.refuse([Refusal(.peerNotFound, [Fact("peer", request.peer)])], correlation: nil)
        }
        guard let resource = ResourceName(request.resource) else {
            return reply.refuse(
                [Refusal(.resourceUnknown, [Fact("resource", request.resource)])], correlation: nil)
        }
        // Links are carried for agents, not for whoever reaches the gateway.
        guard resource != .relay else {
            return reply.refuse([Refusal(.resourceUnknown, [Fact("resource", resource)])], correlation: nil)
        }
        let form: CallForm
        switch request.form {
        case .metrics: return
        case .mesh(let method, let path, let query):
            if path == ToolCall.listingPath, query == nil, isForTools(request, target, resource) {
                return takeMessage(ToolMessage(request, reply, method, target, resource, principal))
            }
            form = .mesh(method: method, path: path, query: query)
        case .invoke(let name):
            let capability = name.map { ResourceName($0) }
            if case .some(.none) = capability {
                return reply.refuse(
                    [Refusal(.capabilityUnknown, [Fact("capability", name ?? "")])], correlation: nil)
            }
            form = .invoke(capability: capability ?? nil, query: QueryScalars.query(of: request.body))
        }
        if isToAll { return takeForAll(request, reply, resource, form, as: principal) }
        take(
            request, .application(reply), nextRequest(), target, resource, form, as: principal,
            request.requestBody)
    }

    /// Whoever may call may read how the agent does; what it names are methods of ours and node IDs of peers.
    private func tellMetrics(_ reply: GatewayReply) {
        guard let metrics = metrics.withLock({ $0 }) else {
            return reply.refuse([Refusal(.draining)], correlation: nil)
        }
        Task {
            let page = ByteBuffer(string: await metrics.page())
            let type = HeaderField("content-type", MetricsPage.contentType)
            reply.answer(status: 200, headers: [type], body: page, correlation: nil)
        }
    }

    func nextRequest() -> RequestID {
        tables.value.requestsSeen += 1
        return RequestID(tables.value.requestsSeen)
    }

    /// A call to each of them: with the deadline that the request has, so that all end by then, and in one
    /// trace.
    private func takeForAll(
        _ request: GatewayRequest, _ reply: GatewayReply, _ resource: ResourceName, _ form: CallForm,
        as principal: Principal
    ) {
        let providers: [Provider]
        // Those before it in this turn count.
        catchUp()
        switch desk.withLock({ $0.providers(of: resource, at: SystemClock.now().wall) }) {
        case .refused(let refusal): return reply.refuse([refusal], correlation: nil)
        case .allowed(let found): providers = found
        }
        // Their answers stand in one document: none of them is a part of something, or in another code.
        var shared = request
        shared.headers.removeAll {
            $0.name == "accept-encoding" || $0.name == "range" || $0.name.hasPrefix("if-")
        }
        shared.deadline = request.deadline ?? Limits.callDeadline
        shared.traceparent = request.traceparent ?? TraceContext.fresh(using: &tables.value.traces)
        let calls = providers.map { (provider: $0, call: nextRequest()) }
        let gathering = FanOut(
            calls, givingUpBy: { [unowned self] call in loop.execute { self.withdraw(call) } },
            finishingBy: { [unowned self] parts in
                tables.value.fanOuts[request.id] = nil
                reply.gathered(parts)
            },
            within: tables.value.fanOutRoom)
        tables.value.fanOuts[request.id] = gathering
        let body = request.requestBody
        for (part, (provider, call)) in calls.enumerated() {
            take(
                shared, .fanOut(gathering, part: part), call, .node(provider.node), resource, form,
                as: principal, body)
        }
    }

    func take(
        _ request: GatewayRequest, _ way: AnswerWay, _ id: RequestID, _ target: CallTarget,
        _ resource: ResourceName, _ form: CallForm, as principal: Principal, _ body: RequestBody
    ) {
        tables.value.requests[id] = OwnRequest(id, request, body, answering: way) { [unowned self] event in
            bodyOf(id, did: event)
        }
        if let asked = way.request { tables.value.gateway[asked] = id }
        submit(
            .requested(
                LocalRequest(
                    id: id, target: target, resource: resource, form: form, headers: request.headers,
                    principal: principal, purpose: request.purpose, deadline: request.deadline,
                    idempotencyKey: request.idempotencyKey, sticky: request.stickyKey.map(Rendezvous.hash),
                    traceparent: request.traceparent ?? TraceContext.fresh(using: &tables.value.traces),
                    body: body)))
    }

    /// Tells the desk what became of the body of one of this node's own requests.
    func bodyOf(_ id: RequestID, did event: RequestFeed.Event) {
        switch event {
        case .left: submit(.bodyLeft(id))
        case .moved: submit(.bytesMoved(id))
        case .ended(let summary): submit(.bodyEnded(id, summary))
        }
    }

    func bodyArrived(_ chunk: ByteBuffer, of id: GatewayRequestID) {
        // The gateway's decoder holds the body to the length that it declared.
        if let own = request(id) { _ = own.feed.take(chunk) } else { messageGrew(id, by: chunk) }
    }

    func bodyEnded(of id: GatewayRequestID, trailers: [HeaderField]) {
        if let own = request(id) { _ = own.feed.end(trailers: trailers) } else { messageEnded(id) }
    }

    func answerFlowChanged(_ flow: AnswerFlow, of id: GatewayRequestID) { request(id)?.flowChanged(flow) }

    func cancelled(_ id: GatewayRequestID) {
        if let request = tables.value.gateway.removeValue(forKey: id) { return withdraw(request) }
        tables.value.toolMessages[id] = nil
        for call in tables.value.fanOuts.removeValue(forKey: id)?.open ?? [] { withdraw(call) }
    }

    /// Nobody waits for this call's answer any more.
    func withdraw(_ request: RequestID) {
        submit(.cancelled(request))
        let removed = tables.value.requests.removeValue(forKey: request)
        removed?.feed.detach()
        removed?.answering?.abandon()
    }

    private func request(_ id: GatewayRequestID) -> OwnRequest? {
        tables.value.gateway[id].flatMap { tables.value.requests[$0] }
    }
}

extension GatewayRequest {
    /// How its body comes, as the desk is told.
    var requestBody: RequestBody {
        switch delivery {
        case .continued: .streamed(length: bodyLength)
        case .whole where body.readableBytes == 0: .none
        case .whole:
            .whole(
                length: Int64(body.readableBytes), digest: SystemSuite().digest(Array(body.readableBytesView))
            )
        }
    }
}

/// W3C Trace Context, for an application that brings none: a call carries one from its originator on
/// (protocol section 8).
private enum TraceContext {
    /// Version 00, a trace and a parent of its own, and no wish to be sampled.
    static func fresh(using generator: inout SeededGenerator) -> String {
        let words = (generator.next(), generator.next(), generator.next())
        return String(unsafeUninitializedCapacity: 55) { text in
            for index in [0, 1, 53, 54] { text[index] = UInt8(ascii: "0") }
            for index in [2, 35, 52] { text[index] = UInt8(ascii: "-") }
            let bytes = UnsafeMutableRawBufferPointer(text)
            for (word, place) in [(words.0, 3), (words.1, 19), (words.2, 36)] {
                Hexadecimal.write(word, to: UnsafeMutableRawBufferPointer(rebasing: bytes[place...]))
            }
            return 55
        }
    }
}
