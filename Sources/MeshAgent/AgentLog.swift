import Glibc
import Logging
import MeshBase
import MeshControl

/// What the agent says while it runs, on standard error: one line a fact, keys behind it, and no message so
/// often that it fills a disk (`LogThrottle`).
struct AgentLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    private let outlet: LogOutlet

    init(outlet: LogOutlet) { self.outlet = outlet }

    /// The outlet's; who sets it here sets it for all.
    var logLevel: Logger.Level {
        get { Logger.Level(outlet.setting.level(at: SystemClock.now().instant)) }
        set { outlet.turn(to: LogLevel(newValue), for: nil) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let now = SystemClock.now()
        let verdict = outlet.take(event.message.description, at: now.instant)
        guard case .said(let withheld) = verdict else { return }
        var metadata = metadata.merging(event.metadata ?? [:]) { $1 }
        if withheld > 0 { metadata["withheld"] = "\(withheld)" }
        let facts = metadata.sorted { $0.key < $1.key }
        let time = RFC3339.text(now.wall)
        let line: String
        switch outlet.setting.format {
        case .text:
            let tail = facts.map { " \($0.key)=\(quoted("\($0.value)"))" }.joined()
            line = "\(time) \(event.level.rawValue) \(event.message)\(tail)\n"
        case .json:
            let pairs =
                [("time", time), ("level", event.level.rawValue), ("message", "\(event.message)")]
                + facts.map { ($0.key, "\($0.value)") }
            line = "{" + pairs.map { "\(json($0.0)):\(json($0.1))" }.joined(separator: ",") + "}\n"
        }
        var text = line
        text.withUTF8 { bytes in
            // A line that standard error does not take is lost; there is nowhere else to say it.
            _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count)
        }
    }

    private func quoted(_ text: String) -> String {
        text.contains(where: { $0 == " " || $0 == "\"" }) ? json(text) : text
    }

    private func json(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default:
                if scalar.value < 0x20 {
                    result += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}

extension Logger.Level {
    init(_ level: LogLevel) {
        switch level {
        case .trace: self = .trace
        case .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        }
    }
}

extension LogLevel {
    init(_ level: Logger.Level) {
        switch level {
        case .trace: self = .trace
        case .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error, .critical: self = .error
        }
    }
}
