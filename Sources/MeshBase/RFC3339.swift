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

    /// The time that `text` names, to the millisecond: what stands behind that is left out. Nil where it is
    /// not of the form of RFC 3339 section 5.6, or names no time. A leap second is the last one before it.
    public static func time(_ text: String) -> WallTime? {
        let bytes = Array(text.utf8)
        guard (20...40).contains(bytes.count) else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return value
        }
        func stands(_ mark: String, at place: Int) -> Bool {
            place < bytes.count && mark.utf8.contains(bytes[place])
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            stands("-", at: 4), stands("-", at: 7), stands("Tt ", at: 10), stands(":", at: 13),
            stands(":", at: 16), (1...12).contains(month), hour < 24, minute < 60, second <= 60
        else { return nil }
        var place = 19
        var milliseconds: Int64 = 0
        if stands(".", at: place) {
            let digits = bytes[(place + 1)...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard !digits.isEmpty else { return nil }
            for index in 0..<3 {
                let digit = index < digits.count ? Int64(digits[digits.startIndex + index]) - 48 : 0
                milliseconds = milliseconds * 10 + digit
            }
            place = digits.endIndex
        }
        var offset: Int64 = 0
        if stands("Zz", at: place) {
            place += 1
        } else {
            guard stands("+-", at: place), stands(":", at: place + 3),
                let hours = number(place + 1..<place + 3), let minutes = number(place + 4..<place + 6),
                hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (stands("-", at: place) ? -1 : 1)
            place += 6
        }
        let days = days(toYear: year, month: month, day: day)
        guard place == bytes.count, civil(daysSinceEpoch: days) == (year, month, day) else { return nil }
        let minutes = days * 1_440 + hour * 60 + minute - offset
        return WallTime(milliseconds: (minutes * 60 + min(second, 59)) * 1_000 + milliseconds)
    }

    /// Days since 1970 of a proleptic Gregorian date (Hinnant, days_from_civil); of a day that its month does
    /// not have, those of a later one.
    private static func days(toYear year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year.flooredDivision(by: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
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
