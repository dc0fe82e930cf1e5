import Glibc
import MeshBase

/// How a report is shown: the width and colours of the terminal, the time it is, and where on Earth.
public struct Presentation: Sendable {
    /// Which clock dates are shown in.
    public enum Zone: Sendable {
        /// The machine's own.
        case local
        /// Seconds east of Greenwich.
        case fixed(seconds: Int64)
    }

    /// Whether ANSI colours are used.
    public var hasColour: Bool
    /// Columns; at least 40.
    public var width: Int
    /// Lines; nil where nothing bounds them.
    public var height: Int?
    /// The time it is.
    public var now: WallTime
    /// Which clock dates are shown in.
    public var zone: Zone
    /// The home that shown commands must name with `--home`; nil where they need not.
    public var home: String?

    public init(hasColour: Bool, width: Int, now: WallTime, zone: Zone = .local, home: String? = nil) {
        self.home = home
        self.hasColour = hasColour
        self.width = max(40, width)
        self.now = now
        self.zone = zone
    }

    /// What fits the stream `descriptor`: colours and its width on a terminal (unless `NO_COLOR` is set),
    /// neither elsewhere.
    public static func of(descriptor: Int32, noColour: Bool, now: WallTime) -> Presentation {
        guard isatty(descriptor) == 1 else { return Presentation(hasColour: false, width: 120, now: now) }
        var size = winsize()
        let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        var shown = Presentation(hasColour: !noColour, width: isKnown ? Int(size.ws_col) : 80, now: now)
        if isKnown, size.ws_row > 0 { shown.height = Int(size.ws_row) }
        return shown
    }

    /// The same, without a bound on the width: for lines whose end is there to be copied.
    var unbounded: Presentation {
        var copy = self
        copy.width = .max / 2
        return copy
    }

    /// A command of ours as it must be typed here: with the home where it is not the usual one.
    func typed(_ command: String) -> String {
        guard let home, command.hasPrefix("comity "), !command.contains("--home ") else { return command }
        return "\(command) --home \(home)"
    }

    /// `text` in an ink, where there is colour.
    func ink(_ ink: Ink, _ text: String) -> String {
        guard hasColour, !text.isEmpty else { return text }
        return "\u{1b}[\(ink.rawValue)m\(text)\u{1b}[0m"
    }

    /// `2026-11-21 10:04:05` by the clock of the zone.
    func date(_ timestamp: Timestamp) -> String {
        let shift = offset(at: timestamp.time)
        let local = RFC3339.text(timestamp.time + .seconds(shift))
        return "\(local.prefix(10)) \(local.dropFirst(11).prefix(8))"
    }

    /// How far `timestamp` lies from now: `in 3 d 4 h`, `5 s ago`, `now`.
    func distance(to timestamp: Timestamp) -> String {
        let gap = timestamp.time - now
        if gap.wholeMilliseconds.magnitude < 1_000 { return "now" }
        return gap > .zero ? "in \(HumaneDuration.text(gap))" : "\(HumaneDuration.text(.zero - gap)) ago"
    }

    private func offset(at time: WallTime) -> Int64 {
        switch zone {
        case .fixed(let seconds): return seconds
        case .local:
            var seconds = time_t(time.milliseconds / 1_000)
            var parts = tm()
            return localtime_r(&seconds, &parts) == nil ? 0 : Int64(parts.tm_gmtoff)
        }
    }
}

/// The few inks of the house: SGR parameters (ECMA-48 section 8.3.117).
enum Ink: String {
    /// What matters first.
    case bold = "1"
    /// What may be overlooked.
    case faint = "2"
    /// Well.
    case good = "32"
    /// To be looked at.
    case warning = "33"
    /// Refused or broken.
    case bad = "31"
    /// What can be typed.
    case command = "36"
}
