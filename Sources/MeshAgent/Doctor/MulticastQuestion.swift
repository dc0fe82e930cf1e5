import MeshBase

/// What is asked by multicast (RFC 6762 section 6.7, from a port of our own, so that answers come to us
/// alone): which kinds of services there are, and which nodes of Comity. Every responder has an answer to the
/// first.
struct MulticastQuestion: Equatable, Sendable {
    /// Answers repeat it.
    let id: UInt16

    /// As it is sent: a header, and two questions for PTR records.
    var bytes: [UInt8] {
        let header = [UInt8(id >> 8), UInt8(id & 0xff), 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]
        return header + Self.question("_services", "_dns-sd", "_udp", "local")
            + Self.question("_comity", "_tcp", "local")
    }

    /// Datagrams of multicast DNS have at most so many bytes (RFC 6762 section 17).
    static let answerMax = 9_000

    /// Whether a datagram is an answer to this question. Only that there is one is of interest, not what it
    /// says: nothing behind the header is read.
    func isAnswered(by datagram: [UInt8]) -> Bool {
        guard (12...Self.answerMax).contains(datagram.count) else { return false }
        let isAnswer = datagram[2] & 0x80 != 0 && datagram[2] & 0x78 == 0
        return isAnswer && datagram[0] == UInt8(id >> 8) && datagram[1] == UInt8(id & 0xff)
    }

    private static func question(_ labels: String...) -> [UInt8] {
        labels.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0, 0, 12, 0, 1]
    }
}
