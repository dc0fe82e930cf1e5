import Testing

@testable import MeshGateway

/// Who waits for whom.
@Suite struct TurnQueueTests {
    @Test func `one that waits often is waited for once`() {
        var queue = TurnQueue<String, Int>()
        for number in 1...3 { queue.append(number, of: "greedy") }
        queue.append(10, of: "modest")
        queue.append(20, of: "late")
        queue.append(11, of: "modest")
        #expect(queue.count == 6)
        var order: [Int] = []
        while let next = queue.popFirst() { order.append(next) }
        #expect(order == [1, 10, 20, 2, 11, 3])
        #expect(queue.isEmpty && queue.popFirst() == nil)
    }

    @Test func `who gives up leaves no turn behind`() {
        var queue = TurnQueue<String, Int>()
        queue.append(1, of: "one")
        queue.append(2, of: "other")
        queue.append(3, of: "other")
        #expect(queue.remove(of: "one") { $0 == 2 } == nil)
        #expect(queue.remove(of: "one") { $0 == 1 } == 1)
        #expect(queue.remove(of: "other") { $0 == 3 } == 3)
        #expect(queue.count == 1 && queue.popFirst() == 2 && queue.popFirst() == nil)
        queue.append(4, of: "one")
        #expect(queue.popFirst() == 4)
    }
}
