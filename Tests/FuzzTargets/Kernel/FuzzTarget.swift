/// One reader of bytes that others wrote, and what must hold whatever comes.
///
/// The same value is driven by `Scripts/fuzz` (guided by coverage, for minutes) and by the tests (kept inputs
/// and a short loop of damage).
public struct FuzzTarget: Sendable {
    /// Names the target on the command line and its file of kept inputs.
    public let name: String
    /// How long the inputs may be that are tried; beyond what the reader itself allows where that is short.
    public let longest: Int
    /// Inputs as our own encoders write them; the reader must take every one.
    public let samples: @Sendable () throws -> [[UInt8]]
    /// Reads `bytes` and holds what was read against the target's properties.
    public let read: @Sendable ([UInt8]) throws -> Reading

    public init(
        _ name: String, longest: Int = 4_096, samples: @escaping @Sendable () throws -> [[UInt8]],
        read: @escaping @Sendable ([UInt8]) throws -> Reading
    ) {
        self.name = name
        self.longest = longest
        self.samples = samples
        self.read = read
    }
}

/// What a reader made of its input.
public enum Reading: Equatable, Sendable {
    /// It is what it should be, and its properties held.
    case taken
    /// It is not, and the reader said so by its own kind of error.
    case refused
}

/// A property that did not hold: a finding.
public struct Breach: Error, CustomStringConvertible {
    /// Which property, and what was seen.
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// - Throws: `Breach` unless `condition` holds.
func hold(_ condition: Bool, _ property: @autoclosure () -> String) throws(Breach) {
    guard condition else { throw Breach(property()) }
}
