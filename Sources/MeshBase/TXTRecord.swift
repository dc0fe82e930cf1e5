/// The key/value pairs of a DNS-SD TXT record (RFC 6763 section 6): what is announced, and what strangers
/// announce to us.
public struct TXTRecord: Equatable, Sendable {
    /// One `key=value`.
    public struct Pair: Equatable, Sendable {
        /// Printable ASCII without `=`, at least one character; case does not matter (section 6.4).
        public let key: String
        /// Text; empty where the record has only the key.
        public let value: String

        public init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    /// The bound on a whole record, lengths included. A larger one is not read at all.
    public static let lengthInBytes = 1_024

    /// The pairs by rising key, no key twice. A record's own order means nothing, and daemons do not keep it.
    public let pairs: [Pair]

    /// A record to announce.
    /// - Precondition: keys are printable ASCII without `=`, none twice; no pair exceeds 255 bytes, all
    ///   together `lengthInBytes`.
    public init(_ pairs: [Pair]) {
        let strings = pairs.map { Array("\($0.key)=\($0.value)".utf8) }
        let sorted = pairs.sorted { $0.key < $1.key }
        precondition(Self(strings: strings)?.pairs == sorted, "no TXT record can say \(pairs)")
        self.pairs = sorted
    }

    /// What a stranger announced; nil when it is longer than `lengthInBytes`.
    ///
    /// As section 6.4 demands, strings without a key are skipped and only the first of one key counts.
    /// Skipped too are keys that are not printable ASCII and values that are not UTF-8: nobody who follows
    /// our protocol sends them.
    public init?(strings: [[UInt8]]) {
        guard strings.reduce(0, { $0 + $1.count + 1 }) <= Self.lengthInBytes else { return nil }
        var pairs: [Pair] = []
        for string in strings {
            let key = string.prefix { $0 != UInt8(ascii: "=") }
            guard string.count <= 255, !key.isEmpty, key.allSatisfy({ (0x20...0x7e).contains($0) }),
                let name = String(validating: key, as: UTF8.self),
                let value = String(validating: string.dropFirst(key.count + 1), as: UTF8.self),
                !pairs.contains(where: { $0.key.lowercased() == name.lowercased() })
            else { continue }
            pairs.append(Pair(name, value))
        }
        self.pairs = pairs.sorted { $0.key < $1.key }
    }

    /// The value under `key`, whatever its case; nil when it is not there.
    public subscript(key: String) -> String? {
        pairs.first { $0.key.lowercased() == key.lowercased() }?.value
    }

    /// One string a pair, as a record carries them.
    public var strings: [[UInt8]] { pairs.map { Array("\($0.key)=\($0.value)".utf8) } }
}
