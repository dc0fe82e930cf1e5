import MeshBase
import MeshRouting
import MeshSimulator
import Testing

@testable import MeshNode

@Suite("What is known of each way a call can go")
struct RouteBookTests {
    private let peer = SimulatedKey(7).node
    private let now = Instant(nanoseconds: 1_000_000_000)

    private func way() throws -> RouteBook.Way {
        RouteBook.Way(resource: try #require(ResourceName("orders")), node: peer)
    }

    /// A book whose one way just failed, which counted as five seconds.
    private func failed() throws -> RouteBook {
        var book = RouteBook(generator: SeededGenerator(seed: 1))
        book.link(peer, is: .up, at: now)
        let way = try way()
        let begun = book.begin(way, isLocal: false, at: now)
        let pass = try #require(begun)
        book.report(way, pass, resource: .failed, link: .failed, taken: .seconds(5), at: now)
        book.leave(way)
        return book
    }

    @Test("a peer that returns is weighed anew: what it took while it died is forgotten")
    func returns() throws {
        var book = try failed()
        let way = try way()
        #expect(book.ways[way]?.latency != LatencyEstimate())
        book.link(peer, is: .dialling, at: now)
        #expect(book.ways[way]?.latency != LatencyEstimate())
        book.link(peer, is: .up, at: now)
        #expect(book.ways[way]?.latency == LatencyEstimate())
    }

    @Test("a resource that is well again is weighed anew, once its breaker has closed")
    func recovers() throws {
        var book = try failed()
        let way = try way()
        for _ in 0..<4 {
            let begun = book.begin(way, isLocal: false, at: now)
            let pass = try #require(begun)
            book.report(way, pass, resource: .failed, link: .succeeded, taken: .seconds(5), at: now)
        }
        #expect(book.ways[way]?.breaker.standing(at: now).lets == false)
        let later = now + .seconds(40)
        for success in 1...3 {
            #expect(success == 1 || book.ways[way]?.breaker.standing(at: later) == .halfOpen)
            let begun = book.begin(way, isLocal: false, at: later)
            let pass = try #require(begun)
            book.report(way, pass, resource: .succeeded, link: .succeeded, taken: .milliseconds(2), at: later)
        }
        var quick = LatencyEstimate()
        quick.observe(.milliseconds(2), at: later)
        #expect(book.ways[way]?.breaker.standing(at: later) == .closed)
        #expect(book.ways[way]?.latency == quick)
    }
}
