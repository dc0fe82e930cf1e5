/// Where a value came from: the last of these wins.
public enum ConfigurationOrigin: Sendable, Equatable {
    /// Nobody set it.
    case standard
    /// `config.yaml` in the home; nil where the line is not known.
    case file(line: Int?)
    /// A file that the configuration names.
    case named(path: String, line: Int?)
    /// An environment variable.
    case environment(String)
    /// An option of the command.
    case option(String)
}

extension ConfigurationOrigin: CustomStringConvertible {
    /// As `config show` prints it.
    public var description: String {
        switch self {
        case .standard: "default"
        case .file(let line?): "config.yaml line \(line)"
        case .file(nil): "config.yaml"
        case .named(let path, let line?): "\(path) line \(line)"
        case .named(let path, nil): path
        case .environment(let name): name
        case .option(let name): name
        }
    }
}

/// One thing that is wrong with the configuration. The agent starts only without any.
public struct ConfigurationProblem: Sendable, Equatable {
    /// Which setting, with the place inside it: `discovery.static[2].node`. Empty: the file as a whole.
    public let key: String
    /// Who set it so.
    public let origin: ConfigurationOrigin
    /// What is wrong, with the value.
    public let what: String
    /// What to write instead.
    public let fix: String

    public init(key: String, origin: ConfigurationOrigin, what: String, fix: String) {
        self.key = key
        self.origin = origin
        self.what = what
        self.fix = fix
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// One line: where, what, and the fix.
    public var description: String { "\(origin): \(key.isEmpty ? "" : key + ": ")\(what). Fix: \(fix)" }
}
