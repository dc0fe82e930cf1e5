import MeshBase

/// Durations as people write and read them: `500ms`, `2s`, `10m`, `24h`, `30d`.
public enum HumaneDuration {
    /// Reads a whole number and a unit; nil for anything else, for nothing, and beyond 100 years.
    public static func parse(_ text: some StringProtocol) -> Duration? {
        let units: [(name: String, milliseconds: Int64)] = [
            ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        guard text.utf8.count <= 16, let unit = units.first(where: { text.hasSuffix($0.name) }) else {
            return nil
        }
        let digits = text.dropLast(unit.name.count)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(digits)
        else {
            return nil
        }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        guard !overflow, milliseconds > 0, milliseconds <= 36_525 * 86_400_000 else { return nil }
        return .milliseconds(milliseconds)
    }

    /// At most two units, rounded down: `3 d 4 h`, `1 min 5 s`, `1.2 s`, `340 ms`.
    public static func text(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        if milliseconds < 0 { return "-" + text(.zero - duration) }
        let seconds = milliseconds / 1_000
        switch seconds {
        case 0: return "\(milliseconds) ms"
        case 1..<10:
            let tenths = milliseconds / 100
            return tenths % 10 == 0 ? "\(seconds) s" : "\(seconds).\(tenths % 10) s"
        case 10..<60: return "\(seconds) s"
        case 60..<3_600: return pair(seconds / 60, "min", seconds % 60, "s")
        case 3_600..<86_400: return pair(seconds / 3_600, "h", seconds / 60 % 60, "min")
        default: return pair(seconds / 86_400, "d", seconds / 3_600 % 24, "h")
        }
    }

    /// An age in seconds, from a report; what is absurd is cut.
    static func text(seconds: Double) -> String {
        text(.milliseconds(Int64(max(0, min(seconds.isFinite ? seconds : 0, 1e9)) * 1_000)))
    }

    /// Milliseconds of a measurement: `0.4 ms`, `12 ms`.
    static func text(milliseconds: Double) -> String {
        guard milliseconds.isFinite, milliseconds.magnitude < 1e15 else { return "?" }
        if milliseconds >= 1_000 { return text(.milliseconds(Int64(milliseconds))) }
        let tenths = Int64((milliseconds * 10).rounded())
        return milliseconds < 10 ? "\(tenths / 10).\((tenths % 10).magnitude) ms" : "\(tenths / 10) ms"
    }

    private static func pair(_ first: Int64, _ firstUnit: String, _ second: Int64, _ secondUnit: String)
        -> String
    {
        second == 0 ? "\(first) \(firstUnit)" : "\(first) \(firstUnit) \(second) \(secondUnit)"
    }
}
