import MeshBase

/// A date in a report: RFC 3339 in UTC for machines (`2026-11-21T10:00:00.000Z`), local time for people.
public struct Timestamp: Codable, Hashable, Sendable, Comparable {
    /// The date itself.
    public let time: WallTime

    public init(_ time: WallTime) { self.time = time }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = Timestamp.parse(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not RFC 3339 in UTC")
        }
        self.init(time)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(RFC3339.text(time))
    }

    public static func < (left: Self, right: Self) -> Bool { left.time < right.time }

    /// Reads only what `RFC3339.text` writes: anything else changes when it is written again, which is how it
    /// is told.
    private static func parse(_ text: String) -> WallTime? {
        let digits = Array(text.utf8)
        guard digits.count == 24 else { return nil }
        func number(_ range: Range<Int>) -> Int64? { Int64(String(decoding: digits[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), let millisecond = number(20..<23)
        else { return nil }
        let days = Timestamp.daysSinceEpoch(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second
        let time = WallTime(milliseconds: seconds * 1_000 + millisecond)
        return RFC3339.text(time) == text ? time : nil
    }

    /// Hinnant, "chrono-compatible low-level date algorithms", days_from_civil; years from 0.
    private static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
