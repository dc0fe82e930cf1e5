import MeshBase

/// Bounds what one message may add to the log: whatever peers or a broken disk make happen again and again is
/// said twenty times a minute, then counted, so that nobody fills the disk by way of the log.
struct LogThrottle: Sendable, Equatable {
    /// Lines with one message in a minute.
    static let linesPerMinute = 20
    /// Messages that are told apart; they are words of the program's own, of which there are fewer.
    static let messagesMax = 256

    /// What becomes of a line.
    enum Verdict: Sendable, Equatable {
        /// It is said, with how many like it were not since the last one that was.
        case said(withheld: Int)
        case withheld
    }

    private struct Window: Sendable, Equatable {
        var began: Instant
        var said = 0
        var withheld = 0
    }

    private var windows: [String: Window] = [:]

    /// Takes a line with this message.
    mutating func take(_ message: String, at now: Instant) -> Verdict {
        var window = windows[message] ?? Window(began: now)
        if now - window.began >= .seconds(60) {
            window.began = now
            window.said = 0
        }
        guard window.said < Self.linesPerMinute else {
            window.withheld += 1
            windows[message] = window
            return .withheld
        }
        let withheld = window.withheld
        window.said += 1
        window.withheld = 0
        if windows[message] != nil || windows.count < Self.messagesMax { windows[message] = window }
        return .said(withheld: withheld)
    }
}
