import MeshBase
import Testing

@testable import MeshDiscovery

@Suite("Sighting tags")
struct SightingTagTests {
    let suite = CheapSuite()

    @Test("a tag is read back from its text, and from nothing else")
    func readsBack() {
        let tag = SightingTag(of: node(1), hour: 500_000, using: suite)
        #expect(SightingTag(tag.description) == tag)
        #expect(SightingTag("") == nil)
        #expect(SightingTag(tag.description + "A") == nil)
        #expect(SightingTag("AAAAAAAAAAB") == nil)
        #expect(SightingTag("!!!!!!!!!!!") == nil)
    }

    @Test("a node shows another tag each hour, and no two nodes the same")
    func differs() {
        let tags = (1...20).flatMap { number in
            (0..<20).map { SightingTag(of: node(UInt8(number)), hour: $0, using: suite) }
        }
        #expect(Set(tags).count == 400)
    }

    @Test("hours are whole also before 1970")
    func countsHours() {
        #expect(SightingTag.hour(of: WallTime(milliseconds: 0)) == 0)
        #expect(SightingTag.hour(of: WallTime(milliseconds: 3_599_999)) == 0)
        #expect(SightingTag.hour(of: WallTime(milliseconds: 3_600_000)) == 1)
        #expect(SightingTag.hour(of: WallTime(milliseconds: -1)) == -1)
    }

    @Test("a peer is recognised in its hour and the neighbouring ones, no further")
    func recognisesNeighbours() {
        var book = TagBook()
        book.add(node(1))
        book.add(node(2))
        _ = book.learn(hour: 100, using: suite)
        for hour in 99...101 {
            #expect(book.recognise(SightingTag(of: node(1), hour: Int64(hour), using: suite)) == node(1))
            #expect(book.recognise(SightingTag(of: node(2), hour: Int64(hour), using: suite)) == node(2))
        }
        #expect(book.recognise(SightingTag(standingFor: node(2), using: suite)) == node(2))
        #expect(book.recognise(SightingTag(standingFor: node(3), using: suite)) == nil)
        #expect(book.recognise(SightingTag(of: node(1), hour: 98, using: suite)) == nil)
        #expect(book.recognise(SightingTag(of: node(1), hour: 102, using: suite)) == nil)
        #expect(book.recognise(SightingTag(of: node(3), hour: 100, using: suite)) == nil)
    }

    @Test("tags are made once an hour, and when somebody is added")
    func makesRarely() {
        var book = TagBook()
        book.add(node(1))
        var made = [book.learn(hour: 100, using: suite), book.learn(hour: 100, using: suite)]
        book.add(node(1))
        made.append(book.learn(hour: 100, using: suite))
        book.add(node(2))
        made += [book.learn(hour: 100, using: suite), book.learn(hour: 101, using: suite)]
        #expect(made == [true, false, false, true, true])
        #expect(book.recognise(SightingTag(of: node(1), hour: 99, using: suite)) == nil)
    }

    @Test("who is removed is recognised no more")
    func forgets() {
        var book = TagBook()
        book.add(node(1))
        _ = book.learn(hour: 100, using: suite)
        book.remove(node(1))
        #expect(book.recognise(SightingTag(of: node(1), hour: 100, using: suite)) == nil)
    }
}
