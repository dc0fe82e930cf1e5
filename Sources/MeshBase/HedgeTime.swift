/// How long a call waits for its answer to begin before it is sent to a second provider as well.
///
/// Written `p95` or `200ms`, and kept so.
public enum HedgeTime: Hashable, Sendable {
    /// As long as so many of a hundred answers of the provider took at most: one of
    /// `Limits.hedgePercentiles`.
    case percentile(Int)
    /// So many milliseconds: one of `Limits.hedgeMilliseconds`.
    case milliseconds(Int64)

    /// Reads `p95`, `200ms` or `2s`; nil when it is neither, or out of its bounds.
    public init?(_ text: some StringProtocol) {
        func number(_ digits: some StringProtocol) -> Int64? {
            guard digits.utf8.first.map({ (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) }) == true
            else { return nil }
            return Int64(digits)
        }
        if text.hasPrefix("p") {
            guard let percent = number(text.dropFirst()).flatMap(Int.init(exactly:)),
                Limits.hedgePercentiles.contains(percent)
            else { return nil }
            self = .percentile(percent)
            return
        }
        let unit: (name: String, milliseconds: Int64) = text.hasSuffix("ms") ? ("ms", 1) : ("s", 1_000)
        guard text.hasSuffix(unit.name), let count = number(text.dropLast(unit.name.count)) else {
            return nil
        }
        let (milliseconds, isOver) = count.multipliedReportingOverflow(by: unit.milliseconds)
        guard !isOver, Limits.hedgeMilliseconds.contains(milliseconds) else { return nil }
        self = .milliseconds(milliseconds)
    }
}

extension HedgeTime: CustomStringConvertible {
    public var description: String {
        switch self {
        case .percentile(let percent): "p\(percent)"
        case .milliseconds(let milliseconds): "\(milliseconds)ms"
        }
    }
}

extension HedgeTime: Codable {
    /// Throws `DecodingError` for what is no such time.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = HedgeTime(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a percentile (p95) or a time (200ms) within their bounds")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
