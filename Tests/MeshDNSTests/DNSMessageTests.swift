import MeshBase
import Testing

@testable import MeshDNS

@Suite("Answer of a name server")
struct DNSMessageTests {
    private static let question = DNSQuestion(.ptr, of: name("_comity._tcp.m"))

    /// Flags and counts of an answer, then the question at 12.
    private func message(_ records: [UInt8] = [], answers: UInt8 = 0, flags: [UInt8] = [0x85, 0x80])
        -> [UInt8]
    {
        [0x12, 0x34] + flags + [0, 1, 0, answers, 0, 0, 0, 0] + Self.question.query(id: 1).dropFirst(12)
            + records
    }

    @Test("repeats its question, and says how it went")
    func readsHead() throws {
        let read = try DNSMessage(message(flags: [0x87, 0x83]))
        #expect(read.id == 0x1234 && read.isTruncated && read.responseCode == 3)
        #expect(read.answers(Self.question))
        #expect(!read.answers(DNSQuestion(.ptr, of: name("_comity._tcp.n"))))
        #expect(!read.answers(DNSQuestion(.srv, of: name("_comity._tcp.m"))))
    }

    @Test("follows what points backwards, without case")
    func decompresses() throws {
        let read = try DNSMessage(
            message([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 60, 0, 4, 1, 0x41, 0xc0, 12], answers: 1))
        #expect(
            read.answers == [
                DNSRecord(
                    name: name("_comity._tcp.m"), timeToLive: .seconds(60),
                    value: .ptr(name("a._comity._tcp.m")))
            ])
    }

    @Test("a name that points at itself, forwards or in a circle is none")
    func refusesCircles() {
        let place = UInt8(message().count)
        for target in [place, place + 2, place + 30] {
            #expect(throws: DNSMessage.Malformed.name) {
                try DNSMessage(message([0xc0, target, 0, 12, 0, 1, 0, 0, 0, 60, 0, 0], answers: 1))
            }
        }
        #expect(throws: DNSMessage.Malformed.name) {
            try DNSMessage(message([1, 0x61, 0xc0, place, 0, 12, 0, 1, 0, 0, 0, 60, 0, 0], answers: 1))
        }
    }

    @Test("is refused when a record says another length than it has, or something follows the last")
    func isStrict() {
        let address: [UInt8] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60]
        #expect(throws: DNSMessage.Malformed.record(kind: 1)) {
            try DNSMessage(message(address + [0, 5, 1, 2, 3, 4, 5], answers: 1))
        }
        #expect(throws: DNSMessage.Malformed.cutShort) {
            try DNSMessage(message(address + [0, 4, 1, 2, 3], answers: 1))
        }
        #expect(throws: DNSMessage.Malformed.trailingBytes) { try DNSMessage(message([0])) }
        #expect(throws: DNSMessage.Malformed.noAnswer) { try DNSMessage(Self.question.query(id: 1)) }
        #expect(throws: DNSMessage.Malformed.tooLong) {
            try DNSMessage([UInt8](repeating: 0, count: DNSMessage.lengthInBytes + 1))
        }
    }

    @Test("passes over records that it does not know, and takes a time to live of 2^31 for none")
    func passesOver() throws {
        let unknown: [UInt8] = [0xc0, 12, 0, 99, 0, 1, 0, 0, 0, 60, 0, 1, 7]
        let text: [UInt8] = [0xc0, 12, 0, 16, 0, 1, 0x80, 0, 0, 0, 0, 4, 3, 0x76, 0x3d, 0x31]
        let read = try DNSMessage(message(unknown + text, answers: 2))
        #expect(read.answers.map(\.value) == [.txt([Array("v=1".utf8)])])
        #expect(read.answers.map(\.timeToLive) == [.zero])
    }
}

/// A name that the test knows to be one.
func name(_ text: String) -> DNSName {
    guard let name = DNSName(text) else { preconditionFailure("\(text) is no name") }
    return name
}
