/// A span of the calendar in UTC, of which one follows the other without a gap: what calls are counted in.
public enum CalendarPeriod: String, Sendable, Codable, CaseIterable {
    /// From midnight to midnight.
    case day
    /// From the first of a month to the first of the next.
    case month

    /// The number of the day or month that holds `time`: days since 1970-01-01, or months since January of
    /// the year 0. Rises with time, and jumps with the clock.
    public func number(at time: WallTime) -> Int64 {
        let days = time.milliseconds.flooredDivision(by: Self.millisecondsPerDay)
        switch self {
        case .day: return days
        case .month:
            let (year, month, _) = RFC3339.civil(daysSinceEpoch: days)
            return year * 12 + month - 1
        }
    }

    /// When the day or month of this number is over.
    public func end(of number: Int64) -> WallTime {
        let next: Int64 =
            switch self {
            case .day: number + 1
            case .month: Self.days(toMonth: number + 1)
            }
        return WallTime(milliseconds: next * Self.millisecondsPerDay)
    }

    /// `2026-11-28` or `2026-11`.
    public func text(of number: Int64) -> String {
        let days = self == .day ? number : Self.days(toMonth: number)
        let (year, month, day) = RFC3339.civil(daysSinceEpoch: days)
        let start = RFC3339.padded(year, 4) + "-" + RFC3339.padded(month, 2)
        return self == .day ? start + "-" + RFC3339.padded(day, 2) : start
    }

    private static let millisecondsPerDay: Int64 = 86_400_000

    /// Days from 1970-01-01 to the first of a month (Hinnant, "chrono-compatible low-level date algorithms",
    /// days_from_civil).
    private static func days(toMonth number: Int64) -> Int64 {
        let month = number - number.flooredDivision(by: 12) * 12 + 1
        let year = number.flooredDivision(by: 12) - (month <= 2 ? 1 : 0)
        let era = year.flooredDivision(by: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
