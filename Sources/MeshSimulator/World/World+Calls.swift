import MeshAudit
import MeshBase
import MeshNode
import MeshRouting

// Calls: what a desk orders, and the streams that carry them.
extension World {
    mutating func call(_ run: RunID, _ input: CallInput) {
        guard isAlive(run), hosts[run.host].agent?.desk != nil else { return }
        trace.fold(input, at: run.host)
        hear(input, run)
        let now = seen(by: run.host)
        var outbox = Outbox<CallEffect>()
        hosts[run.host].agent?.desk?.handle(input, at: now, into: &outbox)
        var effects = outbox.drain()
        if tampering == .payloadsClear { effects = effects.map { tampered($0) } }
        checkOrders(effects, of: run)
        if let steps = hosts[run.host].agent?.line.add(effects) { perform(steps, run) }
        endDrained(run)
        setAlarm(run)
    }

    /// Performs in order; what must be durable first waits, as the shell's group commit makes it.
    mutating func perform(_ steps: [OrderLine.Step], _ run: RunID) {
        for (index, step) in steps.enumerated() {
            guard isAlive(run), survives(run) else { return }
            switch step {
            case .write(let records, let durability, let gate):
                trace.fold(.record(records, durability))
                guard !hosts[run.host].isFull else { return failClosed(steps[(index + 1)...], run) }
                guard append(records, run) else { return }
                guard durability == .synced else { continue }
                let due = max(time + moment(upTo: .milliseconds(10)), hosts[run.host].agent?.syncedAt ?? time)
                hosts[run.host].agent?.syncedAt = due
                queue.push(.synced(run, journal: hosts[run.host].disk.journal.count, gate), at: due)
            case .keep(let keepsake, let gate):
                trace.fold(keepsake)
                let due = max(time + moment(upTo: .milliseconds(10)), hosts[run.host].agent?.keptAt ?? time)
                hosts[run.host].agent?.keptAt = due
                queue.push(.kept(run, keepsake, gate), at: due)
            case .perform(let effect):
                trace.fold(effect)
                perform(effect, run)
            }
        }
    }

    mutating func synced(_ run: RunID, _ count: Int, _ gate: OrderLine.Gate) {
        guard isAlive(run) else { return }
        hosts[run.host].disk.sync(upTo: count)
        open(gate, run)
    }

    mutating func kept(_ run: RunID, _ keepsake: Keepsake, _ gate: OrderLine.Gate) {
        guard isAlive(run) else { return }
        let isWritten = endOfWriting(parts: 1, run)
        if isWritten != 0 { keep(keepsake, run) }
        guard isWritten == nil else { return endInWrite(run) }
        if case .meter(let record) = keepsake { call(run, .meterKept(record)) }
        guard isAlive(run) else { return }
        open(gate, run)
    }

    private mutating func keep(_ keepsake: Keepsake, _ run: RunID) {
        switch keepsake {
        case .key(let entry): if tampering != .keysForgotten { hosts[run.host].disk.commit(entry) }
        case .meter(let record): hosts[run.host].disk.commit(record)
        }
    }

    private mutating func open(_ gate: OrderLine.Gate, _ run: RunID) {
        if let steps = hosts[run.host].agent?.line.opened(gate) { perform(steps, run) }
        setAlarm(run)
    }

    mutating func perform(_ effect: CallEffect, _ run: RunID) {
        switch effect {
        case .record, .remember, .reserve, .breakerChanged: break
        case .linkWanted(let node): schedule(.tell(run, .linkWanted(node)), after: .zero)
        case .linkUsed(let node): schedule(.tell(run, .linkUsed(node)), after: .zero)
        case .judge(let ticket, let question, let correlation): judge(ticket, question, correlation, run)
        case .send(let attempt, let node, let invocation): send(attempt, to: node, invocation, run)
        case .abandon(let attempt):
            guard let stream = hosts[run.host].agent?.attempts.remove(attempt) else { return }
            hosts[run.host].agent?.streams[stream] = nil
            transmit(.abandon(stream: stream.stream), on: stream.connection, of: run)
        case .answer(let attempt, _, _, let correlation):
            note(.answeredOnce, checks.calls.answerBegan(attempt.request, correlation, of: run, at: time))
        case .finish(let id): finish(id, run)
        case .answerAgain(let id, _, let correlation):
            note(.answeredOnce, checks.calls.answerBegan(id, correlation, of: run, at: time))
            finish(id, run)
        case .refuse(let id, _, _):
            statistics.refused += 1
            note(.answeredOnce, checks.calls.answerEnded(id, of: run, as: .refused))
        case .breakOff(let id, _):
            statistics.brokenOff += 1
            note(.answeredOnce, checks.calls.answerEnded(id, of: run, as: .brokenOff))
        case .serve(let service, let resource, let invocation):
            if case .inbound(let key) = service { pass(.served(run.host, key), run) }
            serve(service, resource, invocation, run)
        case .stop(let service): hosts[run.host].agent?.services.remove(service)
        case .respond(let key, let answer): respond(key, answer, run)
        case .finishResponse(let key):
            transmit(.answerEnd(stream: key.stream, Self.answerBody(suite)), on: key.connection, of: run)
            endService(key, run, isAcknowledged: true)
        case .breakOffResponse(let key):
            transmit(.answerReset(stream: key.stream), on: key.connection, of: run)
            endService(key, run, isAcknowledged: false)
        case .replay(let key, let end):
            let answer = InvocationAnswer.answered(status: end.status, headers: end.headers)
            transmit(.answer(stream: key.stream, answer), on: key.connection, of: run)
            transmit(.answerEnd(stream: key.stream, Self.answerBody(suite)), on: key.connection, of: run)
            endService(key, run, isAcknowledged: true)
        }
    }

    /// A call passes that an agreement may count.
    private mutating func pass(_ subject: UsageCheck.Subject, _ run: RunID) {
        for text in checks.usage.performed(subject) { breach(.quotaKept, text) }
        statistics.meteredCalls = checks.usage.counted
    }

    private mutating func finish(_ id: RequestID, _ run: RunID) {
        statistics.answered += 1
        watchAnswer(id, at: run)
        if let correlation = checks.calls.request(id, of: run)?.correlation {
            checks.audit.answered(correlation, at: run.host)
        }
        note(.answeredOnce, checks.calls.answerEnded(id, of: run, as: .answered))
        if tampering == .answersDoubled {
            note(.answeredOnce, checks.calls.answerEnded(id, of: run, as: .answered))
        }
        let disk = hosts[run.host].disk
        checks.audit.acknowledged(disk.journal, synced: disk.syncedCount, host: run.host)
    }

    mutating func endService(_ key: InboundKey, _ run: RunID, isAcknowledged: Bool) {
        hosts[run.host].agent?.inbound[key] = nil
        guard isAcknowledged else { return }
        let disk = hosts[run.host].disk
        checks.audit.acknowledged(disk.journal, synced: disk.syncedCount, host: run.host)
    }

    mutating func transmit(_ message: PipeMessage, on connection: ConnectionID, of run: RunID) {
        guard let (id, end) = place(connection, of: run) else { return }
        transmit(message, over: id, from: end)
    }

    private mutating func send(_ attempt: AttemptID, to node: NodeID, _ invocation: Invocation, _ run: RunID)
    {
        statistics.attempts += 1
        watch?.sent(attempt.request, to: hostOfNode[node])
        if invocation.sealedTo != nil { statistics.sealedAttempts += 1 }
        if attempt.number > 1 { statistics.retries += 1 }
        guard let connection = hosts[run.host].agent?.links[node], let (id, end) = place(connection, of: run),
            let streams = hosts[run.host].agent?.streamsOpened
        else { return schedule(.call(run, .attemptFailed(attempt, .linkLost, .none)), after: .zero) }
        // As the frames' machine says it: nothing of it was sent.
        guard pipes[id]?[end].isDraining == false, pipes[id]?[end].isLeft == false else {
            return schedule(.call(run, .attemptFailed(attempt, .noStream, .none)), after: .zero)
        }
        checkTrust(in: node, of: run)
        pass(.sent(run.host, attempt), run)
        let stream = InboundKey(connection: connection, stream: streams + 1)
        hosts[run.host].agent?.streamsOpened = streams + 1
        hosts[run.host].agent?.attempts[attempt] = stream
        hosts[run.host].agent?.streams[stream] = attempt
        transmit(.invocation(stream: stream.stream, invocation), over: id, from: end)
    }

    mutating func respond(_ key: InboundKey, _ answer: InvocationAnswer, _ run: RunID) {
        transmit(.answer(stream: key.stream, answer), on: key.connection, of: run)
        if case .refused = answer { endService(key, run, isAcknowledged: false) }
    }

    // MARK: Streams

    mutating func arrive(
        _ message: PipeMessage, on connection: ConnectionID, from peer: NodeID, at run: RunID
    ) {
        switch message {
        case .invocation(let stream, let invocation):
            // Who opened it after it was told hears that nothing of it was done, by what was told.
            if let (id, end) = place(connection, of: run), pipes[id]?[end].isDraining == true { return }
            let key = InboundKey(connection: connection, stream: stream)
            hosts[run.host].agent?.inbound[key] = stream
            let origin = place(connection, of: run).flatMap { pipes[$0.pipe]?[$0.end].origin }
            let inbound = InboundInvocation(
                key: key, peer: peer, over: origin, invocation: invocation, body: invocation.body,
                opening: opening(invocation.sealedTo, of: peer, at: run.host))
            checks.calls.arrived(inbound, of: run, at: time)
            call(run, .arrived(inbound))
            if invocation.body.isStreamed {
                schedule(.receive(run, key, step: 1), after: .milliseconds(800))
            }
        case .answer(let stream, let answer):
            let key = InboundKey(connection: connection, stream: stream)
            guard let attempt = hosts[run.host].agent?.streams[key] else { return }
            switch answer {
            case .answered(let status, let headers):
                call(run, .attemptAnswered(attempt, status: status, headers: headers))
            case .refused(let refusals, let effect):
                forget(attempt, run)
                call(run, .attemptRefused(attempt, refusals, effect))
            }
        case .answerEnd(let stream, let body):
            guard let attempt = takeAttempt(InboundKey(connection: connection, stream: stream), run) else {
                return
            }
            let kept = keptBody(of: attempt, on: connection, run)
            call(run, .attemptEnded(attempt, body, kept: kept))
        case .answerReset(let stream):
            guard let attempt = takeAttempt(InboundKey(connection: connection, stream: stream), run) else {
                return
            }
            call(run, .attemptFailed(attempt, .streamReset, .possible))
        case .abandon(let stream):
            let key = InboundKey(connection: connection, stream: stream)
            guard hosts[run.host].agent?.inbound.remove(key) != nil else { return }
            call(run, .abandoned(key))
        case .secured, .document, .garbage, .ping, .pong, .end, .drained, .goAway: break
        }
    }

    /// What comes of a head of `peer` that is sealed to `key`, as the shells do it.
    private func opening(
        _ key: EncryptionKey?, of peer: NodeID, at host: Int
    ) -> InboundInvocation.Opening {
        guard let key else { return .whole }
        let now = seen(by: host).instant
        if let refusal = hosts[host].agent?.desk?.refusalBeforeOpening(from: peer, at: now) {
            return .refused(refusal)
        }
        let held = hosts[host].disk.encryption
        return held?.current == key || held?.previous == key ? .whole : .keyUnknown
    }

    /// What a desk that lies makes of its orders, in tests of the checkers.
    private func tampered(_ effect: CallEffect) -> CallEffect {
        guard case .send(let attempt, let node, var invocation) = effect else { return effect }
        invocation.sealedTo = nil
        return .send(attempt, to: node, invocation)
    }

    mutating func forget(_ attempt: AttemptID, _ run: RunID) {
        guard let stream = hosts[run.host].agent?.attempts.remove(attempt) else { return }
        hosts[run.host].agent?.streams[stream] = nil
    }

    private mutating func takeAttempt(_ key: InboundKey, _ run: RunID) -> AttemptID? {
        guard let attempt = hosts[run.host].agent?.streams[key] else { return nil }
        forget(attempt, run)
        return attempt
    }

    /// A connection is gone, and every stream on it.
    mutating func breakStreams(on connection: ConnectionID, of run: RunID) {
        guard isAlive(run), let agent = hosts[run.host].agent else { return }
        for (key, attempt) in agent.streams where key.connection == connection {
            forget(attempt, run)
            call(run, .attemptFailed(attempt, .linkLost, .possible))
        }
        for key in agent.inbound.keys where key.connection == connection {
            hosts[run.host].agent?.inbound[key] = nil
            call(run, .abandoned(key))
        }
    }

    static func answerBody(_ suite: SimulatedSuite) -> BodySummary {
        BodySummary(length: 16, digest: suite.digest([1, 2, 3]))
    }
}
