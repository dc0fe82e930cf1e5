import Foundation
import MeshBase
import MeshCredentials
import MeshGossip
import MeshLink
import MeshNode
import MeshRouting
import MeshTrust
import MeshWire
import NIOCore
import NIOPosix
import Synchronization

/// A node that is trusted, has an agreement, and keeps to no measure: it takes the identity of an agent that has
/// ended, links with the resource's agent as that one would, and sends what it likes.
final class Insider: Sendable {
    /// What it does on its link.
    enum Manner: Sendable, Equatable {
        case quiet
        /// Valid calls, so many a second.
        case calls(perSecond: Int)
        /// As many valid calls at once as a link has streams, each followed by the next.
        case callsWithoutEnd
        /// Heads that it told before and heads dated ahead, as fast as the link takes them. The other's own among
        /// them would be invalid: ten of those, and it is suspended.
        case heads
    }

    /// What it did, and what became of it, so far.
    struct Counts: Sendable {
        /// Calls that were due while it had a link.
        var calls: UInt64 = 0
        /// Of these, answered whole, with a refusal too.
        var answered = 0
        /// Of these, reset, lost with the link, or with no stream for them.
        var turnedAway = 0
        /// Documents that were sent, and of these, how many the other end was through with.
        var documents = 0
        var documentsRead = 0
        var links = 0

        static func - (after: Self, before: Self) -> Self {
            Counts(
                calls: after.calls - before.calls, answered: after.answered - before.answered,
                turnedAway: after.turnedAway - before.turnedAway,
                documents: after.documents - before.documents,
                documentsRead: after.documentsRead - before.documentsRead, links: after.links - before.links)
        }
    }

    private struct State {
        var manner = Manner.quiet
        var connection: ConnectionID?
        var dialled: UInt64 = 2
        var counts = Counts()
        var callsUnderWay = 0
        /// Heads as they are sent, made once the other has told one of its own.
        var heads: [[UInt8]] = []
        var nextHead = 0
    }

    private let state = Mutex(State())
    private let end: LoopbackEnd
    private let group: MultiThreadedEventLoopGroup
    private let signer: Signer
    private let place: Endpoint
    private let me: NodeID
    private let provider: NodeID
    private let resource: ResourceName
    private let capability: ResourceName

    /// - Parameters:
    ///   - home, provider: the folders of the agent that has ended, and of the one to link with.
    ///   - place: where that one listens.
    init(
        home: String, provider: String, at place: Endpoint, calling resource: ResourceName,
        _ capability: ResourceName
    ) throws {
        let me = try Person(home: home)
        let other = try Person(home: provider)
        (self.me, self.provider) = (me.key.nodeID, other.key.nodeID)
        (self.place, self.resource, self.capability) = (place, resource, capability)
        signer = Signer(me.key)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let pin = try other.record()
        let trust = Trust(
            me: try me.side().identity, pins: PinBook(peers: [pin], revokedPins: []), invites: InviteBook(),
            suite: SystemSuite(), generator: SeededGenerator(seed: 5))
        end = try LoopbackEnd(me, trust, group: group, isWhole: true)
        end.follow { [weak self] in self?.happened($0, $1) }
        // Its machine is another one: here it takes a tenth of a processor for which those that are measured
        // ask too, and all that they leave. Whoever has less is found by `counts`.
        group.next().execute { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }
        try dial()
        try end.wait()
    }

    /// Behaves so from now on.
    func behave(_ manner: Manner) throws {
        state.withLock { $0.manner = manner }
        group.next().execute { self.goOn() }
        guard case .calls(let perSecond) = manner else { return }
        let loop = group.next()
        let pace = Mutex((began: NIODeadline.now(), made: 0))
        loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(1)) { task in
            guard self.state.withLock({ $0.manner == manner }) else { return task.cancel() }
            let due = pace.withLock { pace in
                let sinceBegan = Int((NIODeadline.now() - pace.began).nanoseconds / 1_000)
                let due = sinceBegan * perSecond / 1_000_000 - pace.made
                pace.made += due
                // One that came late has missed some: a burst of them would be another flood.
                return min(due, perSecond / 50)
            }
            for _ in 0..<due { self.call() }
        }
    }

    /// What it did, and what became of it, so far.
    var counts: Counts { state.withLock { $0.counts } }

    private func dial() throws {
        let id = state.withLock { state in
            state.dialled += 2
            return ConnectionID(state.dialled)
        }
        try end.dial(place, as: id, expecting: provider)
    }

    private func happened(_ id: ConnectionID, _ event: LoopbackEnd.Happening) {
        switch event {
        case .admitted:
            state.withLock { state in
                state.connection = id
                state.counts.links += 1
            }
            askForHeads(on: id)
            group.next().execute { self.goOn() }
        case .closed:
            state.withLock { state in
                state.connection = nil
                state.callsUnderWay = 0
            }
            // At once: who floods does not wait to be welcome.
            do { try dial() } catch { preconditionFailure("\(error)") }
        case .heard(let document): learn(document)
        case .ponged:
            state.withLock { $0.counts.documentsRead += Self.headsAtOnce }
            goOn()
        }
    }

    private func goOn() {
        switch state.withLock({ $0.manner }) {
        case .quiet, .calls: break
        case .callsWithoutEnd:
            let missing = state.withLock { Limits.streamsPerLink - 8 - $0.callsUnderWay }
            for _ in 0..<max(0, missing) { call() }
        case .heads: sendHeads()
        }
    }

    // MARK: Calls

    private func call() {
        let (connection, number) = state.withLock { state in
            if state.connection != nil { state.counts.calls += 1 }
            return (state.connection, state.counts.calls)
        }
        guard let connection else { return }
        let invocation = Invocation(
            correlation: CorrelationID(high: UInt64(Person.wallNow), low: number), attempt: 1,
            traceparent: nil,
            agreement: nil, principal: .local, resource: resource, capability: capability, method: "GET",
            path: "/small", query: nil, headers: [], remainingMilliseconds: 10_000, idempotencyKey: nil,
            body: .none)
        do {
            let head = ByteBuffer(bytes: try InvocationCodec.encode(invocation))
            let watch = CallWatch { self.callEnded($0) }
            guard let stream = end.transport.openStream(on: connection, head: head, observer: watch) else {
                return state.withLock { $0.counts.turnedAway += 1 }
            }
            state.withLock { $0.callsUnderWay += 1 }
            watch.stream.withLock { $0 = stream }
            stream.end()
        } catch {
            preconditionFailure("a call cannot be written: \(error)")
        }
    }

    private func callEnded(_ end: CallWatch.End) {
        state.withLock { state in
            state.callsUnderWay = max(0, state.callsUnderWay - 1)
            switch end {
            case .answered: state.counts.answered += 1
            case .turnedAway: state.counts.turnedAway += 1
            }
        }
        if state.withLock({ $0.manner }) == .callsWithoutEnd { group.next().execute { self.goOn() } }
    }

    // MARK: Heads

    /// Who holds nothing is told what the other offers.
    private func askForHeads(on id: ConnectionID) {
        let list = RegistryList(mine: nil, yours: nil, isComplete: false)
        do {
            end.transport.sendDocument(try Document.encode(LinkDocument.gossip(.list(list))), on: id)
        } catch {
            preconditionFailure("a list cannot be written: \(error)")
        }
    }

    /// From the first head that the other tells it makes its own.
    private func learn(_ bytes: [UInt8]) {
        guard state.withLock({ $0.heads.isEmpty }) else { return }
        do {
            let document = try Document.decode(LinkDocument.self, from: bytes, limit: Limits.framePayload)
            guard case .gossip(.head(let push)) = document else { return }
            let theirs = push.head.body
            let hour = Duration.seconds(3_600)
            let bodies = (0..<64).map { number in
                theirs.changed(
                    owner: me, sequence: theirs.sequence + Int64(number), count: 0, root: .zero,
                    issued: theirs.issued + (number.isMultiple(of: 2) ? .zero : hour),
                    expires: theirs.expires + (number.isMultiple(of: 2) ? .zero : hour))
            }
            let own = try bodies.map { body in
                HeadPush(head: try signer.signed(body, using: SystemSuite()), leaves: [], records: [])
            }
            let heads = try own.map { try Document.encode(LinkDocument.gossip(.head($0))) }
            state.withLock { $0.heads = heads }
        } catch {
            preconditionFailure("a head cannot be made: \(error)")
        }
        goOn()
    }

    private static let headsAtOnce = 32

    /// A few, and a ping: its answer says that they were read.
    private func sendHeads() {
        let (connection, batch) = state.withLock { state -> (ConnectionID?, [[UInt8]]) in
            guard let connection = state.connection, !state.heads.isEmpty else { return (nil, []) }
            let batch = (0..<Self.headsAtOnce).map { state.heads[(state.nextHead + $0) % state.heads.count] }
            state.nextHead += batch.count
            state.counts.documents += batch.count
            return (connection, batch)
        }
        guard let connection else { return }
        for head in batch { end.transport.sendDocument(head, on: connection) }
        end.transport.sendPing(on: connection)
    }
}

/// Waits for the end of one call.
private final class CallWatch: LinkStreamObserver {
    enum End: Sendable { case answered, turnedAway }

    let stream = Mutex<LinkStream?>(nil)
    private let ended: @Sendable (End) -> Void

    init(_ ended: @escaping @Sendable (End) -> Void) { self.ended = ended }

    func stream(did event: LinkStreamEvent) {
        switch event {
        case .data(let piece): stream.withLock { $0 }?.consumed(piece.readableBytes)
        case .end: ended(.answered)
        case .reset, .lost: ended(.turnedAway)
        case .head, .writable: break
        }
    }
}

extension Person {
    /// The node whose home this folder is.
    fileprivate init(home: String) throws {
        let key = try IdentityKey.load(from: home + "/identity.key")
        let next = try IdentityKey.load(from: home + "/next.key")
        try self.init(key, next: next.pin.digest)
    }

    /// As who trusts it keeps it.
    fileprivate func record() throws -> PeerRecord {
        let identity = try side().identity
        return PeerRecord(
            node: identity.node, key: identity.key, pin: key.pin, inception: identity.inception,
            name: identity.name, state: .trusted, since: wall,
            evidence: TrustEvidence(kind: .invite, transcript: nil, note: "for the benchmark"), boot: nil)
    }
}
