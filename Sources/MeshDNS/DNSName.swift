/// A domain name, its letters folded: names are compared without case (RFC 4343), and some servers change it.
struct DNSName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// From the leaf to the root, each 1 ... 63 bytes of any value, A ... Z as a ... z; none for the root.
    let labels: [[UInt8]]

    /// The bound on a name as it stands in a message, lengths and root included (RFC 1035 section 2.3.4).
    static let lengthInBytes = 255
    /// The bound on one label.
    static let labelLengthInBytes = 63

    /// Nil when a label or the whole is empty or too long; the root is written without labels.
    init?(labels: [[UInt8]]) {
        guard labels.allSatisfy({ (1...Self.labelLengthInBytes).contains($0.count) }),
            labels.reduce(1, { $0 + $1.count + 1 }) <= Self.lengthInBytes
        else { return nil }
        self.labels = labels.map { $0.map(Self.folded) }
    }

    /// As people and zone files write it (RFC 1035 section 5.1): labels with dots between, a byte `\DDD`, a
    /// character `\X`. A dot at the end may stand or not. Nil when it is no name.
    init?(_ text: String) {
        if text == "." {
            self.init(labels: [])
            return
        }
        var labels: [[UInt8]] = [[]]
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "."):
                if rest.isEmpty { break }
                labels.append([])
            case UInt8(ascii: "\\"):
                guard let escaped = Self.takeEscaped(from: &rest) else { return nil }
                labels[labels.count - 1].append(escaped)
            default: labels[labels.count - 1].append(byte)
            }
        }
        self.init(labels: labels)
    }

    /// What stands behind a backslash: three digits, or one character that is itself.
    private static func takeEscaped(from rest: inout ArraySlice<UInt8>) -> UInt8? {
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        guard let first = rest.popFirst() else { return nil }
        guard isDigit(first) else { return first }
        let digits = [first] + rest.prefix(2)
        guard digits.count == 3, digits.allSatisfy(isDigit) else { return nil }
        rest = rest.dropFirst(2)
        return UInt8(exactly: digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) })
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Whether this is one label in front of `parent`.
    func isChild(of parent: DNSName) -> Bool { !labels.isEmpty && labels.dropFirst() == parent.labels[...] }

    /// As it stands in a message, not compressed.
    var bytes: [UInt8] { labels.flatMap { [UInt8($0.count)] + $0 } + [0] }

    static func < (left: Self, right: Self) -> Bool {
        left.labels.lexicographicallyPrecedes(right.labels) { $0.lexicographicallyPrecedes($1) }
    }

    /// As people and zone files write it, without a dot at the end; `.` for the root.
    var description: String { labels.isEmpty ? "." : labels.map(Self.text).joined(separator: ".") }

    /// One label as zone files write it: at most four characters a byte.
    static func text(_ label: [UInt8]) -> String {
        label.map { byte in
            switch byte {
            case UInt8(ascii: "."), UInt8(ascii: "\\"): "\\" + String(UnicodeScalar(byte))
            case 0x21...0x7e: String(UnicodeScalar(byte))
            default: "\\" + String(repeating: "0", count: byte < 10 ? 2 : byte < 100 ? 1 : 0) + String(byte)
            }
        }.joined()
    }
}
