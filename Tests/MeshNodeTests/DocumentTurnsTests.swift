import MeshBase
import Testing

@testable import MeshNode

/// What is taken up before anything is let out, and who waits for whom. A document of a kibibyte counts two.
@Suite struct DocumentTurnsTests {
    private let cost = DocumentShare.cost(ofDocument: 1_024)

    private func turns(of line: String, holding count: Int) -> DocumentTurns<String, String> {
        var turns = DocumentTurns<String, String>()
        for number in 0..<count { turns.append("\(line)\(number)", of: line, costing: cost) }
        return turns
    }

    @Test func `who alone has anything waiting has batches of sixteen kibibytes`() {
        var turns = turns(of: "f", holding: 20)
        for expected in [8, 8, 4, 0] {
            turns.beginBatch()
            #expect(turns.rest().count == expected)
        }
        #expect(turns.isEmpty)
    }

    @Test func `what comes while a batch is worked on waits for the rest of one turn, and the batch ends`() {
        var turns = turns(of: "f", holding: 100)
        turns.beginBatch()
        #expect([turns.next(), turns.next(), turns.next()] == ["f0", "f1", "f2"])
        turns.append("a", of: "a", costing: cost)
        #expect(turns.rest() == ["f3", "a"])
        turns.beginBatch()
        #expect(turns.rest().count == 8 && turns.count(of: "f") == 88)
    }

    @Test func `of several that wait each has one turn in a batch`() {
        var turns = turns(of: "f", holding: 100)
        for number in 0..<3 {
            turns.append("a\(number)", of: "a", costing: cost)
            turns.append("b\(number)", of: "b", costing: cost)
        }
        turns.beginBatch()
        #expect(turns.rest() == ["f0", "f1", "a0", "a1", "b0", "b1"])
        turns.beginBatch()
        #expect(turns.rest() == ["f2", "f3", "a2", "b2"])
    }

    @Test func `beside something of the node's own a connection has one turn in a batch`() {
        var turns = turns(of: "f", holding: 100)
        turns.beginBatch()
        #expect(turns.rest(beside: .some) == ["f0", "f1"])
        turns.beginBatch()
        #expect([turns.next(), turns.next(), turns.next()] == ["f2", "f3", "f4"])
        // The node's own comes: it waits for no other turn.
        #expect(turns.rest(beside: .some) == [])
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `all is taken up once, in its order, in batches within their bound`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var turns = DocumentTurns<Int, Int>()
        var waiting = [[Int]](repeating: [], count: 4)
        var number = 0
        func fill() {
            for line in waiting.indices where random.number(below: 3) == 0 {
                number += 1
                turns.append(number, of: line, costing: 1_024 + Int(random.number(below: 8_192)))
                waiting[line].append(number)
            }
        }
        for _ in 0..<200 {
            fill()
            turns.beginBatch()
            var taken = 0
            while let next = turns.next() {
                let line = waiting.firstIndex { $0.first == next }
                #expect(line != nil)
                if let line { waiting[line].removeFirst() }
                taken += 1
                if taken < 4 { fill() }
            }
            #expect(taken <= DocumentShare.batchMost / 1_024)
            #expect(taken > 0 || turns.isEmpty, "no batch is empty while anything waits")
        }
    }
}

extension DocumentTurns {
    /// What is left of the batch.
    fileprivate mutating func rest(beside others: Others = .none) -> [Element] {
        var found: [Element] = []
        while let next = next(beside: others) { found.append(next) }
        return found
    }
}
