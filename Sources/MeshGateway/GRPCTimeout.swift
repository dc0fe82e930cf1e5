/// How gRPC writes a call's time (gRPC over HTTP/2, "Timeout"): one to eight digits and a unit.
enum GRPCTimeout {
    /// The header field.
    static let field = "grpc-timeout"

    /// The most that eight digits say in the unit that is written.
    private static let most = Duration.milliseconds(99_999_999)

    /// Nil for anything else.
    static func read(_ text: String) -> Duration? {
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard (1...8).contains(digits.count), let number = Int64(String(Substring(digits))) else {
            return nil
        }
        return switch text.dropFirst(digits.count) {
        case "H": .seconds(number * 3_600)
        case "M": .seconds(number * 60)
        case "S": .seconds(number)
        case "m": .milliseconds(number)
        case "u": .microseconds(number)
        case "n": .nanoseconds(number)
        default: nil
        }
    }

    /// In whole milliseconds, one at least.
    static func text(_ time: Duration) -> String {
        let (seconds, attoseconds) = min(max(time, .milliseconds(1)), most).components
        return "\(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)m"
    }
}
