import MeshBase
import Testing

@testable import MeshMCP

@Suite("A stream of server-sent events")
struct EventStreamTests {
    private func read(_ text: String, piece: Int = .max, eventMax: Int = 64) -> [String]? {
        var reader = EventStreamReader(eventMax: eventMax)
        var (bytes, events): (ArraySlice<UInt8>, [String]) = (ArraySlice(text.utf8), [])
        while !bytes.isEmpty {
            guard let found = reader.take(bytes.prefix(piece)) else { return nil }
            events += found.map { String(decoding: $0, as: UTF8.self) }
            bytes = bytes.dropFirst(piece)
        }
        return events
    }

    @Test(
        "gives the data of each event, whatever ends its lines and however it is cut",
        arguments: [1, 2, 3, 1_000])
    func events(piece: Int) {
        let text =
            "\u{feff}data: a\r\n\r\n: comment\nevent: message\ndata:b\ndata:  c\ndata\n\nid: 4\n\ndata: d\r\r"
        #expect(read(text, piece: piece) == ["a", "b\n c\n", "d"])
    }

    @Test("gives no event that has not ended, and none without data")
    func unfinished() {
        #expect(read("data: a\n") == [])
        #expect(read("retry: 1\n\n\n\n") == [])
        #expect(read("datax: 1\n\n") == [])
    }

    @Test("is given up when a line, or an event, is longer than it may be")
    func bounded() {
        let data = "data:" + String(repeating: "x", count: 59)
        #expect(read(data + "\n\n")?.first?.count == 59)
        #expect(read(data + "x") == nil)
        #expect(
            read(
                "data:" + String(repeating: "x", count: 40) + "\n" + "data:"
                    + String(repeating: "x", count: 20)) == nil)
        #expect(read(String(repeating: "a", count: 65)) == nil)
        // Each event anew.
        #expect(read(String(repeating: data + "\n\n", count: 20))?.count == 20)
    }
}

@Suite("Lines of a server")
struct LineReaderTests {
    private func read(_ text: String, piece: Int = .max, lineMax: Int = 8) -> [String]? {
        var reader = LineReader(lineMax: lineMax)
        var (bytes, lines): (ArraySlice<UInt8>, [String]) = (ArraySlice(text.utf8), [])
        while !bytes.isEmpty {
            guard let found = reader.take(bytes.prefix(piece)) else { return nil }
            lines += found.map { String(decoding: $0, as: UTF8.self) }
            bytes = bytes.dropFirst(piece)
        }
        return lines
    }

    @Test(
        "are each one message, however they are cut, and none that has not ended",
        arguments: [1, 2, 3, 1_000])
    func lines(piece: Int) {
        #expect(read("a\r\n\n\r\nbc\nd\re\nf", piece: piece) == ["a", "bc", "d\re"])
        #expect(read("", piece: piece) == [])
    }

    @Test("are given up when one is longer than it may be")
    func bounded() {
        #expect(read("12345678\n12345678\n") == ["12345678", "12345678"])
        #expect(read("12345678") == [])
        #expect(read("123456789") == nil && read("a\n123456789\n") == nil)
    }
}
