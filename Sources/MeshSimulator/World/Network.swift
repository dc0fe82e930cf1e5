import MeshBase

/// Who reaches whom, and how fast. The intruder reaches everybody.
struct Network: Sendable {
    /// How cut a way is: faults overlap, so they are counted. By sender, then receiver.
    private var cuts: [[Int]]
    private let hosts: Int
    /// One way, without jitter.
    var latency: Duration = .milliseconds(1)
    var jitter: Duration = .milliseconds(2)
    /// In thousandths.
    var announcementsLost: UInt64 = 50
    private var faults = OrderedTable<Int, [Way]>()
    private var faultsBegun = 0

    struct Way: Sendable, Equatable {
        let from: Int
        let to: Int
    }

    init(hosts: Int) {
        self.hosts = hosts
        cuts = Array(repeating: Array(repeating: 0, count: hosts), count: hosts)
    }

    func reaches(_ from: Int, _ to: Int) -> Bool { cuts[from][to] == 0 }

    /// Cuts ways; the number ends it.
    mutating func cut(_ ways: [Way]) -> Int {
        for way in ways { cuts[way.from][way.to] += 1 }
        faultsBegun += 1
        faults[faultsBegun] = ways
        return faultsBegun
    }

    mutating func mend(_ number: Int) {
        for way in faults.remove(number) ?? [] { cuts[way.from][way.to] -= 1 }
    }

    mutating func mendAll() {
        for number in faults.keys { mend(number) }
    }

    /// Both ways between two groups.
    static func between(_ one: [Int], _ others: [Int]) -> [Way] {
        one.flatMap { left in others.flatMap { [Way(from: left, to: $0), Way(from: $0, to: left)] } }
    }
}
