import CAvahi
import MeshBase
import Testing

@testable import MeshAvahi

@Suite("TXT record")
struct TXTRecordTests {
    @Test("is read back as it was announced")
    func readsBack() {
        let record = TXTRecord([.init("v", "1"), .init("t", "AAECAwQFBgc"), .init("name", "Köln=1")])
        #expect(TXTRecord(strings: record.strings) == record)
        let list = record.makeList()
        defer { avahi_string_list_free(list) }
        #expect(TXTRecord(list: list) == record)
        #expect(record["NAME"] == "Köln=1")
        #expect(record["x"] == nil)
    }

    @Test("only the first of one key counts, and what has no key or is not text is skipped")
    func skips() {
        let strings: [[UInt8]] = [
            Array("=x".utf8), [], Array("v=1".utf8), Array("V=2".utf8), Array("pair".utf8),
            [0x74, 0x3d, 0xff], [0xff, 0x3d, 0x31],
        ]
        #expect(TXTRecord(strings: strings)?.pairs == [.init("pair", ""), .init("v", "1")])
    }

    @Test("a record above the bound is not read at all")
    func isBounded() {
        let fits = [[UInt8]](repeating: Array("k=aaaaaaaaaaaaa".utf8), count: 64)
        #expect(TXTRecord(strings: fits) != nil)
        #expect(TXTRecord(strings: fits + [[]]) == nil)
    }

    @Test(
        "whatever strangers send, what is read could have been announced",
        arguments: 1...4 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<5_000 {
            let strings = (0..<generator.number(below: 8)).map { _ in
                var bytes = generator.bytes(Int(generator.number(below: 40)))
                if generator.number(below: 2) == 0 { bytes = bytes.map { 0x20 + $0 % 0x60 } }
                return bytes
            }
            guard let record = TXTRecord(strings: strings) else { continue }
            #expect(TXTRecord(strings: record.strings) == record)
        }
    }
}
