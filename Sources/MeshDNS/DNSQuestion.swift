/// What can be asked for: one kind of record under one name.
struct DNSQuestion: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The kinds of records that matter here, with their numbers (RFC 1035, 2782, 3596).
    enum Kind: UInt16, Comparable, Sendable, CaseIterable {
        case a = 1
        case cname = 5
        case ptr = 12
        case txt = 16
        case aaaa = 28
        case srv = 33

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    let name: DNSName
    let kind: Kind

    init(_ kind: Kind, of name: DNSName) {
        self.name = name
        self.kind = kind
    }

    /// The message that asks this: one question, recursion desired (RFC 1035 section 4.1).
    /// - Parameter id: not 0, and hard to guess.
    func query(id: UInt16) -> [UInt8] {
        let header: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xff), 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]
        return header + name.bytes + [UInt8(kind.rawValue >> 8), UInt8(kind.rawValue & 0xff), 0, 1]
    }

    static func < (left: Self, right: Self) -> Bool {
        (left.kind, left.name) < (right.kind, right.name)
    }

    /// `SRV of NAME`.
    var description: String { "\(kind)".uppercased() + " of \(name)" }
}
