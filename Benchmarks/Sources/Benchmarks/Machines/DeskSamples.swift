import MeshAudit
import MeshBase
import MeshNode
import MeshRouting

extension Sample {
    /// A call of an application: asked, sent, answered, ended; the effects are taken as a shell takes them.
    /// - Parameter underWay: how many others wait for their answers meanwhile.
    static func consumer(_ name: String, _ world: CallWorld, underWay: Int = 0) -> Sample {
        Sample(name) {
            var rig = Rig(world)
            for _ in 0..<underWay { keep(try rig.ask()) }
            return { count in
                for _ in 0..<count {
                    let attempt = try rig.ask()
                    rig.take(.attemptAnswered(attempt, status: 200, headers: Rig.answerHeaders))
                    rig.take(.attemptEnded(attempt, BodySummary(length: 200, digest: nil)))
                    try require(
                        rig.effects.contains { if case .finish = $0 { true } else { false } }, "no end")
                }
            }
        }
    }

    /// A call of a peer: arrived, served, answered, ended.
    static func provider(_ name: String, _ world: CallWorld, underWay: Int = 0) -> Sample {
        Sample(name) {
            var rig = Rig(world)
            for _ in 0..<underWay { keep(try rig.arrive()) }
            return { count in
                for _ in 0..<count {
                    let key = try rig.arrive()
                    let service = ServiceID.inbound(key)
                    rig.take(.resourceAnswered(service, status: 200, headers: Rig.answerHeaders))
                    rig.take(.resourceEnded(service, BodySummary(length: 200, digest: nil), kept: nil))
                    try require(
                        rig.effects.contains { if case .finishResponse = $0 { true } else { false } },
                        "no end")
                }
            }
        }
    }

    /// The desk takes another view that is equal in what it says.
    static func publishing(_ name: String, _ world: CallWorld) -> Sample {
        Sample(name) {
            var rig = Rig(world)
            let views = [world.view, world.view]
            return { count in for turn in 0..<count { rig.take(.viewPublished(views[turn & 1])) } }
        }
    }
}

/// A desk, its clock and what it ordered last.
private struct Rig {
    let world: CallWorld
    var desk: CallDesk
    var now: Moment
    var effects: [CallEffect] = []
    private var outbox = Outbox<CallEffect>()
    private var number: UInt64 = 0
    private let target: CallTarget
    private let caller: NodeID

    static let answerHeaders = [
        HeaderField("content-type", "application/json"), HeaderField("content-length", "200"),
        HeaderField("cache-control", "no-store"),
    ]
    static let requestHeaders = [
        HeaderField("accept", "application/json"), HeaderField("user-agent", "benchmark/1"),
        HeaderField("x-request-id", "8d2f0c4e"),
    ]

    init(_ world: CallWorld) {
        self.world = world
        desk = world.desk()
        now = world.start
        // Neither the first nor the last in any table.
        target = .named(world.peerName(world.peers / 2))
        caller = world.peer(world.peers / 2)
    }

    mutating func take(_ input: CallInput) {
        now = Moment(instant: now.instant + .nanoseconds(500), wall: now.wall)
        desk.handle(input, at: now, into: &outbox)
        effects = outbox.drain()
    }

    /// An application asks; answers the attempt that left.
    mutating func ask() throws -> AttemptID {
        number += 1
        take(
            .requested(
                LocalRequest(
                    id: RequestID(number), target: target, resource: world.lastResource,
                    form: .mesh(method: "GET", path: "/list/7", query: "page=2"),
                    headers: Self.requestHeaders,
                    body: .none)))
        for case .send(let attempt, _, _) in effects { return attempt }
        throw Unfit("nothing was sent: \(effects)")
    }

    /// A peer asks; answers the stream on which it does.
    mutating func arrive() throws -> InboundKey {
        number += 1
        let key = InboundKey(connection: ConnectionID(1), stream: number)
        let invocation = Invocation(
            correlation: CorrelationID(high: 77, low: number), attempt: 1, traceparent: nil, agreement: nil,
            principal: .local, resource: world.lastResource, capability: world.capability, method: "GET",
            path: "/list/7", query: "page=2", headers: Self.requestHeaders, remainingMilliseconds: 9_000,
            deadlineScope: .answerHead, idempotencyKey: nil, body: .none)
        take(.arrived(InboundInvocation(key: key, peer: caller, invocation: invocation, body: .none)))
        try require(
            effects.contains { if case .serve = $0 { true } else { false } }, "not served: \(effects)")
        return key
    }
}
