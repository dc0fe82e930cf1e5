import MeshBase
import MeshGossip
import MeshNode
import MeshTrust

// Connections: made, used, ended.
extension World {
    /// Where a connection of `run` is.
    func place(_ connection: ConnectionID, of run: RunID) -> (pipe: Int, end: PipeEnd)? {
        guard let id = hosts[run.host].agent?.pipes[connection],
            let end = pipes[id]?.end(of: run, connection),
            pipes[id]?[end].isOpen == true
        else { return nil }
        return (id, end)
    }

    mutating func withPipe(_ connection: ConnectionID, of run: RunID, _ change: (inout Pipe, PipeEnd) -> Void)
    {
        guard let (id, end) = place(connection, of: run) else { return }
        pipes.update(id) { change(&$0, end) }
    }

    /// A dial arrives where it leads: refused, unanswered, or through.
    mutating func connect(_ dial: Dial) {
        guard isAlive(dial.run) else { return }
        let failure = WorldEvent.tell(dial.run, .connectionClosed(dial.connection))
        if intruder.isAt(dial.endpoint) { return connectToIntruder(dial) }
        guard let target = host(at: dial.endpoint), hosts[target].isPowered,
            network.reaches(dial.run.host, target), network.reaches(target, dial.run.host)
        else { return schedule(failure, after: Limits.connectTime) }
        guard let agent = hosts[target].agent, !dial.isPairing || agent.isPairingOpen else {
            return schedule(failure, after: hop())
        }
        let accepted = accept(at: target)
        let pipe = Pipe(
            dialler: .agent(dial.run, dial.connection), listener: .agent(agent.run, accepted),
            isPairing: dial.isPairing)
        let id = newPipe(pipe)
        hosts[dial.run.host].agent?.pipes[dial.connection] = id
        hosts[target].agent?.pipes[accepted] = id
        transmit(.secured, over: id, from: .dialler)
        secure(dial.connection, of: dial.run, .initiator, over: id, presented: .wellFormed(agent.leaf))
    }

    /// The number of a connection that a host accepts: odd ones.
    mutating func accept(at host: Int) -> ConnectionID {
        let number = hosts[host].agent?.accepted ?? 1
        hosts[host].agent?.accepted = number + 2
        return ConnectionID(number)
    }

    /// Tells a node that TLS is up.
    mutating func secure(
        _ connection: ConnectionID, of run: RunID, _ role: HandshakeRole, over id: Int,
        presented: PresentedCertificate
    ) {
        guard let pipe = pipes[id], let agent = hosts[run.host].agent else { return }
        let end: PipeEnd = role == .initiator ? .listener : .dialler
        let remote = endpoint(of: pipe[end].party)
        guard let nonce = Digest(chance.bytes(32)) else { preconditionFailure("32 bytes are a digest's") }
        let secured = SecuredConnection(
            role: role, purpose: pipe.isPairing ? .pairing : .peering, presented: presented,
            ownCertificateDigest: agent.leaf.certificateDigest, ownCertificateKey: agent.leaf.certificateKey,
            nonce: nonce, remote: remote)
        let near: LinkDistance = plan.nodes > 6 ? .remote : .local
        let distance = pipe.carrier.map { LinkDistance.relayed(by: $0.node) } ?? near
        tell(run, .connectionSecured(connection, secured, distance))
    }

    func endpoint(of party: Party) -> Endpoint {
        switch party {
        case .agent(let run, _): hosts[run.host].endpoint
        case .intruder: Intruder.endpoint
        }
    }

    // MARK: Messages

    mutating func transmit(_ message: PipeMessage, over id: Int, from end: PipeEnd) {
        guard let pipe = pipes[id], pipe[end].isOpen else { return }
        pipes.update(id) { $0[end].queue.append(message) }
        guard isOpen(pipe, from: end) else { return }
        let onward = pipe.carrier == nil ? .zero : hop()
        scheduleArrival(over: id, from: end, after: hop() + onward)
    }

    private mutating func scheduleArrival(over id: Int, from end: PipeEnd, after delay: Duration) {
        let due = time + delay
        let arrival = pipes.update(id) { pipe in
            pipe[end].scheduled += 1
            pipe[end].lastArrival = max(pipe[end].lastArrival, due)
            return pipe[end].lastArrival
        }
        queue.push(.arrive(pipe: id, from: end), at: arrival ?? due)
    }

    /// Whether anything passes from one end to the other now.
    private func isOpen(_ pipe: Pipe, from end: PipeEnd) -> Bool {
        guard case .agent(let one, _) = pipe[end].party,
            case .agent(let other, _) = pipe[end.other].party, one.host != other.host
        else { return true }
        guard let carrier = pipe.carrier?.run.host else { return network.reaches(one.host, other.host) }
        return network.reaches(one.host, carrier) && network.reaches(carrier, other.host)
    }

    /// What waited for a way that is open again comes through, sooner or later.
    mutating func resend() {
        for id in pipes.keys {
            guard let pipe = pipes[id] else { continue }
            for end in [PipeEnd.dialler, .listener]
            where pipe[end].queue.count > pipe[end].scheduled
                && isOpen(pipe, from: end)
            {
                let delay = moment(upTo: .seconds(2))
                for _ in pipe[end].scheduled..<pipe[end].queue.count {
                    scheduleArrival(over: id, from: end, after: delay)
                }
            }
        }
    }

    mutating func arrive(_ id: Int, from end: PipeEnd) {
        guard let pipe = pipes[id], !pipe[end].queue.isEmpty else { return }
        if case .agent(let run, _) = pipe[end.other].party, hosts[run.host].pausedUntil > time {
            queue.push(.arrive(pipe: id, from: end), at: hosts[run.host].pausedUntil)
            return
        }
        let message = pipes.update(id) { pipe in
            pipe[end].scheduled = max(0, pipe[end].scheduled - 1)
            return pipe[end].queue.removeFirst()
        }
        guard let message else { return }
        guard watch != nil, case .agent(let run, _) = pipe[end.other].party else {
            return deliver(message, over: id, from: end)
        }
        put(Work(message: message, pipe: id, end: end), before: .calls, of: run.host)
    }

    /// Whoever is at the other end takes it up.
    mutating func deliver(_ message: PipeMessage, over id: Int, from end: PipeEnd) {
        guard let pipe = pipes[id] else { return }
        statistics.messages += 1
        switch pipe[end.other].party {
        case .intruder: arriveAtIntruder(message, over: id, from: end)
        case .agent(let run, let connection): arrive(message, over: id, from: end, at: run, connection)
        }
    }

    private mutating func arrive(
        _ message: PipeMessage, over id: Int, from end: PipeEnd, at run: RunID, _ connection: ConnectionID
    ) {
        guard isAlive(run), pipes[id]?[end.other].isOpen == true else {
            // A machine that is up answers for a process that is not.
            if hosts[run.host].isPowered, pipes[id]?[end].isOpen == true {
                schedule(.lost(pipe: id, end: end), after: hop())
            }
            return
        }
        switch message {
        case .end:
            shut(id, end.other)
            ended(connection, of: run)
        case .drained:
            checkDrained(connection, of: run)
            shut(id, end.other)
            ended(connection, of: run)
        case .goAway(let open):
            pipes.update(id) { $0[end.other].isLeft = true }
            tell(run, .goingAway(connection))
            refuseStreams(on: connection, but: open, of: run)
        case .secured:
            secure(connection, of: run, .responder, over: id, presented: presented(by: id, end))
        case .document(let document):
            if case .handshake(.hello) = document, pipes[id]?[end.other].admitted != nil {
                // A handshake that is repeated over a link: the same facts of TLS, a nonce of its own.
                secure(connection, of: run, .responder, over: id, presented: presented(by: id, end))
            }
            watchToken(document, at: run, connection)
            // What comes over a link that gave way to another is not heard (seed 185 of 8 nodes).
            let isHeard = hosts[run.host].agent?.node.gossip.isDraining(connection) != true
            let teller = isHeard ? pipes[id]?[end.other].admitted : nil
            guard watchContradiction(document, from: teller, at: run) else { return }
            tell(run, .documentArrived(connection, document))
        case .garbage: tell(run, .documentUnreadable(connection, problem: "not JSON"))
        case .ping(let ping, let sent):
            guard pipes[id]?[end.other].admitted != nil else { return }
            transmit(.pong(sent: sent), over: id, from: end.other)
            tell(run, .pinged(connection, ping))
        case .pong(let sent): tell(run, .ponged(connection, roundTrip: time - sent))
        case .invocation, .answer, .answerEnd, .answerReset, .abandon:
            guard let peer = pipes[id]?[end.other].admitted else { return }
            noteSign(of: id, end.other, run, connection)
            if isAlive(run) { arrive(message, on: connection, from: peer, at: run) }
            endDrained(run)
        }
    }

    /// Any frame is a sign of life; told at most four times a second.
    private mutating func noteSign(of id: Int, _ end: PipeEnd, _ run: RunID, _ connection: ConnectionID) {
        guard let last = pipes[id]?[end].heard, time - last >= .milliseconds(250) else { return }
        pipes.update(id) { $0[end].heard = time }
        tell(run, .heard(connection))
    }

    /// What TLS knows of who is at `end`.
    func presented(by id: Int, _ end: PipeEnd) -> PresentedCertificate {
        switch pipes[id]?[end].party {
        case .agent(let run, _)?: hosts[run.host].agent.map { .wellFormed($0.leaf) } ?? .missing
        case .intruder?: intruder.presented(over: id)
        case nil: .missing
        }
    }

    // MARK: Ends

    /// A node closes a connection, once what was sent has left.
    mutating func close(_ connection: ConnectionID, of run: RunID) {
        guard let (id, end) = place(connection, of: run) else { return }
        transmit(.end, over: id, from: end)
        shut(id, end)
        schedule(.tell(run, .connectionClosed(connection)), after: .zero)
        breakStreams(on: connection, of: run)
    }

    /// The system says that the other end is gone.
    mutating func lose(_ id: Int, _ end: PipeEnd) {
        guard let pipe = pipes[id], pipe[end].isOpen else { return }
        shut(id, end)
        guard case .agent(let run, let connection) = pipe[end].party, isAlive(run) else { return }
        ended(connection, of: run)
    }

    /// A connection is reset in the middle: both ends hear of it, and what was under way is gone.
    mutating func reset(_ id: Int) {
        for end in [PipeEnd.dialler, .listener] {
            schedule(.lost(pipe: id, end: end), after: hop())
        }
    }

    private mutating func ended(_ connection: ConnectionID, of run: RunID) {
        hosts[run.host].agent?.pipes[connection] = nil
        tell(run, .connectionClosed(connection))
        breakStreams(on: connection, of: run)
    }

    /// Nothing more is sent or taken at `end`.
    mutating func shut(_ id: Int, _ end: PipeEnd) {
        pipes.update(id) { $0[end].isOpen = false }
        if case .agent(let run, let connection)? = pipes[id]?[end].party {
            endCarried(over: connection, of: run)
        }
        guard let pipe = pipes[id], pipe.isOver else { return }
        pipes[id] = nil
        for end in [PipeEnd.dialler, .listener] {
            guard case .agent(let run, let connection) = pipe[end].party, isAlive(run) else { continue }
            hosts[run.host].agent?.pipes[connection] = nil
        }
    }
}
