import MeshBase
import MeshNode

/// What a host has to do, in runs in which work takes time: two threads, each with what waits for it, as in
/// an agent.
///
///     pipe ──> calls' loop ──> calls, answers: the call desk
///                   └────────> documents, ends of connections ──> control plane ──> node
///
/// Both take pipes in turns, as the agent does: what is before the control plane waits in the same
/// `DocumentTurns` as in the agent's mailbox, and its loop reads up to four times as much of one link. A
/// document counts as a kibibyte long, as a head with a record or two is. What the node wants of its own, an
/// alarm say, takes no time here and ends no batch.
struct HostWork: Sendable {
    private var calls = WorkLine()
    private var control = WorkLine()

    subscript(plane: WorkPlane) -> WorkLine {
        get {
            switch plane {
            case .calls: calls
            case .control: control
            }
        }
        _modify {
            switch plane {
            case .calls: yield &calls
            case .control: yield &control
            }
        }
    }
}

/// The two threads.
enum WorkPlane: Sendable { case calls, control }

/// Something that came, and over which pipe.
struct Work: Sendable {
    let message: PipeMessage
    let pipe: Int
    let end: PipeEnd

    /// What a thread has to do for it, about as much as the agent's have (Benchmarks).
    func time(of plane: WorkPlane) -> Duration {
        switch (plane, message) {
        case (.control, .document): .microseconds(250)
        case (.calls, .invocation), (.calls, .answer): .microseconds(60)
        case (.calls, _), (.control, _): .microseconds(10)
        }
    }

    /// What it counts for in its pipe's turn, in bytes as they travel, or as the mailbox counts them.
    func cost(of plane: WorkPlane) -> Int {
        switch message {
        case .document, .garbage: plane == .calls ? 1_024 : DocumentShare.cost(ofDocument: 1_024)
        case .invocation, .answer: 400
        case .secured, .ping, .pong, .answerEnd, .answerReset, .abandon, .end, .drained, .goAway:
            plane == .calls ? 64 : DocumentShare.other
        }
    }

    /// Whether the node itself hears of it, and not only the desk and the frames' machine.
    var isForNode: Bool {
        switch message {
        case .secured, .document, .garbage, .end, .drained, .goAway: true
        case .ping, .pong, .invocation, .answer, .answerEnd, .answerReset, .abandon: false
        }
    }
}

/// What waits for one of a host's threads.
struct WorkLine: Sendable {
    private var waiting = DocumentTurns<Int, Work>()
    /// What it does now.
    private var underWay: Work?
    /// What it has done of a batch that goes on.
    private var done: [Work] = []

    /// What waits of a pipe, in bytes.
    func ahead(of pipe: Int) -> Int { waiting.cost(of: pipe) }

    mutating func add(_ work: Work, of plane: WorkPlane) {
        waiting.append(work, of: work.pipe, costing: work.cost(of: plane))
    }

    /// It begins with what is next, unless it is at work: how long that takes; nil when there is nothing to
    /// begin.
    mutating func begin(_ plane: WorkPlane) -> Duration? {
        guard underWay == nil else { return nil }
        if done.isEmpty { waiting.beginBatch() }
        underWay = waiting.next()
        return underWay?.time(of: plane)
    }

    /// It has done what it was at, and lets these out. The control plane lets its decisions out when all of a
    /// batch are made, so none while that goes on, and then begins with the next; calls go one by one.
    mutating func finish(_ plane: WorkPlane) -> (out: [Work], next: Duration?) {
        if let underWay { done.append(underWay) }
        underWay = nil
        if plane == .control, let next = begin(plane) { return ([], next) }
        defer { done = [] }
        return (done, nil)
    }
}

extension World {
    /// Something waits for a thread of a host.
    mutating func put(_ work: Work, before plane: WorkPlane, of host: Int) {
        // Above what it may be ahead nothing more is read of it, and who waits with a window full of unread
        // documents gives its link up.
        if plane == .control, case .document = work.message,
            hosts[host].work[plane].ahead(of: work.pipe) >= DocumentShare.aheadMost + Limits.linkWindow
        {
            if case .agent(let run, let connection) = pipes[work.pipe]?[work.end.other].party {
                close(connection, of: run)
            }
            return
        }
        hosts[host].work[plane].add(work, of: plane)
        begin(plane, of: host)
    }

    private mutating func begin(_ plane: WorkPlane, of host: Int) {
        guard let needed = hosts[host].work[plane].begin(plane) else { return }
        queue.push(.work(host: host, plane), at: time + needed)
    }

    /// A thread of a host has done what it was at.
    mutating func finishWork(of host: Int, _ plane: WorkPlane) {
        let (out, next) = hosts[host].work[plane].finish(plane)
        if let next { return queue.push(.work(host: host, plane), at: time + next) }
        for work in out {
            if plane == .calls, work.isForNode {
                put(work, before: .control, of: host)
            } else {
                deliver(work.message, over: work.pipe, from: work.end)
            }
        }
        begin(plane, of: host)
    }
}
