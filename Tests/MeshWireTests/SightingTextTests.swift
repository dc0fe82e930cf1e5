import MeshBase
import Testing

@testable import MeshWire

@Suite("What a node says over mDNS")
struct SightingTextTests {
    private let tag = Octets([1, 2, 3, 4, 5, 6, 7, 255])

    private func read(_ pairs: [String]) throws(WireError) -> SightingText {
        try SightingText(pairs: pairs.map { Array($0.utf8) })
    }

    @Test("a version and a tag, and nothing else")
    func roundTrip() throws {
        let text = try #require(SightingText(tag: tag))
        #expect(text.pairs.map { String(decoding: $0, as: UTF8.self) } == ["v=1", "t=AQIDBAUGB_8"])
        #expect(try SightingText(pairs: text.pairs) == text)
        #expect(SightingText(tag: Octets([1])) == nil)
    }

    @Test("pairs of a later kind are passed over, keys are compared without case")
    func passesOver() throws {
        #expect(try read(["T=AQIDBAUGB_8", "name=é", "flag", "V=1", "="].filter { $0 != "=" }).tag == tag)
        #expect(
            try SightingText(pairs: [Array("v=1".utf8), Array("t=AQIDBAUGB_8".utf8), [0x78, 0x3d, 0xff]]).tag
                == tag)
    }

    @Test("what is missing, repeated, of another version or too long is refused")
    func refuses() {
        #expect(throws: WireError.memberMissing("v", at: 0)) { try read([]) }
        #expect(throws: WireError.memberMissing("t", at: 0)) { try read(["v=1"]) }
        #expect(throws: WireError.versionUnknown(2)) { try read(["v=2", "t=AQIDBAUGB_8"]) }
        #expect(throws: WireError.fieldRefused("version", at: 0)) { try read(["v=x", "t=AQIDBAUGB_8"]) }
        #expect(throws: WireError.memberRepeated("t", at: 18)) {
            try read(["v=1", "t=AQIDBAUGB_8", "T=AQIDBAUGB_8"])
        }
        #expect(throws: WireError.fieldRefused("tag", at: 0)) { try read(["v=1", "t=AQIDBAUGB"]) }
        #expect(throws: WireError.fieldRefused("tag", at: 0)) { try read(["v=1", "t=AQIDBAUGB_9"]) }
        #expect(throws: WireError.fieldRefused("key", at: 0)) { try read(["=x"]) }
        #expect(throws: WireError.fieldRefused("key", at: 0)) { try read([""]) }
        #expect(throws: WireError.tooLong(bytes: 256, limit: 255)) {
            try read([String(repeating: "a", count: 256)])
        }
        #expect(throws: WireError.tooLong(bytes: 1040, limit: 1024)) {
            try read(
                (0..<4).map { "\($0)" + String(repeating: "a", count: 254) } + [
                    String(repeating: "b", count: 15)
                ])
        }
    }
}
