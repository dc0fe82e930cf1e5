import Foundation
import Testing

@testable import MeshBase

@Suite("Days and months of UTC")
struct CalendarPeriodTests {
    private func wall(_ text: String) -> WallTime {
        let date = try! Date(text, strategy: .iso8601)
        return WallTime(milliseconds: Int64(date.timeIntervalSince1970 * 1_000))
    }

    @Test(
        "a date lies in its day and month, and their end begins the next",
        arguments: [
            ("2026-11-28T03:00:00Z", "2026-11-28", "2026-11-29T00:00:00Z", "2026-11", "2026-12-01T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "2026-12-31", "2027-01-01T00:00:00Z", "2026-12", "2027-01-01T00:00:00Z"),
            ("2028-02-29T00:00:00Z", "2028-02-29", "2028-03-01T00:00:00Z", "2028-02", "2028-03-01T00:00:00Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01", "1970-01-02T00:00:00Z", "1970-01", "1970-02-01T00:00:00Z"),
            ("1969-12-31T12:00:00Z", "1969-12-31", "1970-01-01T00:00:00Z", "1969-12", "1970-01-01T00:00:00Z"),
        ])
    func known(date: String, day: String, dayEnd: String, month: String, monthEnd: String) {
        let time = wall(date)
        for (period, name, end) in [(CalendarPeriod.day, day, dayEnd), (.month, month, monthEnd)] {
            let number = period.number(at: time)
            #expect(period.text(of: number) == name)
            #expect(period.end(of: number) == wall(end))
        }
    }

    @Test("a window ends where the next begins, through four centuries")
    func contiguous() {
        var time = wall("1890-01-01T00:00:00Z")
        for _ in 0..<5_000 {
            let number = CalendarPeriod.month.number(at: time)
            let end = CalendarPeriod.month.end(of: number)
            #expect(CalendarPeriod.month.number(at: end) == number + 1)
            #expect(CalendarPeriod.month.number(at: WallTime(milliseconds: end.milliseconds - 1)) == number)
            time = end
        }
    }
}
