import MeshBase
import MeshGossip
import MeshNode
import MeshTrust

// A trusted node that sends something else than it orders, or more.
extension World {
    mutating func misbehave(_ document: LinkDocument, over id: Int, from end: PipeEnd, of host: Int) {
        if intruder.documents.count >= Intruder.memory { intruder.documents.removeFirst() }
        intruder.documents.append(document)
        let manners = Fault.ofInsiders.filter(plan.faults.contains)
        let drawn = manners.isEmpty ? nil : manners[intruder.number(below: manners.count)]
        switch watch?.manner ?? drawn?.manner {
        case .equivocates: tellTwice(document, over: id, from: end, of: host)
        case .datesAhead: dateAhead(document, over: id, from: end, of: host)
        case .forges: tellForOthers(document, over: id, from: end, of: host)
        case .floods: flood(document, over: id, from: end, of: host)
        case .replays: replay(document, over: id, from: end)
        case .withholds: if !document.isNews { transmit(.document(document), over: id, from: end) }
        case nil where drawn == .insider: garble(document, over: id, from: end)
        case nil: transmit(.document(document), over: id, from: end)
        }
    }

    /// Whether the insider's next document is none that an honest node would send. Who is measured does
    /// always what it does, until all is calm.
    mutating func misbehavesNow() -> Bool {
        guard let watch else { return happens(60) }
        return watch.manner != nil && !isCalm
    }

    /// The document, and others that it sent before, whoever they were for.
    private mutating func replay(_ document: LinkDocument, over id: Int, from end: PipeEnd) {
        transmit(.document(document), over: id, from: end)
        for _ in 0..<4 {
            let old = intruder.documents[intruder.number(below: intruder.documents.count)]
            transmit(.document(old), over: id, from: end)
        }
    }

    private mutating func garble(_ document: LinkDocument, over id: Int, from end: PipeEnd) {
        let old = intruder.documents[intruder.number(below: intruder.documents.count)]
        switch intruder.number(below: 4) {
        case 0: break
        case 1: transmit(.garbage, over: id, from: end)
        case 2: transmit(.document(old), over: id, from: end)
        default:
            transmit(.document(document), over: id, from: end)
            transmit(.document(document), over: id, from: end)
        }
    }

    /// Two heads under one number, both signed: one of them says that there is nothing.
    private mutating func tellTwice(
        _ document: LinkDocument, over id: Int, from end: PipeEnd, of host: Int
    ) {
        transmit(.document(document), over: id, from: end)
        guard case .gossip(.head(let push)) = document, push.head.body.count > 0 else { return }
        let twin = push.head.body.changed(count: 0, root: .zero)
        transmit(head(twin, of: host), over: id, from: end)
    }

    private mutating func dateAhead(
        _ document: LinkDocument, over id: Int, from end: PipeEnd, of host: Int
    ) {
        guard case .gossip(.head(let push)) = document else {
            return transmit(.document(document), over: id, from: end)
        }
        let ahead = Duration.seconds(3_600)
        let body = push.head.body
        let late = body.changed(
            sequence: body.sequence + ahead.wholeMilliseconds << 10, issued: body.issued + ahead,
            expires: body.expires + ahead)
        let signed = hosts[host].key.sign(late)
        let told = HeadPush(head: signed, leaves: push.leaves, records: push.records)
        transmit(.document(.gossip(.head(told))), over: id, from: end)
    }

    /// A head in the name of whom it is told to, or of somebody else, by the wrong key.
    private mutating func tellForOthers(
        _ document: LinkDocument, over id: Int, from end: PipeEnd, of host: Int
    ) {
        transmit(.document(document), over: id, from: end)
        if case .relay(let relay) = document { return alter(relay, over: id, from: end, of: host) }
        guard case .gossip(.head(let push)) = document else { return }
        let other = hosts[intruder.number(below: plan.nodes)].node
        let body = push.head.body.changed(owner: other, sequence: push.head.body.sequence + 1)
        transmit(head(body, of: host), over: id, from: end)
    }

    /// What others signed, made newer: once under the insider's own key, once with the owner's name under it.
    private mutating func alter(_ relay: Relay, over id: Int, from end: PipeEnd, of host: Int) {
        for passed in relay.heads {
            let body = passed.push.head.body
            let newer = hosts[host].key.sign(
                body.changed(count: 0, root: .zero, issued: body.issued + .seconds(1)).after(body))
            let claimed = newer.signatures.map { signature in
                DocumentSignature(
                    signer: passed.push.head.signatures[0].signer, input: signature.input,
                    value: signature.value)
            }
            let inOwnersName = Signed(body: newer.body, payload: newer.payload, signatures: claimed)
            for head in [newer, inOwnersName] {
                let push = HeadPush(head: head, leaves: [], records: [])
                let altered = Relay.Passed(push: push, proof: passed.proof)
                transmit(.document(.relay(Relay(heads: [altered]))), over: id, from: end)
            }
        }
    }

    /// A hundred valid heads, one after the other, or the same document a hundred times.
    private mutating func flood(_ document: LinkDocument, over id: Int, from end: PipeEnd, of host: Int) {
        for number in 0..<100 {
            guard case .gossip(.head(let push)) = document, push.head.body.count == 0 else {
                transmit(.document(document), over: id, from: end)
                continue
            }
            let body = push.head.body.changed(sequence: push.head.body.sequence + Int64(number))
            transmit(head(body, of: host), over: id, from: end)
        }
    }

    private func head(_ body: Head, of host: Int) -> PipeMessage {
        .document(.gossip(.head(HeadPush(head: hosts[host].key.sign(body), leaves: [], records: []))))
    }

    /// Who is told two things under one number by a trusted node must convict it: looked at a second later.
    /// False when this world keeps it to itself.
    mutating func watchContradiction(_ document: LinkDocument, from peer: NodeID?, at run: RunID) -> Bool {
        guard let peer else { return true }
        let told: [Signed<Head>] =
            switch document {
            case .gossip(.head(let push)) where push.head.body.owner == peer: [push.head]
            case .relay(let relay): relay.heads.map(\.push.head)
            case .gossip(.contradiction(let shown)): [shown.one, shown.other]
            default: []
            }
        var isKept = true
        for head in told {
            let (owner, audience) = (head.body.owner, head.body.audience)
            guard let teller = hostOfNode[owner],
                head.isSigned(by: hosts[teller].key.publicKey, using: suite),
                let held = hosts[run.host].disk.heads[Disk.HeadKey(owner: owner, audience: audience)],
                held.head.body.epoch == head.body.epoch, held.head.body.sequence == head.body.sequence,
                held.head.body.root != head.body.root
            else { continue }
            // Who passes it on may be believed in nothing here, by now or by this host's clock.
            if owner == peer { schedule(.inspect(.conviction(run, owner)), after: .seconds(1)) }
            isKept = false
        }
        return isKept || tampering != .contradictionsLost
    }
}

extension Head {
    /// The same, one place above `other`.
    fileprivate func after(_ other: Head) -> Head { changed(sequence: other.sequence + 1) }
}

extension LinkDocument {
    /// Whether it tells or passes on what nodes offer, or asks for that.
    fileprivate var isNews: Bool {
        switch self {
        case .gossip, .relay: true
        case .handshake, .trust, .domain, .listening, .need, .goodbye, .agreement, .domainAgreement, .beliefs,
            .reachRequest, .reachAnswer, .traceRequest, .traceAnswer:
            false
        }
    }
}

extension Fault {
    /// What an insider does under it; nil where it does this and that, or is no insider's.
    fileprivate var manner: InsiderManner? {
        switch self {
        case .equivocation: .equivocates
        case .futureDating: .datesAhead
        case .forgery: .forges
        case .flooding: .floods
        case .slowNetwork, .resets, .partitions, .oneWay, .flapping, .kills, .powerLosses, .pauses,
            .clockDrift, .clockJumps, .clockLeaps, .badServices, .operators, .deafness, .intruder, .insider,
            .tornWrites, .fullDisks, .backups, .returns, .clockYears, .echoes, .issuerDeaths, .longSleep:
            nil
        }
    }
}
