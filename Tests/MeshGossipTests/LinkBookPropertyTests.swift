import MeshBase
import Testing

@testable import MeshGossip

/// Two books against each other over connections with random latencies, some of which are cut without a word.
/// Each side dials when it has no link, as discovery would, and hears what the other says.
private struct LinkWorld {
    enum Event {
        case dial(by: Int)
        case admitted(at: Int, connection: Int)
        case frame(to: Int, connection: Int, Frame)
        case closed(at: Int, connection: Int)
    }

    enum Frame { case ping, pong }

    struct Entry {
        let time: Instant
        let event: Event
    }

    let nodes = [Samples.alice.node, Samples.bob.node]
    var books: [LinkBook]
    var queue: [Entry] = []
    var now = Samples.start.instant
    var chance: SeededGenerator
    let interval: Duration
    let latencyMax: Duration
    /// Who dialled each connection.
    var diallers: [Int] = []
    /// Connections that carry nothing any more, since then.
    var cut: [Int: Instant] = [:]
    var lastArrival: [Int: Instant] = [:]
    /// Why links ended, with the connection.
    var silent: [(connection: Int, side: Int, Instant)] = []
    private let distance: LinkDistance

    init(seed: UInt64) {
        chance = SeededGenerator(seed: seed)
        distance = chance.number(below: 2) == 0 ? .local : .remote
        interval = distance.pingInterval
        latencyMax = chance.duration(from: .milliseconds(1), through: interval / 4)
        books = nodes.map { LinkBook(me: $0) }
        for side in 0...1 { dialLater(side) }
    }

    mutating func schedule(_ event: Event, at time: Instant) {
        let index = queue.firstIndex { $0.time > time } ?? queue.endIndex
        queue.insert(Entry(time: time, event: event), at: index)
    }

    mutating func latency() -> Duration { chance.duration(from: .microseconds(50), through: latencyMax) }

    mutating func dialLater(_ side: Int) {
        let wait = chance.duration(from: .zero, through: .seconds(1))
        schedule(.dial(by: side), at: now + wait)
    }

    /// Sends in order over one direction of a connection; lost when the connection is cut on the way.
    mutating func send(_ event: Event, over connection: Int, to side: Int) {
        let key = connection * 2 + side
        let arrival = max(now + latency(), lastArrival[key] ?? .zero)
        lastArrival[key] = arrival
        schedule(event, at: arrival)
    }

    mutating func perform(_ steps: [LinkBook.Step], at side: Int) {
        for step in steps {
            switch step {
            case .ping(let id):
                send(
                    .frame(to: 1 - side, connection: Int(id.number), .ping), over: Int(id.number),
                    to: 1 - side)
            case .close(let id, _), .drain(let id):
                let connection = Int(id.number)
                send(.closed(at: 1 - side, connection: connection), over: connection, to: 1 - side)
                perform(books[side].close(id), at: side)
            case .down(_, let loss):
                if loss == .silent { silent.append((-1, side, now)) }
                dialLater(side)
            case .up, .condition: break
            }
        }
    }

    mutating func handle(_ event: Event) {
        switch event {
        case .dial(let side):
            guard books[side].links.isEmpty else { return }
            let connection = diallers.count
            diallers.append(side)
            // Each end's handshake is over at a time of its own; one that is cut never is.
            send(.admitted(at: 1 - side, connection: connection), over: connection, to: 1 - side)
            send(.admitted(at: side, connection: connection), over: connection, to: side)
            schedule(.dial(by: side), at: now + .seconds(3))
        case .admitted(let side, let connection):
            guard cut[connection].map({ now < $0 }) ?? true else { return }
            let terms = Samples.terms(
                nodes[1 - side], dialler: nodes[diallers[connection]], distance: distance)
            perform(books[side].admit(ConnectionID(UInt64(connection)), terms, at: now), at: side)
        case .frame(let side, let connection, let frame):
            guard cut[connection].map({ now < $0 }) ?? true else { return }
            let id = ConnectionID(UInt64(connection))
            switch frame {
            case .ping:
                perform(books[side].hearPing(id, at: now), at: side)
                if books[side].node(on: id) != nil {
                    send(.frame(to: 1 - side, connection: connection, .pong), over: connection, to: 1 - side)
                }
            case .pong: perform(books[side].hearPong(id, after: .zero, at: now), at: side)
            }
        case .closed(let side, let connection):
            guard cut[connection].map({ now < $0 }) ?? true else { return }
            perform(books[side].close(ConnectionID(UInt64(connection))), at: side)
        }
    }

    /// Lets time pass until `end`.
    mutating func run(until end: Instant) {
        while true {
            let timer = (0...1).compactMap { side in books[side].nextDeadline.map { ($0, side) } }
                .min { $0.0 < $1.0 }
            let event = queue.first?.time
            let next = [timer?.0, event].compactMap { $0 }.min()
            guard let next, next <= end else { break }
            now = max(now, next)
            if let event, event <= next {
                handle(queue.removeFirst().event)
            } else if let timer {
                perform(books[timer.1].reach(now), at: timer.1)
                #expect(books[timer.1].nextDeadline.map { $0 > now } ?? true)
            }
        }
        now = end
    }

    var current: [Int?] {
        (0...1).map { side in books[side].links[nodes[1 - side]].map { Int($0.connection.number) } }
    }
}

@Suite("Two link books over lossy connections")
struct LinkBookPropertyTests {
    @Test("come to one link, keep it while it speaks, and notice its silence in time", arguments: 1...60)
    func convergence(seed: UInt64) throws {
        var world = LinkWorld(seed: seed)
        let rounds = Int(world.chance.number(below: 4)) + 1
        for _ in 0..<rounds {
            world.run(until: world.now + .seconds(60))
            let settled = world.current
            let connection = try #require(settled[0])
            #expect(settled[1] == connection, "the two sides disagree: \(settled)")
            // A link that speaks stays.
            let silentBefore = world.silent.count
            world.run(until: world.now + .seconds(120))
            #expect(world.current == settled)
            #expect(world.silent.count == silentBefore)
            // Cut without a word: both sides notice within five intervals and the time that frames took.
            let cut = world.now
            world.cut[connection] = cut
            world.run(until: cut + (world.interval * 3 - world.latencyMax * 2))
            #expect(world.current == settled, "a claim of loss before the third missed ping")
            world.run(until: cut + (world.interval * 5 + world.latencyMax * 2))
            #expect(world.current[0] != connection && world.current[1] != connection)
        }
        world.run(until: world.now + .seconds(60))
        #expect(world.current[0] != nil && world.current[0] == world.current[1])
    }
}
