import Foundation

/// Small and longer calls of an application through two agents to a resource, beside the same calls straight to
/// that resource: time as the application sees it, and what the agents' processors do for it.
func callComparisons() -> [Comparison] {
    let loads = [
        ("200 bytes", "/small", 1), ("200 bytes", "/small", 32), ("64 KiB", "/large", 1),
        ("64 KiB", "/large", 8),
    ]
    return loads.map { size, path, connections in
        Comparison(
            area: "calls", title: "GET of \(size), \(connections) at once: from one call's end to the next",
            baseline: .calls("straight to the resource", path, connections) { $0.straight },
            others: [.calls("through two agents", path, connections) { $0.through }])
    }
        + loads.map { size, path, connections in
            Comparison(
                area: "calls", title: "GET of \(size), \(connections) at once: processor time for each",
                baseline: .calls("the resource, asked straight", path, connections, of: { [$0.resource] }) {
                    $0.straight
                },
                others: [
                    .calls("both agents", path, connections, of: { [$0.consumer, $0.provider] }) {
                        $0.through
                    },
                    .calls("the caller's agent", path, connections, of: { [$0.consumer] }) { $0.through },
                    .calls("the resource's agent", path, connections, of: { [$0.provider] }) { $0.through },
                ])
        }
}

extension Sample {
    /// - Parameters:
    ///   - connections: as many calls are under way at all times.
    ///   - processes: whose processor time counts; nil: the time that passes.
    fileprivate static func calls(
        _ name: String, _ path: String, _ connections: Int, of processes: ((Stage) -> [Int32])? = nil,
        over way: @escaping (Stage) -> Stage.Way
    ) -> Sample {
        let stage = Stage.found
        return Sample(name, by: processes.map { find in stage.map { .others(find($0)) } ?? .wall } ?? .wall) {
            guard let stage else {
                throw Unfit("there are no agents to call through: Scripts/benchmark starts them")
            }
            let load = try Load(way(stage), path: path, connections: connections)
            return { count in try load.run(count) }
        }
    }
}

/// Two agents that trust each other and a resource, as Scripts/benchmark started them.
private struct Stage {
    /// Where calls begin.
    struct Way {
        let port: UInt16
        /// What stands before the resource's own path.
        let prefix: String
    }

    let straight: Way
    let through: Way
    let resource: Int32
    let consumer: Int32
    let provider: Int32

    /// `COMITY_BENCHMARKS_STAGE`: the ports of the resource and of the gateway, what stands before the path there,
    /// and the processes of the resource, of the caller's agent and of the resource's agent.
    static var found: Stage? {
        let words =
            ProcessInfo.processInfo.environment["COMITY_BENCHMARKS_STAGE"]?.split(separator: " ") ?? []
        guard words.count == 6, let port = UInt16(words[0]), let gateway = UInt16(words[1]),
            let resource = Int32(words[3]), let consumer = Int32(words[4]), let provider = Int32(words[5])
        else { return nil }
        return Stage(
            straight: Way(port: port, prefix: ""), through: Way(port: gateway, prefix: String(words[2])),
            resource: resource, consumer: consumer, provider: provider)
    }
}

/// A closed loop of callers: each sends its next request when its answer is there.
private final class Load {
    private var callers: [LoopbackHTTP]
    private let descriptors: [Int32]
    private let request: [UInt8]

    init(_ way: Stage.Way, path: String, connections: Int) throws {
        callers = try (0..<connections).map { _ in try LoopbackHTTP(port: way.port) }
        descriptors = callers.map(\.descriptor)
        request = Array(
            "GET \(way.prefix)\(path) HTTP/1.1\r\nhost: 127.0.0.1:\(way.port)\r\naccept: */*\r\n\r\n".utf8)
    }

    deinit { for descriptor in descriptors { close(descriptor) } }

    func run(_ count: Int) throws {
        var (asked, answered) = (0, 0)
        for caller in callers where asked < count {
            try caller.send(request)
            asked += 1
        }
        while answered < count {
            for place in try readable(descriptors) {
                try require(callers[place].receive(), "a connection ended after \(answered) answers")
                guard let line = try callers[place].message() else { continue }
                try require(line.hasPrefix("http/1.1 200"), "a call was answered: \(line)")
                answered += 1
                guard asked < count else { continue }
                try callers[place].send(request)
                asked += 1
            }
        }
    }
}
