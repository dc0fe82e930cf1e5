/// An IP address as a number: four bytes for IPv4, sixteen for IPv6. An IPv4 address that came through an
/// IPv6 socket is the IPv4 address (RFC 4291 section 2.5.5.2).
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// In network order, 4 or 16.
    public let bytes: [UInt8]

    /// Reads dotted decimal (RFC 1123 section 2.1, four numbers without leading zeros) or the forms of RFC
    /// 4291 section 2.2; a scope behind `%` is left away. Nil for a name and for anything else.
    public init?(_ text: some StringProtocol) {
        let address = text.prefix { $0 != "%" }
        guard address.utf8.count <= 45 else { return nil }
        guard let bytes = Self.four(address) ?? Self.sixteen(address) else { return nil }
        self.init(bytes: bytes)
    }

    /// - Parameter bytes: 4 or 16.
    init(bytes: [UInt8]) {
        let isMapped = bytes.count == 16 && bytes.prefix(12).elementsEqual(Self.mapped)
        self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
    }

    private static var mapped: [UInt8] { [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] }

    private static func four(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let bytes = parts.compactMap { part -> UInt8? in
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), part == "0" || part.first != "0"
            else { return nil }
            return UInt8(part)
        }
        return bytes.count == 4 ? bytes : nil
    }

    private static func sixteen(_ text: some StringProtocol) -> [UInt8]? {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (3...9).contains(parts.count) else { return nil }
        // `::` at an end leaves two empty parts there: one of them stands for the gap.
        if parts[0].isEmpty {
            guard parts[1].isEmpty else { return nil }
            parts.removeFirst()
        }
        if parts[parts.count - 1].isEmpty {
            guard parts[parts.count - 2].isEmpty else { return nil }
            parts.removeLast()
        }
        var before: [UInt8] = []
        var behind: [UInt8]?
        for (index, part) in parts.enumerated() {
            if part.isEmpty {
                guard behind == nil else { return nil }
                behind = []
            } else if let bytes = group(part, isLast: index == parts.count - 1) {
                if behind == nil { before += bytes } else { behind? += bytes }
            } else {
                return nil
            }
        }
        guard let behind else { return before.count == 16 ? before : nil }
        let gap = 16 - before.count - behind.count
        return gap >= 2 ? before + [UInt8](repeating: 0, count: gap) + behind : nil
    }

    /// Two bytes in hexadecimal; at the end, four in dotted decimal.
    private static func group(_ part: some StringProtocol, isLast: Bool) -> [UInt8]? {
        if isLast, part.contains(".") { return four(part) }
        guard part.utf8.count <= 4, part.utf8.allSatisfy(isHexadecimal), let value = UInt16(part, radix: 16)
        else { return nil }
        return [UInt8(value >> 8), UInt8(value & 0xff)]
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }

    /// Dotted decimal, or the form of RFC 5952.
    public var description: String {
        guard bytes.count == 16 else { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        guard let gap = Self.longestGap(groups) else { return Self.text(groups[...]) }
        return Self.text(groups[..<gap.lowerBound]) + "::" + Self.text(groups[gap.upperBound...])
    }

    private static func text(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// The first of the longest runs of zero groups, of two at least.
    private static func longestGap(_ groups: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        for index in 0...groups.count {
            if index < groups.count, groups[index] == 0 { continue }
            if index - start > max(best?.count ?? 1, 1) { best = start..<index }
            start = index + 1
        }
        return best
    }
}

/// A network in CIDR notation (RFC 4632, RFC 4291 section 2.3): `10.1.0.0/16`, `2001:db8::/32`. One network
/// has one form: no bit behind the prefix is set.
public struct IPNetwork: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The first address.
    public let address: IPAddress
    /// How many bits of it are the network's: 0 ... 32, or 0 ... 128.
    public let length: Int

    /// Reads `ADDRESS/LENGTH`, or an address alone as the network of that one; nil for anything else, and
    /// where a bit behind the prefix is set.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), !text.contains("%"), let address = IPAddress(parts[0]) else {
            return nil
        }
        let width = address.bytes.count * 8
        guard parts.count == 2 else {
            self.address = address
            length = width
            return
        }
        guard (1...3).contains(parts[1].utf8.count), let length = Int(parts[1]),
            String(length) == parts[1], (0...width).contains(length)
        else { return nil }
        self.address = address
        self.length = length
        guard (0..<address.bytes.count).allSatisfy({ address.bytes[$0] & ~mask(of: $0) == 0 }) else {
            return nil
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard text.utf8.count <= 49, let network = IPNetwork(text), network.description == text else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not ADDRESS/LENGTH")
        }
        self = network
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// Whether `address` is in the network.
    public func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        for index in 0..<address.bytes.count
        where other.bytes[index] & mask(of: index) != address.bytes[index] {
            return false
        }
        return true
    }

    /// Which bits of the byte at `index` are the network's.
    private func mask(of index: Int) -> UInt8 {
        let bits = min(max(length - index * 8, 0), 8)
        return bits == 0 ? 0 : UInt8.max << (8 - bits)
    }

    /// IPv4 first, then by address and length.
    public static func < (left: Self, right: Self) -> Bool {
        let (one, other) = (left.address.bytes, right.address.bytes)
        if one.count != other.count { return one.count < other.count }
        if one != other { return one.lexicographicallyPrecedes(other) }
        return left.length < right.length
    }

    /// `ADDRESS/LENGTH`.
    public var description: String { "\(address)/\(length)" }
}
