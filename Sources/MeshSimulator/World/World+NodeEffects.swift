import MeshAgreements
import MeshAudit
import MeshBase
import MeshGossip
import MeshNode
import MeshTrust

// What a node orders, performed as a shell performs it.
extension World {
    mutating func tell(_ run: RunID, _ input: NodeInput) {
        guard isAlive(run) else { return }
        // A store that cannot be written stops the control plane, not the calls.
        guard !hosts[run.host].isFull else { return hosts[run.host].mailbox.append(input) }
        trace.fold(input, at: run.host)
        let now = seen(by: run.host)
        var outbox = Outbox<NodeEffect>()
        hosts[run.host].agent?.node.handle(input, at: now, into: &outbox)
        turn = run
        perform(&outbox, run)
        turn = nil
        setAlarm(run)
    }

    mutating func perform(_ outbox: inout Outbox<NodeEffect>, _ run: RunID) {
        for ordered in outbox.drain() {
            guard isAlive(run), survives(run) else { return }
            let effect = tampered(ordered, of: run)
            trace.fold(effect, suite)
            checkBefore(effect, of: run)
            perform(effect, run)
        }
    }

    /// Counts down to a kill in the middle of what a node or desk orders.
    mutating func survives(_ run: RunID) -> Bool {
        guard let left = hosts[run.host].effectsUntilKill else { return true }
        guard left == 0 else {
            hosts[run.host].effectsUntilKill = left - 1
            return true
        }
        kill(run.host)
        return false
    }

    private mutating func perform(_ effect: NodeEffect, _ run: RunID) {
        switch effect {
        case .dial(let connection, let endpoint, let purpose):
            let dial = Dial(
                run: run, connection: connection, endpoint: endpoint, isPairing: purpose == .pairing)
            let delay = hop() + hop()
            schedule(.connect(dial), after: delay)
        case .dialThrough(let connection, let dial):
            let delay = hop() + hop()
            schedule(.connectThrough(run, connection, dial), after: delay)
        case .send(let connection, let document): send(document, on: connection, of: run)
        case .admit(let connection, let node, let origin):
            statistics.handshakes += 1
            withPipe(connection, of: run) { pipe, end in
                pipe[end].admitted = node
                pipe[end].origin = origin
            }
        case .ping(let connection, let ping):
            guard let (id, end) = place(connection, of: run) else { return }
            transmit(.ping(ping, sent: time), over: id, from: end)
            if tampering == .listsForged { transmit(.forgedList, over: id, from: end) }
        case .close(let connection, _):
            if tampering != .closesIgnored { close(connection, of: run) }
        case .sign(let request):
            let delay = moment(upTo: .milliseconds(4))
            guard let signature = signature(for: request, by: run.host) else { return }
            schedule(.tell(run, .signed(request.ticket, signature)), after: delay)
        case .makeEncryptionKey, .dropEncryptionKey: keepEncryptionKeys(effect, run)
        case .persist(let change): commit(change, run)
        case .linkUp(let node, let connection):
            hosts[run.host].agent?.links[node] = connection
            let relay = place(connection, of: run).flatMap { pipes[$0.pipe]?[$0.end].origin?.relay }
            call(run, .linkCameUp(node, through: relay))
            if tampering == .greetingsForged, let (id, end) = place(connection, of: run) {
                transmit(.forgedList, over: id, from: end)
            }
        case .linkDown(let node):
            hosts[run.host].agent?.links[node] = nil
            call(run, .linkWentDown(node))
        case .linkAtRest(let node): call(run, .linkAtRest(node))
        case .drain(let connection): drain(connection, of: run)
        case .publish(let view): publish(view, run)
        case .pairing(let window): hosts[run.host].agent?.isPairingOpen = window != .closed
        case .renewSessions, .awaitPeople: break
        case .repeatHandshake(let connection):
            guard let (id, end) = place(connection, of: run) else { return }
            secure(connection, of: run, .initiator, over: id, presented: presented(by: id, end.other))
        case .answer(let ticket, let answer): answered(ticket, answer, by: run)
        case .confirmationWanted(let name, let pin, _): confirmationWanted(name, pin, at: run)
        case .lookUp(let question):
            let found = hosts[run.host].disk.fold.events.filter { $0.correlation == question.correlation }
            schedule(.tell(run, .lookedUp(question, found)), after: .milliseconds(2))
        case .record(let records, let durability):
            guard append(records, run) else { return }
            if durability == .synced { hosts[run.host].disk.sync(upTo: .max) }
        }
    }

    /// The file of these keys is written whole, or not at all.
    private mutating func keepEncryptionKeys(_ effect: NodeEffect, _ run: RunID) {
        let before = hosts[run.host].disk.encryption
        if effect == .makeEncryptionKey {
            hosts[run.host].keysMade += 1
            let name = "key \(hosts[run.host].keysMade) of host \(run.host)"
            guard let key = EncryptionKey(suite.digest(Array(name.utf8)).bytes) else {
                preconditionFailure("32 bytes are no key")
            }
            hosts[run.host].keysTold.insert(key)
            hosts[run.host].disk.encryption = HeldEncryptionKeys(
                current: key, made: seen(by: run.host).wall, previous: before?.current)
        } else if let before {
            hosts[run.host].disk.encryption = HeldEncryptionKeys(
                current: before.current, made: before.made, previous: nil)
        }
        guard let held = hosts[run.host].disk.encryption else { return }
        schedule(.tell(run, .encryptionKeysHeld(held)), after: .milliseconds(1))
    }

    private mutating func publish(_ view: CallView, _ run: RunID) {
        if hosts[run.host].agent?.desk == nil {
            guard let generator = hosts[run.host].agent?.generator else { return }
            hosts[run.host].agent?.desk = CallDesk(view: view, generator: generator)
        } else {
            call(run, .viewPublished(tampering == .cutsIgnored ? view.withoutCuts : view))
        }
    }

    private mutating func send(_ document: LinkDocument, on connection: ConnectionID, of run: RunID) {
        guard let (id, end) = place(connection, of: run) else { return }
        if case .handshake(let message) = document { intruder.overhear(message) }
        if case .gossip(.symbols) = document { statistics.symbolBatches += 1 }
        if case .gossip(.elementsWanted(let request)) = document {
            statistics.elementsWanted += request.ids.count
        }
        watchRelay(document, of: run)
        if hosts[run.host].isInsider, pipes[id]?[end].admitted != nil, misbehavesNow() {
            return misbehave(document, over: id, from: end, of: run.host)
        }
        transmit(.document(document), over: id, from: end)
    }

    private mutating func commit(_ change: NodeChange, _ run: RunID) {
        let isWritten = endOfWriting(parts: 1, run)
        if isWritten == 0 { return endInWrite(run) }
        defer { if isWritten == 1 { endInWrite(run) } }
        checkWriting(change, of: run)
        watchHead(change, kept: run)
        switch (tampering, change) {
        case (.catalogUnkept, .gossip(.head(let stored)))
        where stored.head.body.owner != hosts[run.host].node:
            break
        case (.approvalsUnkept, .agreement(let record)):
            hosts[run.host].disk.commit(.agreement(record.unapproved))
        case (.acceptancesUnkept, .domainAgreement(let record)):
            hosts[run.host].disk.commit(.domainAgreement(record.halfSigned))
        case (.agreementsUnkept, .agreement), (.credentialsUnkept, .trust(.credential)),
            (.decisionsUnkept, .trust(.partnerships)):
            break
        default: hosts[run.host].disk.commit(change)
        }
        if case .trust(.ownBoot(let boot)) = change { hosts[run.host].raise(to: boot, run.number) }
    }

    /// What a lying network makes of an order, in tests of the checkers.
    private func tampered(_ effect: NodeEffect, of run: RunID) -> NodeEffect {
        guard tampering == .headsMisdelivered, case .send(let connection, .gossip(.head(let push))) = effect,
            let other = hosts[run.host].agent?.links.values.first(where: { $0 != connection })
        else { return effect }
        return .send(other, .gossip(.head(push)))
    }
}

extension PipeMessage {
    /// A list that says that its sender holds nothing of the other's.
    fileprivate static var forgedList: Self {
        .document(.gossip(.list(RegistryList(mine: nil, yours: nil, isComplete: false))))
    }
}

extension CallView {
    /// As a desk sees it that cuts nothing.
    fileprivate var withoutCuts: CallView {
        var deaf = OrderedTable<NodeID, AgreementIndex>()
        for (node, index) in agreements {
            deaf[node] = AgreementIndex(
                index.terms.map { terms in
                    AgreementTerms(
                        contentID: terms.contentID, agreement: terms.agreement, standing: terms.standing,
                        ending: terms.ending)
                })
        }
        return CallView(
            me: me, name: name, peers: peers, agreements: deaf, resources: resources,
            descriptions: descriptions, routes: routes, domain: domain, configuration: configuration)
    }
}
