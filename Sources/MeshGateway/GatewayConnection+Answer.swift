import MeshBase
import MeshRouting
import NIOCore

/// What goes out: answers to the request under way. Whatever refers to another request came too late and is
/// ignored.
extension GatewayConnection {
    /// The head of an answer whose body follows.
    func answerHead(_ id: GatewayRequestID?, status: Int, headers: [HeaderField], correlation: CorrelationID?)
    {
        guard isOwed(id) else { return }
        guard (200...599).contains(status) || isWebSocket && status == WebSocketUpgrade.status else {
            let fact = Fact("status", status)
            return answerRefused(
                id, [Refusal(.resourceMisbehaved, [fact])], status: nil, correlation: correlation)
        }
        exchange?.answer.begin(
            status: status, headers: headers, length: nil, extra: Self.names(correlation), into: &out)
        flushSoon()
    }

    /// The next bytes of the body.
    func answerBody(_ id: GatewayRequestID?, _ chunk: ByteBuffer) {
        guard let context, let answer = exchange?.answer, exchange?.id == id, answer.hasBegun else { return }
        lastWritten = .now()
        switch exchange?.answer.add(chunk, into: &out) {
        case .apart(let closing):
            if out.readableBytes > 0 { context.write(wrapOutboundOut(out), promise: nil) }
            context.write(wrapOutboundOut(chunk), promise: nil)
            out.clear()
            if closing { out.writeStaticString("\r\n") }
        case .tooLong: return cut()
        case .nothing, nil: break
        }
        flushSoon()
    }

    /// The end of the answer.
    func answerEnd(_ id: GatewayRequestID?, trailers: [HeaderField]) {
        guard let answer = exchange?.answer, exchange?.id == id, answer.hasBegun, !answer.hasEnded else {
            return
        }
        guard exchange?.answer.end(trailers: trailers, into: &out) == true else { return cut() }
        if isReading { isFlushDue = true } else { flushNow() }
        finishIfComplete()
    }

    /// A whole answer, its length known.
    func answerWhole(
        _ id: GatewayRequestID?, status: Int, headers: [HeaderField], body: ByteBuffer,
        correlation: CorrelationID?, extra: [HeaderField]
    ) {
        guard isOwed(id) else { return }
        exchange?.answer.begin(
            status: status, headers: headers, length: body.readableBytes,
            extra: extra + Self.names(correlation),
            into: &out)
        answerBody(id, body)
        answerEnd(id, trailers: [])
    }

    /// A refusal: the first code decides the status. After the head nothing but a cut can be said.
    func answerRefused(
        _ id: GatewayRequestID?, _ refusals: [Refusal], status: Int?, correlation: CorrelationID?
    ) {
        guard exchange?.id == id, exchange?.answer.hasEnded == false else { return }
        guard isOwed(id) else { return cut() }
        let code = refusals.first?.code ?? .resourceMisbehaved
        var body = ByteBuffer()
        RefusalBody.write(refusals, correlation: correlation, into: &body)
        var extra = [HeaderField("comity-refusal", code.rawValue)]
        if let seconds = Self.retryAfter(refusals) {
            extra.append(HeaderField("retry-after", "\(seconds)"))
        }
        if status == 401 { extra.append(HeaderField("www-authenticate", "Bearer")) }
        answerWhole(
            id, status: status ?? HTTPStatusTable.status(for: code),
            headers: [HeaderField("content-type", "application/json")], body: body, correlation: correlation,
            extra: extra)
    }

    /// What became of each part of a request to all providers.
    func answerGathered(_ id: GatewayRequestID?, _ parts: [FanOutPart]) {
        guard isOwed(id) else { return }
        var body = ByteBuffer()
        FanOutBody.write(parts, into: &body)
        let answered = parts.count { if case .answered = $0.outcome { true } else { false } }
        let isReached = parts.contains { part in
            if case .refused(_, begun: nil) = part.outcome { false } else { true }
        }
        var (status, extra) = (200, [HeaderField("comity-fan-out", "\(answered)/\(parts.count)")])
        if !isReached, case .refused(let refusals, _)? = parts.first?.outcome {
            status = HTTPStatusTable.status(for: refusals.first?.code ?? .resourceMisbehaved)
            if let seconds = Self.retryAfter(refusals) {
                extra.append(HeaderField("retry-after", "\(seconds)"))
            }
        }
        answerWhole(
            id, status: status, headers: [HeaderField("content-type", "application/json")], body: body,
            correlation: nil, extra: extra)
    }

    /// When the reason that decides the status is over, in whole seconds (RFC 9110 section 10.2.3); nil where
    /// it does not say. Peers choose their facts: what no limit can make is not repeated.
    static func retryAfter(_ refusals: [Refusal]) -> Int64? {
        guard let first = refusals.first,
            [.rateExceeded, .quotaExhausted, .tooManyCalls, .overloaded].contains(first.code),
            let fact = first.facts.first(where: { $0.name == "free again in ms" }),
            let milliseconds = Int64(fact.value), (1...31 * 86_400_000).contains(milliseconds)
        else { return nil }
        return (milliseconds + 999) / 1_000
    }

    private func isOwed(_ id: GatewayRequestID?) -> Bool {
        context != nil && exchange != nil && exchange?.id == id && exchange?.answer.hasBegun == false
    }

    private static func names(_ correlation: CorrelationID?) -> [HeaderField] {
        correlation.map { [HeaderField("comity-correlation-id", $0.description)] } ?? []
    }

    // MARK: Flushing

    /// Lets out what has gathered at the end of this read, or of this turn of the loop.
    func flushSoon() {
        guard !isFlushDue else { return }
        isFlushDue = true
        guard !isReading, let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { if bound.value.isFlushDue { bound.value.flushNow() } }
    }

    /// Lets out what has gathered, in one system call.
    func flushNow() {
        isFlushDue = false
        guard let context else { return }
        guard out.readableBytes > 0 else { return context.flush() }
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        out.clear()
    }
}
