/// Limits of an agreement as they are typed.
public enum LimitText {
    /// Reads `CALLS/SPAN` or `CALLS/SPAN:BURST` with a span of `s`, `m` or `h`: `100/s`, `6000/m:200`.
    /// Without a burst, as many calls may come at once as in one span. Nil for anything else.
    public static func rate(_ text: String) -> LimitsReport.Rate? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let (calls, span) = count(parts[0]) else { return nil }
        let seconds: Int64
        switch span {
        case "s": seconds = 1
        case "m": seconds = 60
        case "h": seconds = 3_600
        default: return nil
        }
        guard parts.count == 2 else { return LimitsReport.Rate(calls: calls, seconds: seconds, burst: calls) }
        guard let burst = number(parts[1]) else { return nil }
        return LimitsReport.Rate(calls: calls, seconds: seconds, burst: burst)
    }

    /// Reads `CALLS/day` or `CALLS/month`; nil for anything else.
    public static func quota(_ text: String) -> (calls: Int64, period: UsageReport.Period)? {
        guard let (calls, word) = count(text[...]), let period = UsageReport.Period(rawValue: String(word))
        else { return nil }
        return (calls, period)
    }

    private static func count(_ text: Substring) -> (Int64, Substring)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let calls = number(parts[0]) else { return nil }
        return (calls, parts[1])
    }

    private static func number(_ text: Substring) -> Int64? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(text), number > 0
        else {
            return nil
        }
        return number
    }
}
