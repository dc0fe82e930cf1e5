/// IP addresses between their text and their bytes, without asking the system: the text of an IPv6 address is
/// that of RFC 5952.
enum AddressText {
    /// The four bytes of `a.b.c.d`, in decimal without leading zeros; nil for anything else.
    static func fourBytes(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in UInt8(part).flatMap { String($0) == part ? $0 : nil } }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    /// `a.b.c.d`.
    static func text(four bytes: [UInt8]) -> String { bytes.map(String.init).joined(separator: ".") }

    /// The sixteen bytes of an IPv6 address written as `text(sixteen:)` writes it; nil for anything else,
    /// also for another spelling of an address: one address has one text.
    static func sixteenBytes(_ text: String) -> [UInt8]? {
        guard text.utf8.count <= 39, let bytes = sixteenBytesOfAnySpelling(text),
            self.text(sixteen: bytes) == text
        else { return nil }
        return bytes
    }

    /// RFC 5952 section 4: lower case, no leading zeros, `::` for the first of the longest runs of zeros that
    /// is longer than one.
    static func text(sixteen bytes: [UInt8]) -> String {
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(1, longest.count) { longest = start..<end }
            start = end + 1
        }
        func written(_ groups: ArraySlice<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !longest.isEmpty else { return written(groups[...]) }
        return written(groups[..<longest.lowerBound]) + "::" + written(groups[longest.upperBound...])
    }

    private static func sixteenBytesOfAnySpelling(_ text: String) -> [UInt8]? {
        let halves = halves(of: text)
        var groups: [[UInt16]] = []
        for half in halves {
            let parts = half.isEmpty ? [] : half.split(separator: ":", omittingEmptySubsequences: false)
            let numbers = parts.compactMap { part in
                part.utf8.count <= 4 && part.first != "+" ? UInt16(part, radix: 16) : nil
            }
            guard numbers.count == parts.count else { return nil }
            groups.append(numbers)
        }
        let given = groups.reduce(0) { $0 + $1.count }
        guard halves.count == 2 ? given < 8 : given == 8 else { return nil }
        let zeros = [UInt16](repeating: 0, count: 8 - given)
        return (groups[0] + zeros + (groups.count == 2 ? groups[1] : [])).flatMap {
            [UInt8($0 >> 8), UInt8($0 & 0xff)]
        }
    }

    /// What stands before and behind the first `::`; the whole when there is none.
    private static func halves(of text: String) -> [Substring] {
        let bytes = text.utf8
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let next = bytes.index(after: index)
            if next < bytes.endIndex, bytes[index] == UInt8(ascii: ":"), bytes[next] == UInt8(ascii: ":") {
                return [text[..<index], text[bytes.index(after: next)...]]
            }
            index = next
        }
        return [text[...]]
    }
}
