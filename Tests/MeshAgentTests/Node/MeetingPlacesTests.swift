import MeshBase
import Testing

@testable import MeshAgent

@Suite("Addresses where peers were met")
struct MeetingPlacesTests {
    private func node(_ number: Int) -> NodeID {
        NodeID(Digest((0..<32).map { $0 == 0 ? UInt8(number >> 8) : UInt8(number & 255) })!)
    }

    @Test("the latest four of a peer are kept, however many it comes from, and none of another's go")
    func few() {
        var places = MeetingPlaces()
        let isNews = [places.note("192.0.2.1", of: node(1)), places.note("192.0.2.1", of: node(1))]
        #expect(isNews == [true, false])
        for number in 0..<5_000 { _ = places.note("198.51.100.\(number)", of: node(2)) }
        #expect(places.all == Set(["192.0.2.1"] + (4_996..<5_000).map { "198.51.100.\($0)" }))
    }

    @Test("of as many peers as there may be, the one met first yields")
    func peers() {
        var places = MeetingPlaces()
        for number in 0...Limits.peers { _ = places.note("a\(number)", of: node(number)) }
        #expect(places.all.count == Limits.peers)
        #expect(!places.all.contains("a0") && places.all.contains("a1"))
    }
}
