import MeshBase
import MeshCredentials
import MeshGateway
import MeshLink
import MeshNode
import MeshRouting
import MeshWire
import NIOCore
import Synchronization

// What the desk orders, in its order.
extension CallPlane {
    /// Gathers what the loop's turn ends with: records, and what is done once they are written. What waits
    /// for none comes with it, so that the head and the end of a short answer leave together.
    func carryOut(_ steps: [OrderLine.Step]) {
        loop.preconditionInEventLoop()
        guard !steps.isEmpty else {
            if !tables.value.turn.isOpen { tables.value.line.written() }
            return
        }
        guard tables.value.turn.gather(steps) == .begun, !tables.value.isDecisionDue else { return }
        loop.execute { self.closeTurn() }
    }

    private func carryOut(_ step: OrderLine.Step) {
        switch step {
        case .write: preconditionFailure("a record is written outside its turn")
        case .keep(let keepsake, let gate):
            trail.keep(keepsake) { isDurable in
                self.loop.execute { self.kept(keepsake, gate, isDurable) }
            }
        case .perform(let effect): perform(effect)
        }
    }

    /// Writes what was recorded since the loop began this turn, in one write, and then does what waits for
    /// it.
    func closeTurn() {
        guard tables.value.turn.isOpen else { return tables.value.turn.isOver() }
        var turn = CallTurn()
        swap(&turn, &tables.value.turn)
        let written = NIODeadline.now()
        let appended = turn.write(to: trail)
        tables.value.turn = CallTurn(after: &turn)
        // The disk's time is nobody's part of the turn.
        let began = turn.began + (NIODeadline.now() - written)
        switch appended {
        case .done: break
        case .later(let later):
            let gates = turn.gates
            later.onDone { isDurable in
                self.loop.execute { for gate in gates { self.pass(gate, isDurable) } }
            }
        case .failed(let error):
            note("the audit cannot be written", error)
            return failClosed(performed(turn.steps) + tables.value.line.unwritten())
        }
        tables.value.line.written()
        perform { for step in turn.steps { self.carryOut(step) } }
        let now = NIODeadline.now()
        resources.turnTook(.nanoseconds((now - began).nanoseconds), on: loop)
        if let busy = tables.value.pace.note(from: turn.began, to: now) { submit(.shellBusy(busy)) }
    }

    private func kept(_ keepsake: Keepsake, _ gate: OrderLine.Gate, _ isDurable: Bool) {
        if isDurable, case .meter(let record) = keepsake { submit(.meterKept(record)) }
        pass(gate, isDurable)
    }

    private func pass(_ gate: OrderLine.Gate, _ isDurable: Bool) {
        guard isDurable else { return failClosed(tables.value.line.failed(gate)) }
        perform { self.carryOut(self.tables.value.line.opened(gate)) }
    }

    private func perform(_ effect: CallEffect) {
        switch effect {
        case .record, .remember, .reserve, .breakerChanged: break
        case .linkWanted(let node): _ = inputs.withLock { $0 }?.post(.linkWanted(node))
        case .linkUsed(let node): _ = inputs.withLock { $0 }?.post(.linkUsed(node), .droppable)
        case .judge(let ticket, let question, let correlation):
            guard let policy else { return later(.judged(ticket, .failed(.unreachable))) }
            policy.judge(ticket, question, correlation, for: self)
        case .send(let attempt, let node, let invocation): send(attempt, to: node, invocation)
        case .abandon(let attempt): tables.value.attempts.removeValue(forKey: attempt)?.abandon()
        case .answer(let attempt, let status, let headers, let correlation):
            guard let request = tables.value.requests[attempt.request] else { return }
            let own = request.own.flatMap { $0.attempt == attempt ? $0.pipe : nil }
            request.answering = own ?? tables.value.attempts[attempt]?.pipe
            request.begin(status: Int(status), headers: headers, correlation: correlation)
        case .finish(let id):
            guard let request = end(id) else { return }
            request.answering?.finish()
        case .answerAgain(let id, let answer, let correlation):
            end(id)?.way.answer(
                status: Int(answer.status), headers: answer.headers,
                body: ByteBuffer(bytes: answer.body?.bytes ?? []), correlation: correlation)
        case .refuse(let id, let refusals, let correlation): refuse(id, refusals, correlation)
        case .breakOff(let id, let refusals): refuse(id, refusals, nil)
        case .serve(let service, let resource, let invocation): serve(service, resource, invocation)
        case .stop(let service): tables.value.uses.removeValue(forKey: service)?.stop()
        case .respond(let key, let answer):
            guard case .refused = answer else {
                tables.value.calls[key]?.respond(answer)
                return
            }
            tables.value.uses[.inbound(key)] = nil
            refuse(key, answer)
        case .finishResponse(let key):
            tables.value.uses[.inbound(key)] = nil
            tables.value.calls[key]?.pipe?.finish()
        case .breakOffResponse(let key):
            tables.value.uses[.inbound(key)] = nil
            tables.value.calls.removeValue(forKey: key)?.breakOff()
        case .replay(let key, let end): tables.value.calls[key]?.replay(end)
        }
    }

    /// Refuses a peer's call, as soon as it is that peer's turn.
    private func refuse(_ key: InboundKey, _ answer: InvocationAnswer) {
        guard let call = tables.value.calls[key] else { return }
        guard let wait = tables.value.refusals.wait(call.peer, at: .now()) else {
            return call.respond(answer)
        }
        call.refusal = loop.assumeIsolated().scheduleTask(in: wait) {
            self.tables.value.calls[key]?.respond(answer)
        }
    }

    /// What these steps would have done.
    private func performed(_ steps: [OrderLine.Step]) -> [CallEffect] {
        steps.compactMap { step in if case .perform(let effect) = step { effect } else { nil } }
    }

    /// The audit could not be written: nothing of what follows may become visible. Whoever waits is told,
    /// nothing is sent.
    private func failClosed(_ effects: [CallEffect]) {
        let refusal = Refusal(.auditUnavailable, [Fact("because", "the audit could not be written")])
        var failed: [CallInput] = [.roomMeasured(bytes: 0)]
        for effect in effects {
            switch effect {
            case .record, .remember, .reserve, .breakerChanged, .linkWanted, .linkUsed: break
            case .judge(let ticket, _, _): failed.append(.judged(ticket, .failed(.unreachable)))
            case .abandon(let attempt): tables.value.attempts.removeValue(forKey: attempt)?.abandon()
            case .stop(let service): tables.value.uses.removeValue(forKey: service)?.stop()
            case .send(let attempt, _, _), .serve(.own(let attempt), _, _), .answer(let attempt, _, _, _):
                giveUp(attempt.request)
                refuse(attempt.request, [refusal], nil)
                failed.append(.cancelled(attempt.request))
            case .finish(let id), .answerAgain(let id, _, _), .refuse(let id, _, _), .breakOff(let id, _):
                giveUp(id)
                refuse(id, [refusal], nil)
                failed.append(.cancelled(id))
            case .serve(.inbound(let key), _, _):
                tables.value.calls.removeValue(forKey: key)?.respond(.refused([refusal], effect: .none))
                failed.append(.abandoned(key))
            case .respond(let key, _), .finishResponse(let key), .breakOffResponse(let key),
                .replay(let key, _):
                tables.value.uses.removeValue(forKey: .inbound(key))?.stop()
                tables.value.calls.removeValue(forKey: key)?.breakOff()
                failed.append(.abandoned(key))
            }
        }
        let inputs = failed
        loop.execute { for input in inputs { self.submit(input) } }
    }

    private func refuse(_ id: RequestID, _ refusals: [Refusal], _ correlation: CorrelationID?) {
        guard let request = end(id) else { return }
        request.answering?.abandon()
        request.way.refuse(refusals, correlation: correlation)
    }

    /// Ends what was begun for a request: nobody will hear of it.
    private func giveUp(_ id: RequestID) {
        for attempt in tables.value.requests[id]?.attempts ?? [] {
            tables.value.attempts.removeValue(forKey: attempt)?.abandon()
            tables.value.uses.removeValue(forKey: .own(attempt))?.stop()
        }
    }

    /// Takes a request out, with its attempts.
    private func end(_ id: RequestID) -> OwnRequest? {
        guard let request = tables.value.requests.removeValue(forKey: id) else { return nil }
        if let asked = request.way.request { tables.value.gateway[asked] = nil }
        request.feed.detach()
        for attempt in request.attempts {
            tables.value.attempts[attempt] = nil
            tables.value.uses[.own(attempt)] = nil
        }
        return request
    }

    private func send(_ id: AttemptID, to node: NodeID, _ invocation: Invocation) {
        guard let request = tables.value.requests[id.request] else { return }
        let head: ByteBuffer
        var seal: ConsumerSeal?
        do throws(ConsumerSeal.Failure) {
            (head, seal) = try written(invocation, to: node)
        } catch {
            note("an invocation cannot be written", error)
            let refusal =
                switch error {
                case .wire: Refusal(.headTooLarge, [Fact("limit", Limits.invocationHead)])
                case .seal: Refusal(.encryptionKeyMissing, [Fact("payload", "the key told is unusable")])
                }
            return later(.attemptRefused(id, [refusal], .none))
        }
        let attempt = PeerAttempt(id, invocation, for: request, seal, on: self)
        guard let connection = tables.value.links[node], let transport = transport.withLock({ $0 }) else {
            return later(.attemptFailed(id, .linkLost, .none))
        }
        guard let stream = transport.openStream(on: connection, head: head, observer: attempt) else {
            leave(connection)
            return later(.attemptFailed(id, .linkLost, .none))
        }
        request.attempts.append(id)
        tables.value.attempts[id] = attempt
        attempt.start(on: stream, over: connection)
    }

    /// Nothing more goes over this connection, and the control plane, which may be writing to its store, has
    /// yet to say so: calls wait for its word, whether that is another link or that one is to be asked for,
    /// instead of spending their retries on this one.
    func leave(_ connection: ConnectionID) {
        guard let node = tables.value.peers[connection]?.node, tables.value.links[node] == connection else {
            return
        }
        setLink(node, nil)
    }

    /// A call's head as it goes over the link, with what seals the rest where the desk wants that.
    private func written(
        _ invocation: Invocation, to node: NodeID
    ) throws(ConsumerSeal.Failure) -> (ByteBuffer, ConsumerSeal?) {
        guard invocation.sealedTo == nil else {
            let seal = try ConsumerSeal(invocation, from: me, to: node)
            return (ByteBuffer(bytes: seal.head), seal)
        }
        do throws(WireError) {
            return (ByteBuffer(bytes: try InvocationCodec.encode(invocation)), nil)
        } catch {
            throw .wire(error)
        }
    }

    private func serve(_ id: ServiceID, _ resource: LocalResource, _ invocation: Invocation) {
        let feed: RequestFeed
        let sink: any AnswerSink
        var caller: NodeID?
        switch id {
        case .inbound(let key):
            guard let call = tables.value.calls[key], let body = call.feed else { return }
            (feed, sink, caller) = (body, call, call.peer)
        case .own(let attempt):
            guard let request = tables.value.requests[attempt.request] else { return }
            request.attempts.append(attempt)
            (feed, sink) = (request.feed(for: invocation.body), request)
        }
        guard resource.description.protocol != .mcp else {
            return useTool(id, resource, invocation, of: caller, feed, answeringTo: sink)
        }
        guard let text = resource.url else {
            guard resource.name != .relay else {
                let use = RelayUse(id, feed, answeringTo: sink, on: self)
                tables.value.uses[id] = use
                return use.start(invocation, of: caller)
            }
            let echo = Echo(id, feed, answeringTo: sink, on: self)
            tables.value.uses[id] = echo
            return echo.start(invocation)
        }
        guard let url = url(text) else { return later(.resourceFailed(id, .unreachable, .none)) }
        let use = ResourceUse(id, of: invocation.resource, feed, answeringTo: sink, on: self)
        tables.value.uses[id] = use
        use.start(request(invocation, of: caller, to: url, feed), through: resources, on: loop)
    }

    /// What a resource's URL says; each is read once.
    private func url(_ text: String) -> ResourceURL? {
        if let url = tables.value.urls[text] { return url }
        guard let url = ResourceURL(text) else { return nil }
        if tables.value.urls.count >= Self.urlsKept { tables.value.urls = [:] }
        tables.value.urls[text] = url
        return url
    }

    /// URLs of resources that are kept as they were read.
    private static let urlsKept = 1_024

    private func request(
        _ invocation: Invocation, of caller: NodeID?, to url: ResourceURL, _ feed: RequestFeed
    )
        -> ResourceRequest
    {
        let body: ResourceBody =
            if let whole = feed.whole { .whole(whole.bytes, trailers: whole.trailers) } else {
                .streamed(length: feed.form.length)
            }
        var (own, callers): ([HeaderField], [HeaderField]) = ([], [])
        callers.reserveCapacity(invocation.headers.count)
        own.reserveCapacity(invocation.headers.count)
        for field in invocation.headers {
            if FieldRules.isReserved(field.name) || field.name == "traceparent" {
                own.append(field)
            } else {
                callers.append(field)
            }
        }
        // Where bytes that move prolong the call's time, the desk says when it is over.
        let timeout: Duration? =
            switch invocation.deadlineScope {
            case .wholeCall: .milliseconds(Int64(max(1, invocation.remainingMilliseconds)))
            case .answerHead: nil
            }
        return ResourceRequest(
            url: url, method: invocation.method, path: invocation.path, query: invocation.query,
            headers: callers, added: own, body: body, caller: caller, timeout: timeout)
    }

    /// Tells the desk behind what is being performed now.
    func later(_ input: CallInput) { loop.execute { self.submit(input) } }
}
