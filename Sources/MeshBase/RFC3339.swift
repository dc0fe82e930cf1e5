/// Dates as text for machines: RFC 3339 in UTC with milliseconds, `2026-11-21T10:00:00.000Z`.
public enum RFC3339 {
    /// The text of `time`; years outside 0 ... 9999 are written as the nearest of those.
    public static func text(_ time: WallTime) -> String {
        let clamped = min(max(time.milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let days = clamped.flooredDivision(by: 86_400_000)
        let millisecondOfDay = clamped - days * 86_400_000
        let (year, month, day) = civil(daysSinceEpoch: days)
        let seconds = millisecondOfDay / 1_000
        let clock = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(
            separator: ":")
        let date = [padded(year, 4), padded(month, 2), padded(day, 2)].joined(separator: "-")
        return "\(date)T\(clock).\(padded(millisecondOfDay % 1_000, 3))Z"
    }

    /// The proleptic Gregorian date (Hinnant, "chrono-compatible low-level date algorithms",
    /// civil_from_days).
    static func civil(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = daysSinceEpoch + 719_468
        let era = shifted.flooredDivision(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Int64 {
    func flooredDivision(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
