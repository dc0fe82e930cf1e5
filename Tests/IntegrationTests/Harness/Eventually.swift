import Foundation
import Testing

/// What did not come about in time.
struct NeverHappened: Error, CustomStringConvertible {
    /// On one line, whatever programs said that it holds: of an error more is shown nowhere.
    let description: String

    init(description: String) {
        let isPlain = { (scalar: Unicode.Scalar) in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
        self.description = description.unicodeScalars.reduce(into: "") { line, scalar in
            line += isPlain(scalar) ? String(scalar) : scalar.escaped(asASCII: true)
        }
    }
}

/// What `look` finds, asked again and again until it finds something or `patience` is over.
@discardableResult
func eventually<Result>(
    _ what: String, within patience: Duration = .seconds(10), _ look: () async throws -> Result?
) async throws -> Result {
    let end = ContinuousClock.now + patience
    while true {
        if let result = try await look() { return result }
        guard ContinuousClock.now < end else {
            throw NeverHappened(description: "not in \(patience): \(what)")
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Waits until `condition` holds; answers how long that took.
@discardableResult
func until(
    _ what: String, within patience: Duration = .seconds(10), _ condition: () async throws -> Bool
) async throws -> Duration {
    let begin = ContinuousClock.now
    try await eventually(what, within: patience) { try await condition() ? () : nil }
    return ContinuousClock.now - begin
}

/// Which tests run: those that take minutes only where somebody asked for them (`Scripts/test-long`).
enum Patience {
    static let isLong = ProcessInfo.processInfo.environment["COMITY_LONG"] == "1"
    static let why = Comment("takes minutes; Scripts/test-long runs it")
}
