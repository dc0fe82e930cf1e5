/// An answer of a name server (RFC 1035 section 4), read strictly: one question, records that fill their
/// lengths exactly, names that point only backwards, nothing behind the last record. Records of other kinds
/// and classes, and the authority section, are passed over.
struct DNSMessage: Equatable, Sendable {
    /// Why bytes are no answer.
    enum Malformed: Error, Equatable {
        case tooLong, cutShort, name, notOneQuestion, noAnswer
        case record(kind: UInt16)
        case trailingBytes
    }

    let id: UInt16
    let isTruncated: Bool
    /// 0 none, 2 the server failed, 3 no such name, 5 refused.
    let responseCode: UInt8
    /// The question as the server repeats it; its kind as a number, for any may be asked.
    let name: DNSName
    let kind: UInt16
    let answers: [DNSRecord]
    let additional: [DNSRecord]

    /// The bound on a message: what its two bytes of length over TCP can say.
    static let lengthInBytes = 65_535

    /// Whether this answers `question`.
    func answers(_ question: DNSQuestion) -> Bool { name == question.name && kind == question.kind.rawValue }
}

extension DNSMessage {
    init(_ bytes: [UInt8]) throws(Malformed) {
        guard bytes.count <= Self.lengthInBytes else { throw .tooLong }
        var reader = Reader(bytes: bytes)
        id = try reader.number()
        let flags = try reader.number()
        guard flags & 0x8000 != 0 else { throw .noAnswer }
        isTruncated = flags & 0x0200 != 0
        responseCode = UInt8(flags & 0x000f)
        guard try reader.number() == 1 else { throw .notOneQuestion }
        let answerCount = try reader.number()
        let authorityCount = try reader.number()
        let additionalCount = try reader.number()
        name = try reader.name()
        kind = try reader.number()
        guard try reader.number() == 1 else { throw .notOneQuestion }
        answers = try reader.records(answerCount)
        _ = try reader.records(authorityCount)
        additional = try reader.records(additionalCount)
        guard reader.isAtEnd else { throw .trailingBytes }
    }

    private struct Reader {
        let bytes: [UInt8]
        private var place = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { place == bytes.count }

        mutating func byte() throws(Malformed) -> UInt8 {
            guard place < bytes.count else { throw .cutShort }
            defer { place += 1 }
            return bytes[place]
        }

        mutating func number() throws(Malformed) -> UInt16 {
            let high = try byte()
            return UInt16(high) << 8 | UInt16(try byte())
        }

        mutating func take(_ count: Int) throws(Malformed) -> [UInt8] {
            guard count <= bytes.count - place else { throw .cutShort }
            defer { place += count }
            return Array(bytes[place..<place + count])
        }

        /// A name, perhaps ending elsewhere: each pointer leads before where the part began that holds it, so
        /// there is an end (RFC 1035 section 4.1.4).
        mutating func name() throws(Malformed) -> DNSName {
            var labels: [[UInt8]] = []
            var length = 1
            var begin = place
            var end: Int?
            while true {
                let mark = try byte()
                switch mark & 0xc0 {
                case 0 where mark == 0:
                    if let end { place = end }
                    guard let name = DNSName(labels: labels) else { throw .name }
                    return name
                case 0:
                    length += Int(mark) + 1
                    guard length <= DNSName.lengthInBytes else { throw .name }
                    labels.append(try take(Int(mark)))
                case 0xc0:
                    let target = Int(mark & 0x3f) << 8 | Int(try byte())
                    guard target < begin else { throw .name }
                    end = end ?? place
                    begin = target
                    place = target
                default: throw .name
                }
            }
        }

        /// The count is a stranger's word: nothing is set aside for it, the bytes bound what is read.
        mutating func records(_ count: UInt16) throws(Malformed) -> [DNSRecord] {
            var records: [DNSRecord] = []
            for _ in 0..<count {
                if let record = try record() { records.append(record) }
            }
            return records
        }

        private mutating func record() throws(Malformed) -> DNSRecord? {
            let owner = try name()
            let number = try number()
            let isInternet = try self.number() == 1
            let seconds = UInt32(try self.number()) << 16 | UInt32(try self.number())
            let length = Int(try self.number())
            let end = place + length
            guard end <= bytes.count else { throw .cutShort }
            guard isInternet, let kind = DNSQuestion.Kind(rawValue: number) else {
                place = end
                return nil
            }
            let value = try value(kind, until: end)
            guard place == end else { throw .record(kind: number) }
            let timeToLive = Duration.seconds(seconds > Int32.max ? 0 : Int64(seconds))
            return DNSRecord(name: owner, timeToLive: timeToLive, value: value)
        }

        private mutating func value(_ kind: DNSQuestion.Kind, until end: Int) throws(Malformed)
            -> DNSRecord.Value
        {
            switch kind {
            case .a: return .a(try take(4))
            case .aaaa: return .aaaa(try take(16))
            case .cname: return .cname(try name())
            case .ptr: return .ptr(try name())
            case .srv:
                let priority = try number()
                let weight = try number()
                let port = try number()
                return .srv(.init(priority: priority, weight: weight, port: port, target: try name()))
            case .txt:
                var strings: [[UInt8]] = []
                while place < end { strings.append(try take(Int(try byte()))) }
                return .txt(strings)
            }
        }
    }
}
