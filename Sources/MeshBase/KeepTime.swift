/// For how long callers may answer from memory what a capability answered, as its provider declares it
/// (`cache 30s`, `cache range`).
///
/// Written `30s`, `5m`, `2h` or `range`, and kept so.
public enum KeepTime: Hashable, Sendable {
    /// So many seconds: one of `Limits.keepSeconds`.
    case seconds(Int64)
    /// By the span of time that the request asks about: what is of yesterday changes less than what is of
    /// this hour (`KeepRules`).
    case byRange

    /// Reads `30s`, `5m`, `2h` or `range`; nil when it is none of them, or out of its bounds.
    public init?(_ text: some StringProtocol) {
        if text == "range" {
            self = .byRange
            return
        }
        let unit: Int64
        switch text.last {
        case "s": unit = 1
        case "m": unit = 60
        case "h": unit = 3_600
        default: return nil
        }
        let digits = text.dropLast()
        guard digits.utf8.first.map({ (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) }) == true,
            let count = Int64(digits)
        else { return nil }
        let (seconds, isOver) = count.multipliedReportingOverflow(by: unit)
        guard !isOver, Limits.keepSeconds.contains(seconds) else { return nil }
        self = .seconds(seconds)
    }
}

extension KeepTime: CustomStringConvertible {
    public var description: String {
        switch self {
        case .byRange: "range"
        case .seconds(let seconds) where seconds % 3_600 == 0: "\(seconds / 3_600)h"
        case .seconds(let seconds) where seconds % 60 == 0: "\(seconds / 60)m"
        case .seconds(let seconds): "\(seconds)s"
        }
    }
}

extension KeepTime: Codable {
    /// Throws `DecodingError` for what is no such time.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = KeepTime(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a time (30s, 5m, 2h) within its bounds, or range")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
