import Glibc
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

@Suite("What comity doctor asks by multicast") struct MulticastQuestionTests {
    private let question = MulticastQuestion(id: 0xbeef)

    private func answer(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
        var bytes: [UInt8] = [0xbe, 0xef, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3]
        change(&bytes)
        return bytes
    }

    @Test func `is two questions for PTR records, as RFC 1035 writes them`() {
        let names = "\u{9}_services\u{7}_dns-sd\u{4}_udp\u{5}local\0"
        let nodes = "\u{7}_comity\u{4}_tcp\u{5}local\0"
        #expect(
            question.bytes
                == [0xbe, 0xef, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0] + Array(names.utf8) + [0, 12, 0, 1]
                + Array(nodes.utf8) + [0, 12, 0, 1])
    }

    @Test func `an answer repeats its number, and nothing but an answer does for one`() {
        #expect(question.isAnswered(by: answer()))
        #expect(!question.isAnswered(by: question.bytes))
        #expect(!question.isAnswered(by: answer { $0[1] = 0xee }))
        #expect(!question.isAnswered(by: answer { $0[0] = 0 }))
        // Another operation than a query.
        #expect(!question.isAnswered(by: answer { $0[2] = 0xac }))
        #expect(!question.isAnswered(by: Array(answer().prefix(11))))
        #expect(question.isAnswered(by: Array(answer().prefix(12))))
    }

    @Test func `a datagram has 9000 bytes, and is not looked at beyond`() {
        let longest = answer() + [UInt8](repeating: 0, count: MulticastQuestion.answerMax - 15)
        #expect(question.isAnswered(by: longest))
        #expect(!question.isAnswered(by: longest + [0]))
    }
}

@Suite("What comity doctor sees without an agent") struct HostExaminationTests {
    @Test func `a home that its agent made is its owner's alone, and one that is not there is said as such`()
        throws
    {
        let home = TemporaryHome()
        try home.home.prepare()
        let facts = HostExamination.look(at: home.home)
        #expect(facts.exists && facts.isWritable && facts.freeBytes ?? 0 > 0)
        #expect(facts.secrets.allSatisfy { $0.isOwn && $0.permissions & 0o077 == 0 })
        #expect(facts.secrets.map(\.isFolder) == [true, true])
        #expect(!HostExamination.look(at: Home(path: home.home.path + "/none")).exists)
    }

    @Test func `a port that somebody listens on is taken, and free once nobody does`() throws {
        let taken = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
                bind(taken, plain, length) == 0 && listen(taken, 1) == 0
                    && getsockname(taken, plain, &length) == 0
            }
        }
        try #require(isBound)
        let place = Endpoint(host: "127.0.0.1", port: UInt16(bigEndian: address.sin_port))
        #expect(HostExamination.error(of: place) == "Address already in use")
        close(taken)
        #expect(HostExamination.error(of: place) == nil)
    }

    @Test func `a name leads to its addresses, and one that is none to a reason`() {
        let found = HostExamination.look(up: "localhost")
        #expect(found.error == nil && found.addresses.contains { $0 == "127.0.0.1" || $0 == "::1" })
        #expect(HostExamination.look(up: "no name.invalid").error != nil)
    }
}
